"""What is remembered from frame to frame, against formulas."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from tests.zoo.engine.test_torch_engine import random_generator
from zoo.calm import Calm
from zoo.engine.painting import Manner, paint_fast
from zoo.errors import ConfigError
from zoo.frozen import freeze_statistics
from zoo.images import to_tensor
from zoo.layers import InstanceNorm


def noisy(photo: np.ndarray, seed: int, deviation: float = 2.0) -> Image.Image:
    noise = np.random.default_rng(seed).normal(0, deviation, photo.shape)
    return Image.fromarray(np.uint8(np.clip(photo + noise + 0.5, 0, 255)))


@pytest.fixture
def frames():
    """Three frames that differ all over, though not as two scenes do."""
    return [Image.effect_noise((70, 52), 8 + 6 * i).convert("RGB") for i in range(3)]


def painted(generator, frames, calm, engine="torch"):
    manner = Manner(engine, smooth=calm.smooth)
    return [np.asarray(paint_fast(generator, calm.look(frame), manner).image, float) for frame in frames]


def test_statistics_are_an_exponential_moving_average(frames):
    """Of the first norm, whose map does not depend on it."""
    generator, calm = random_generator(width=2, residual_blocks=1), Calm(statistics=0.75)
    painted(generator, frames, calm)
    maps = [generator.enter.conv(2 * to_tensor(frame) - 1).double() for frame in frames]
    own = [torch.stack([x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)]) for x in maps]
    expected = 0.75 * (0.75 * own[0] + 0.25 * own[1]) + 0.25 * own[2]
    torch.testing.assert_close(calm.memory["norm 0"], expected, rtol=1e-4, atol=1e-4)
    norms = sum(isinstance(module, InstanceNorm) for module in generator.modules())
    assert calm.memory.keys() == {"photo", *(f"norm {i}" for i in range(norms))}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["johnson", "texture"])
def test_the_module_paints_as_the_engine(frames, architecture):
    generator = random_generator(architecture=architecture, width=2)
    fast, plain = (painted(generator, frames, Calm(0.6), engine) for engine in ("torch", "module"))
    own = painted(generator, frames, Calm())
    assert all(np.abs(a - b).max() <= 1 for a, b in zip(fast, plain, strict=True))
    assert np.abs(fast[0] - own[0]).max() <= 1 < np.abs(fast[2] - own[2]).max()
    assert not [hook for module in generator.modules() for hook in module._forward_hooks.values()]


def test_all_of_the_past_is_the_first_frames_statistics_frozen(frames):
    generator = random_generator(width=2, residual_blocks=1)
    found = painted(generator, frames, Calm(1.0))
    frozen = freeze_statistics(generator, [to_tensor(frames[0])])
    for one, frame in zip(found, frames, strict=True):
        assert np.abs(one - np.asarray(zoo.paint(frozen, frame), float)).max() <= 1


def test_a_cut_makes_it_forget(frames):
    generator = random_generator(width=2, residual_blocks=1)
    other = Image.new("RGB", frames[0].size, "white")
    after_cut = painted(generator, [*frames, other, *frames], Calm(0.9, 0.9))[4:]
    for a, b in zip(after_cut, painted(generator, frames, Calm(0.9, 0.9)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_noise_of_what_stands_still_is_averaged():
    """Of an exponential moving average with share F, (1 - F) / (1 + F) of the variance is left."""
    photo, calm = np.full((60, 80, 3), 120.0), Calm(still=0.8)
    for seed in range(40):
        seen = np.asarray(calm.look(noisy(photo, seed)), float)
    rounding = 1 / 12
    assert seen.std() == pytest.approx(math.sqrt(4 * 0.2 / 1.8 + rounding), rel=0.1)
    assert abs(seen.mean() - 120) < 0.1


def test_what_moves_is_as_it_is_at_once():
    photo, calm = np.full((60, 80, 3), 120.0), Calm(still=0.9)
    for seed in range(5):
        calm.look(noisy(photo, seed))
    photo[20:40, 20:40] = 60
    frame = noisy(photo, 5)
    seen = np.asarray(calm.look(frame), float)
    np.testing.assert_array_equal(seen[22:38, 22:38], np.asarray(frame, float)[22:38, 22:38])
    assert np.abs(seen[:10] - np.asarray(frame, float)[:10]).mean() > 1


def test_nothing_is_done_unless_it_is_wanted(frames):
    calm = Calm()
    assert not calm.is_on and calm.look(frames[0]) is frames[0] and not calm.memory
    calm = Calm(statistics=0.5)
    assert calm.is_on and all(calm.look(frame) is frame for frame in frames)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_shares_are_shares(share):
    for keys, flag in (({"statistics": share}, "--calm"), ({"still": share}, "--still")):
        with pytest.raises(ConfigError, match=f"{flag} is a share from 0 to 1"):
            Calm(**keys)


def test_runtimes_that_give_no_statistics_are_refused():
    with pytest.raises(ConfigError, match="choose torch"):
        Manner("onnxruntime", smooth=Calm(0.5).smooth)
