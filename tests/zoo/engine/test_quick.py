"""Thumbnail statistics: those of the thumbnail, in every layer, and an honest word on how far that is off."""

import numpy as np
import pytest
import torch

from tests.zoo.engine.test_torch_engine import noise, random_generator
from zoo.conditional import make_conditional
from zoo.engine import quick
from zoo.engine.painting import Manner, paint_fast
from zoo.engine.quick import away
from zoo.engine.sweeps import Sweeps, fold
from zoo.errors import ConfigError
from zoo.images import open_photo, scale, to_tensor
from zoo.layers import InstanceNorm
from zoo.style import PHOTO


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(quick, "THUMBNAIL", 96 * 64)


@pytest.fixture
def image():
    return open_photo(PHOTO).resize((192, 128))


@pytest.mark.parametrize("many", [False, True])
def test_every_norm_has_the_thumbnails_statistics(small, image, many):
    """Issue 15."""
    generator = random_generator(width=4, residual_blocks=1)
    generator = make_conditional(generator, 2) if many else generator
    wanted = formula(generator, image, scale(image, 0.5))
    found = paint_fast(generator, image, Manner("torch", quick=True))
    assert np.abs(np.asarray(found.image, float) - wanted).max() < 0.55
    exact = np.asarray(paint_fast(generator, image, Manner("torch")).image, float)
    assert np.abs(exact - wanted).max() > 2


def formula(generator, image, thumbnail):
    """Chen et al. 2022: each layer's map of the photo by the mean and deviation of the thumbnail's; float64, levels."""
    generator, known = fold(generator).double(), {}

    def normalize(norm, args, normalized):
        x = args[0]
        mean, variance = known.setdefault(norm, (x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)))
        weight, bias = (p.view(1, -1, 1, 1) for p in (norm.weight, norm.bias))
        return weight * (x - mean) / (variance + norm.eps).sqrt() + bias

    for norm in [m for m in generator.modules() if isinstance(m, InstanceNorm)]:
        norm.register_forward_hook(normalize)
    generator(to_tensor(thumbnail).double())
    return 255 * generator(to_tensor(image).double())[0].permute(1, 2, 0).numpy()


def test_the_picture_takes_one_sweep(small, image, monkeypatch):
    swept, strips = [], Sweeps._strips
    monkeypatch.setattr(Sweeps, "_strips", lambda self, *a: (swept.append(self), strips(self, *a))[1])
    paint_fast(random_generator(width=2, residual_blocks=1), image, Manner("torch", quick=True))
    assert not swept[-1].plan and swept.count(swept[-1]) == 1


def test_how_far_it_is_off_is_that_of_the_thumbnail_with_a_thumbnail_of_its_own(small, image):
    generator, half = random_generator(width=4, residual_blocks=1), scale(image, 0.5)
    off = np.abs(formula(generator, half, scale(half, 0.5)) - formula(generator, half, half))
    found = paint_fast(generator, image, Manner("torch", quick=True)).away
    assert found.size == (96, 64)
    assert found.mean == pytest.approx(off.mean(), rel=0.01) and found.most == pytest.approx(np.quantile(off, 0.999), rel=0.01)
    assert f"{found.mean:.1f} of 255 levels" in str(found) and "96×64" in str(found)


def test_a_difference_is_told_in_levels():
    exact, other = torch.zeros(2, 3, 40, 50)
    other[:, 0, 0] = 1
    assert away(exact, other).mean == pytest.approx(255 / 2000) and away(exact, other).most == 0
    assert away(exact, exact + 2 / 255).most == pytest.approx(2)


@pytest.mark.parametrize(
    ("keys", "size"), [({"norm": "batch"}, (192, 128)), ({"norm": "contrast"}, (192, 128)), ({}, (96, 64))]
)
def test_where_a_thumbnail_helps_nothing_the_picture_is_exact(small, keys, size):
    generator, photo = random_generator(width=2, residual_blocks=1, **keys), noise(*size)
    found, exact = (paint_fast(generator, photo, Manner("torch", quick=q)) for q in (True, False))
    assert found.away is None and found.image.tobytes() == exact.image.tobytes()


def test_noise_is_that_of_the_seed(small):
    generator, photo = random_generator(architecture="texture", width=1), noise(160, 128)
    a, b, c = (paint_fast(generator, photo, Manner("torch", seed=s, quick=True)) for s in (1, 1, 2))
    assert a.image.tobytes() == b.image.tobytes() != c.image.tobytes() and a.away == b.away != c.away


def test_what_does_not_go_together_is_told():
    with pytest.raises(ConfigError, match="a thumbnail's: choose torch"):
        Manner("openvino", quick=True)
    with pytest.raises(ConfigError, match="leave out one"):
        Manner(smooth=lambda mean, variance: (mean, variance), quick=True)
