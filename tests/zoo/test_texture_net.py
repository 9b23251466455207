"""The texture network: its pyramid, its noise, and that it treats every place of a picture alike."""

import pytest
import torch

import zoo
from zoo.texture_net import RATIOS


def build(**keys):
    torch.manual_seed(0)
    return zoo.create(architecture="texture", width=4, **keys).eval()


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (70, 33), (129, 64)])
def test_the_coarsest_map_is_two_by_two_or_larger(size):
    generator, seen = build(), []
    generator.blocks[0].register_forward_hook(lambda module, inputs, output: seen.append(output.shape[2:]))
    assert generator(torch.rand(1, 3, *size)).shape[2:] == size
    assert all(side >= 2 and side * RATIOS[0] >= whole for side, whole in zip(seen[0], size, strict=True))


def test_channels_grow_by_as_many_at_each_scale():
    generator, seen = build(), []
    for join in generator.joins:
        join.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[1]))
    generator(torch.rand(1, 3, 64, 64))
    assert seen == [8, 12, 16, 20, 24]


def test_a_seed_is_a_variation_and_the_same_seed_the_same_picture():
    generator, photo, pictures = build(), torch.rand(1, 3, 64, 64), []
    for seed in (0, 1, 1):
        generator.seed = seed
        pictures.append(generator(photo))
    assert torch.equal(pictures[1], pictures[2]) and not torch.allclose(pictures[0], pictures[1], atol=1e-3)
    assert torch.equal(pictures[0], build()(photo))  # no seed means 0
    assert torch.allclose(build()(photo.expand(2, -1, -1, -1))[1], pictures[0][0], atol=1e-4)  # whatever the batch


def test_without_a_norm_a_shift_by_a_cell_of_the_coarsest_map_shifts_the_inside():
    generator = build(norm="none")
    for block in generator.blocks:  # the noise stays in its place
        block.layers[0].conv.weight.data[:, 3:] = 0
    wide = torch.rand(1, 3, 704, 736)
    here, shifted = generator(wide[..., :704]), generator(wide[..., 32:])
    inside = slice(288, 384)  # far from the borders: 9 cells of the coarsest map on every side
    torch.testing.assert_close(here[:, :, inside, 320:416], shifted[:, :, inside, 288:384], rtol=1e-4, atol=1e-5)
    assert (here[:, :, inside, inside] - shifted[:, :, inside, inside]).abs().max() > 1e-4


def test_circular_padding_wraps_around():
    """Rolled by a cell of the coarsest map, photo and noise together, a picture is rolled, borders and all: it tiles."""
    generator = build(norm="instance", padding="circular")
    for block in generator.blocks:
        block.layers[0].conv.weight.data[:, 3:] = 0
    photo = torch.rand(1, 3, 96, 128)
    rolled = generator(photo.roll((32, 64), dims=(2, 3)))
    torch.testing.assert_close(rolled, generator(photo).roll((32, 64), dims=(2, 3)), rtol=1e-4, atol=1e-4)
