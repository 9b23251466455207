"""The texture network: its pyramid, its noise, and that it treats every place of a picture alike."""

import pytest
import torch
from PIL import Image

import zoo
from zoo.__main__ import main
from zoo.card import make_card
from zoo.style import style_at
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
        pictures.append(generator(photo, seed))
    assert torch.equal(pictures[1], pictures[2]) and not torch.allclose(pictures[0], pictures[1], atol=1e-3)
    assert torch.equal(pictures[0], build()(photo))  # no seed means 0
    assert torch.allclose(build()(photo.expand(2, -1, -1, -1))[1], pictures[0][0], atol=1e-4)  # whatever the batch


def test_the_inside_of_a_larger_picture_has_its_part_of_the_noise():
    """A generator of one scale, whose maps see nothing but the noise: the middle of it is the same."""
    generator = build(norm="none")
    seen = {}
    generator.blocks[-1].register_forward_pre_hook(lambda module, inputs: seen.update(z=inputs[0][:, 3:]))
    generator(torch.rand(1, 3, 256, 192), seed=2)
    whole = seen["z"]
    generator(torch.rand(1, 3, 128, 64), seed=2, margin=64)
    assert torch.equal(seen["z"], whole[..., 64:-64, 64:-64])


@pytest.mark.slow
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


def test_in_training_every_picture_has_its_own_noise_and_later_all_share_it():
    generator, photos = build(norm="instance"), torch.rand(1, 3, 64, 64).expand(2, -1, -1, -1)
    first, second = generator(photos)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)
    first, second = generator.train()(photos)
    assert not torch.allclose(first, second, atol=1e-3)


def test_a_texture_does_not_look_at_the_photo_and_wraps_around(monkeypatch):
    torch.manual_seed(0)
    generator = zoo.create(architecture="synthesis", width=4, padding="circular").eval()
    tile = generator(torch.zeros(1, 3, 64, 96))
    assert torch.equal(tile, generator(torch.rand(1, 3, 64, 96)))
    real = torch.randn

    def rolled(*size, **options):  # by half the height, a third of the width, at every scale
        return real(*size, **options).roll((size[2] // 2, size[3] // 3), dims=(2, 3))

    monkeypatch.setattr(torch, "randn", rolled)
    torch.testing.assert_close(generator(torch.zeros(1, 3, 64, 96)), tile.roll((32, 32), dims=(2, 3)), rtol=1e-4, atol=1e-4)


@pytest.fixture
def tiles(tmp_path):
    """A style folder that makes textures, untrained."""
    zoo.save(zoo.create(architecture="synthesis", width=2, padding="circular"), tmp_path / "tiles")
    return tmp_path / "tiles"


def test_the_texture_command_paints_the_same_tile_for_a_seed(tiles, tmp_path):
    pictures = []
    for seed in (3, 3, 4):
        assert main(["texture", str(tiles), "-o", str(tmp_path / "tile.png"), "--size", "96", "--seed", str(seed)]) == 0
        pictures.append(Image.open(tmp_path / "tile.png").convert("RGB"))
    assert pictures[0].size == (96, 96)
    assert pictures[0].tobytes() == pictures[1].tobytes() != pictures[2].tobytes()
    assert zoo.texture(tiles, 96).tobytes() == zoo.texture(tiles, 96, seed=0).tobytes()  # the shared one keeps its seed


def test_what_is_no_seamless_texture_is_refused(tiles, small_pair, tmp_path, capsys, photo):
    assert main(["texture", str(tiles), "-o", str(tmp_path / "t.png"), "--size", "100"]) == 2
    assert "96 is" in capsys.readouterr().err
    assert main(["texture", str(small_pair), "-o", str(tmp_path / "t.png")]) == 2
    assert "try starry-night-texture, or train one with python -m training.train --recipe texture" in capsys.readouterr().err
    assert main(["stylize", str(photo), "-s", str(tiles), "-o", str(tmp_path / "t.png")]) == 2
    assert "zoo texture tiles" in capsys.readouterr().err and not (tmp_path / "t.png").exists()
    assert main(["stylize", str(photo), "-s", str(small_pair), "-o", str(tmp_path / "t.png"), "--seed", "1"]) == 2
    assert "no noise to vary" in capsys.readouterr().err
    assert not (tmp_path / "t.png").exists()


def test_a_seed_varies_a_painted_photo(tmp_path, photo):
    zoo.save(zoo.create(architecture="texture", width=2), tmp_path / "varied")
    one, other, again = (zoo.stylize(photo, tmp_path / "varied", size=64, seed=seed) for seed in (0, 1, 0))
    assert one.tobytes() == again.tobytes() != other.tobytes()


def test_the_card_of_a_texture_tells_how_to_make_tiles(tiles):
    card = make_card(style_at(tiles))
    assert "python -m zoo texture tiles" in card and "stylize" not in card and "photos" not in card
