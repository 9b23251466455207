"""Strength, colours and masks, against formulas in float64."""

import math

import numpy as np
import pytest
from PIL import Image, ImageOps

import zoo
from zoo.__main__ import main
from zoo.errors import ConfigError, PhotoError
from zoo.finish import FEATHER

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


def half(width, height):
    """A mask that keeps the photo in the right half."""
    mask = Image.new("L", (width, height))
    mask.paste(255, (width // 2, 0, width, height))
    return mask


@pytest.mark.parametrize(
    "mask", [half(400, 200), half(800, 400).convert("RGB"), half(100, 50)], ids=lambda mask: str(mask.size)
)
def test_the_photo_stays_where_the_mask_is_white_with_a_soft_edge(mask):
    """The share of the photo is a Gaussian's beside the edge, as wide in the picture whatever the mask's size."""
    photo, painted = (Image.new("RGB", (400, 200), colour) for colour in ((200, 100, 0), (0, 100, 200)))
    found = np.asarray(zoo.finish(painted, photo, protect=mask), float)
    shares = [0.5 * (1 + math.erf((x + 0.5 - 200) / (FEATHER * 400 * math.sqrt(2)))) for x in range(400)]
    assert np.abs(found[..., 0] - 200 * np.array(shares)).max() < 8  # Pillow's Gaussian is three boxes
    assert (found[..., 1] == 100).all() and (found[:, 240:] == (200, 100, 0)).all() and (found[:, :160] == (0, 100, 200)).all()


def test_strength_and_colours_are_for_the_rest(two):
    photo, painted = two
    for more in ((0.5, False), (1, True)):
        found = np.asarray(zoo.finish(painted, photo, *more, protect=half(50, 40)))
        assert np.array_equal(found[:, 35:], np.asarray(photo)[:, 35:])
        assert np.array_equal(found[:, :15], np.asarray(zoo.finish(painted, photo, *more))[:, :15])


@pytest.mark.parametrize("photo", [(512, 341), (333, 500), (512, 32), (1, 1)], ids=str)
@pytest.mark.parametrize("mask", [(3000, 2000), (2000, 3000), (3000, 40), (100, 100)], ids=str)
def test_a_mask_has_the_shape_of_the_photo(photo, mask):
    """Both may have been reduced, and rounded, from one photo."""
    pictures, fits = [Image.new("RGB", photo)] * 2, (photo, mask) in [
        ((512, 341), (3000, 2000)), ((333, 500), (2000, 3000)), ((512, 32), (3000, 40))
    ]  # fmt: skip
    if fits:
        assert zoo.finish(*pictures, protect=Image.new("L", mask)).size == photo
    else:
        with pytest.raises(PhotoError, match=f"the mask is {mask[0]}×{mask[1]} px, .* {photo[0]}×{photo[1]}: make one"):
            zoo.finish(*pictures, protect=Image.new("L", mask))


def test_on_the_command_line(two, small_pair, tmp_path, capsys):
    two[0].save(tmp_path / "photo.png")
    paint = ["stylize", f"{tmp_path}/photo.png", "-s", str(small_pair), "-o", f"{tmp_path}/out.png"]
    assert main([*paint, "--strength", "0"]) == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), np.asarray(two[0]))
    assert main([*paint, "--strength", "0.5", "--keep-colours"]) == 0
    assert main([*paint, "--strength", "2"]) == 2 and "strength is a number" in capsys.readouterr().err
    half(50, 40).save(mask := tmp_path / "mask.png")
    assert main([*paint, "--protect", str(mask)]) == 0
    kept = (np.asarray(Image.open(tmp_path / "out.png")) == np.asarray(two[0])).all((0, 2))
    assert kept[35:].all() and not kept[:15].any()
    ImageOps.pad(two[0], (50, 50)).save(mask)
    assert main([*paint, "--protect", str(mask)]) == 2 and "the mask is 50×50 px" in capsys.readouterr().err
    assert main([*paint, "--protect", str(tmp_path / "none.png")]) == 2 and "no such file" in capsys.readouterr().err
