"""The tensor contract, for every registered architecture."""

import pytest
import torch

import zoo
from zoo.config import NORMS, PADDINGS, UPSAMPLINGS
from zoo.errors import ConfigError
from zoo.registry import MIN_SIDE, register

ARCHITECTURES = zoo.list_architectures()


def build(**keys):
    torch.manual_seed(0)
    return zoo.create(width=2, residual_blocks=1, **keys).eval()


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (50, 34), (63, 32), (64, 61)])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_size_comes_back_exactly(architecture, norm, size):
    photos = torch.rand(2, 3, *size)
    with torch.no_grad():
        out = build(architecture=architecture, norm=norm)(photos)
    assert out.shape == photos.shape and out.dtype == photos.dtype
    assert 0 <= out.min() and out.max() <= 1 and out.std() > 0


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_padding_and_upsampling_works_at_the_smallest_size(architecture, padding, upsampling):
    photos = torch.rand(1, 3, MIN_SIDE, MIN_SIDE + 1)
    assert build(architecture=architecture, padding=padding, upsampling=upsampling)(photos).shape == photos.shape


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_instance_norm_paints_each_picture_by_itself(architecture):
    generator, photos = build(architecture=architecture, norm="instance").eval(), torch.rand(3, 3, 40, 40)
    alone = torch.cat([generator(photo[None]) for photo in photos])
    torch.testing.assert_close(generator(photos), alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_twins_differ_in_norm_and_nothing_else(architecture):
    instance, batch = (dict(build(architecture=architecture, norm=norm).named_parameters()) for norm in ("instance", "batch"))
    assert instance.keys() == batch.keys()
    assert all(torch.equal(instance[key], batch[key]) for key in instance)


@pytest.mark.parametrize(("width", "parameters"), [(16, 424_899), (32, 1_679_235)])
def test_johnson_has_the_published_number_of_parameters(width, parameters):
    assert sum(p.numel() for p in zoo.create(width=width).parameters()) == parameters


def test_unknown_keys_and_architectures_are_refused():
    with pytest.raises(ConfigError, match="colour"):
        zoo.create(colour="red")
    with pytest.raises(ConfigError, match="johnson"):
        zoo.create(architecture="picasso")


def test_an_architecture_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="twice"):
        register("johnson")(object)
