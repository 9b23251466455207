"""The generator on half-resolution maps against the module it stands for: pictures, gradients, statistics."""

import copy

import pytest
import torch

from zoo import half_resolution
from zoo.conditional import make_conditional
from zoo.registry import create

SIZES = [(32, 32), (36, 64), (44, 40)]


def random_generator(norm, **keys):
    torch.manual_seed(0)
    generator = create(norm=norm, width=4, residual_blocks=2, **keys).double()
    with torch.no_grad():
        for name, p in generator.named_parameters():
            if ".norm." in name:
                p.add_(torch.randn_like(p) / 4)
        for name, buffer in generator.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return generator


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_pictures_gradients_and_statistics_are_the_modules(norm, training, size):
    module = random_generator(norm).train(training)
    twin = copy.deepcopy(module)
    x = torch.rand(3, 3, *size, dtype=torch.float64)
    assert half_resolution.fits(module, *size)
    wanted, found = module(x), half_resolution.forward(twin, x)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
    target = torch.rand_like(wanted)
    (wanted * target).sum().backward()
    (found * target).sum().backward()
    for (name, p), q in zip(module.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(q.grad, p.grad, rtol=1e-8, atol=1e-8, msg=name)
    for (name, a), b in zip(module.named_buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(b, a, msg=name)


def test_float32_stays_within_a_tenth_of_a_level_also_where_contrast_is_low():
    exact = random_generator("instance")
    generator = copy.deepcopy(exact).float()
    photo = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    for contrast in (1.0, 0.1):
        faded = 0.5 + contrast * (photo - 0.5)
        levels = 255 * (half_resolution.forward(generator, faded.float()) - exact(faded)).abs()
        assert levels.max() < 0.1


def test_bfloat16_inside_stays_near():
    generator = random_generator("instance").float()
    photo = torch.rand(1, 3, 64, 64)
    levels = 255 * (half_resolution.forward(generator, photo, torch.bfloat16) - generator(photo)).abs()
    assert 0 < levels.mean() < 2


@pytest.mark.parametrize(
    "generator",
    [
        create(width=2, padding="zero"),
        create(width=2, upsampling="bilinear"),
        create(width=2, norm="contrast"),
        create(width=2, architecture="texture"),
        make_conditional(create(width=2), 2),
    ],
)
def test_what_it_does_not_know_is_left_to_the_module(generator):
    assert not half_resolution.fits(generator, 64, 64)


def test_sides_that_four_does_not_divide_are_left_to_the_module():
    assert not half_resolution.fits(create(width=2), 64, 66)
