"""The tab "Textures": tiles without a seam, each seed another, nothing else."""

import numpy as np
import pytest
from PIL import Image

import zoo
from space import actions, textures, ui
from space.counts import COUNTS
from space.textures import lay, make_tile
from zoo.catalog import list_styles
from zoo.errors import ConfigError, StyleNotFoundError

SLUG = "starry-night-texture"


def across(pixels: np.ndarray, axis: int) -> np.ndarray:
    """How far neighbouring rows or columns differ in the mean, the last one from the first at the end."""
    steps = np.abs(pixels - np.roll(pixels, -1, axis))
    return steps.mean(axis=(1 - axis, 2))


def test_a_tile_goes_on_over_its_edge_as_it_does_inside():
    pixels = np.asarray(make_tile(SLUG, "instance", 256, 0)[0], float)
    for axis in (0, 1):
        steps = across(pixels, axis)
        assert steps[-1] <= steps[:-1].max()
        assert across(pixels[:200, :200], axis)[-1] > steps[:-1].max()  # of a cut, which wraps nowhere


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_the_seed_decides_and_it_is_the_library_s_tile(norm):
    before = COUNTS.read().pictures["texture"]
    (one, style), (again, _), (other, _) = (make_tile(SLUG, norm, 256, seed) for seed in (3, 3, 4))
    assert one.tobytes() == again.tobytes() == zoo.texture(SLUG, 256, 3, norm).tobytes() != other.tobytes()
    assert one.size == (256, 256) and style.slug == SLUG and COUNTS.read().pictures["texture"] == before + 3


def test_four_tiles_are_laid_edge_to_edge():
    tile = Image.effect_mandelbrot((256, 256), (-2, -1.2, 0.8, 1.2), 60).convert("RGB")
    assert (np.asarray(lay(tile)) == np.tile(np.asarray(tile), (2, 2, 1))).all()
    assert lay(tile.resize((1024, 1024))).size == (1024, 1024)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((SLUG, "instance", 512, -1), "seed"),
        ((SLUG, "instance", 512, 2**32), "seed"),
        ((SLUG, "instance", 512, 0.5), "seed"),
        ((SLUG, "instance", 512, None), "seed"),
        ((SLUG, "instance", 4096, 0), "side"),
        ((SLUG, "instance", 256.0, 0), "side"),
        ((SLUG, "instance", [256], 0), "side"),
        ((SLUG, "group", 256, 0), "norm"),
        (("starry-night", "instance", 256, 0), "no seamless texture"),
    ],
)
def test_what_makes_no_tile_is_refused(given, words):
    with pytest.raises(ConfigError, match=words):
        make_tile(*given)


def test_a_path_is_no_style(tmp_path):
    zoo.save(zoo.create(architecture="synthesis", width=2, padding="circular"), tmp_path / "tiles")
    with pytest.raises(StyleNotFoundError):
        make_tile(str(tmp_path / "tiles"), "instance", 256, 0)


def test_a_style_too_wide_for_the_page_is_refused_before_it_waits(monkeypatch, tmp_path):
    zoo.save(zoo.create(architecture="synthesis", width=64, padding="circular"), tmp_path / "wide")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path))
    monkeypatch.setattr(textures, "_on_gpu", lambda *_: pytest.fail("it is painted"))
    with pytest.raises(zoo.ZooError, match="memory"):
        make_tile("wide", "instance", 1024, 0)


@pytest.fixture
def shown(monkeypatch):
    """The styles that the tab is built with, and what it is built of instead."""
    found = []
    monkeypatch.setattr(textures, "add_tab", lambda tab, styles: found.extend(style.slug for style in styles))
    return found


def test_the_tab_has_the_styles_that_make_tiles_those_of_visitors_too(monkeypatch, tmp_path, small_pair, shown, capsys):
    zoo.save(zoo.create(architecture="synthesis", width=2, padding="circular"), tmp_path / "mine")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path))
    ui.build_demo().close()
    assert shown == ["mine", SLUG] and "left out" not in capsys.readouterr().err


@pytest.mark.slow
def test_without_such_a_style_the_tab_says_how_to_train_one(monkeypatch):
    none = [style for style in list_styles() if style.takes_photo]
    monkeypatch.setattr(ui, "sound_styles", lambda: (none, []))
    demo = ui.build_demo()
    said = [block.value for block in demo.blocks.values() if getattr(block, "elem_id", None) == "no-textures"]
    demo.close()
    assert len(said) == 1 and "--recipe texture" in said[0]


def test_others_wait_their_turn(monkeypatch):
    """As with everything that is painted: a visitor has so many places, and no more."""
    monkeypatch.setattr(actions, "TURNS", actions.Turns(at_once=1, places=1, places_of_all=1))
    with actions.TURNS.turn(actions.Visit("one")), pytest.raises(zoo.ZooError, match="try again"):
        make_tile(SLUG, "instance", 256, 0, actions.Visit("other"))
