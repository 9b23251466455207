"""Strength and colours, against BT.601 in float64."""

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.__main__ import main
from zoo.errors import ConfigError

YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


@pytest.fixture
def two():
    """A photo and what was painted of it, of middling colours, so that nothing is cut off."""
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(90, 166, (40, 50, 3), dtype=np.uint8)) for _ in range(2)]


@pytest.mark.parametrize("strength", [0, 0.25, 1])
def test_strength_lies_between_photo_and_paint(two, strength):
    photo, painted = two
    wanted = (1 - strength) * np.asarray(photo, float) + strength * np.asarray(painted, float)
    assert np.abs(np.asarray(zoo.finish(painted, photo, strength), float) - wanted).max() <= 1


def test_colours_are_the_photo_s_and_light_is_the_painting_s(two):
    photo, painted = two
    found, of_photo, of_painted = (np.asarray(x, float) @ YCC.T for x in (zoo.finish(painted, photo, 1, True), photo, painted))
    assert np.abs(found[..., 0] - of_painted[..., 0]).max() < 2
    assert np.abs(found[..., 1:] - of_photo[..., 1:]).max() < 3


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), "1", True, None])
def test_a_strength_that_is_none_is_said(two, strength):
    with pytest.raises(ConfigError, match="strength is a number from 0"):
        zoo.finish(*two, strength)


def test_on_the_command_line(two, small_pair, tmp_path, capsys):
    two[0].save(tmp_path / "photo.png")
    paint = ["stylize", f"{tmp_path}/photo.png", "-s", str(small_pair), "-o", f"{tmp_path}/out.png"]
    assert main([*paint, "--strength", "0"]) == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), np.asarray(two[0]))
    assert main([*paint, "--strength", "0.5", "--keep-colours"]) == 0
    assert main([*paint, "--strength", "2"]) == 2 and "strength is a number" in capsys.readouterr().err
