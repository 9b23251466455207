"""The page's actions as plain functions."""

import re

import gradio as gr
import numpy as np
import pytest
from PIL import Image

import zoo
from space import actions
from zoo.catalog import list_styles
from zoo.errors import ConfigError, PhotoError, StyleFolderError, StyleNotFoundError, ZooError


@pytest.fixture
def style():
    return list_styles()[0]


def test_both_norms_paint_the_same_photo_at_the_same_size(photo, style):
    painted = actions.paint_both(str(photo), style.slug, 128)
    assert list(painted) == ["batch", "instance"]
    assert all(one.image.size == (128, 128) and one.seconds > 0 for one in painted.values())
    expected = zoo.stylize(photo, style, "batch", size=128)
    assert np.array_equal(np.asarray(painted["batch"].image), np.asarray(expected))
    assert re.match(
        r"128×128 px · batch norm \d+\.\d\d s · instance norm \d+\.\d\d s · on (CPU|GPU)", actions.describe(painted)
    )


def test_a_size_beyond_the_photo_keeps_the_photos_own(photo, style):
    assert actions.paint_both(str(photo), style.slug, 2048)["instance"].image.size == (512, 512)


def test_progress_is_told(photo, style):
    told = []
    actions.paint_both(str(photo), style.slug, 64, progress=lambda done, desc, unit: told.append((done, desc)))
    assert told == [((0, 2), "painting with batch norm"), ((1, 2), "painting with instance norm")]


def test_bad_requests(photo, style, monkeypatch, small_pair):
    with pytest.raises(PhotoError, match="upload one"):
        actions.paint_both(None, style.slug, 64)
    for size in (None, 31, 4096):
        with pytest.raises(ConfigError, match=r"32\.\.2048"):
            actions.paint_both(str(photo), style.slug, size)
    for slug in ("no-such", str(small_pair), "../zoo/styles"):
        with pytest.raises(StyleNotFoundError, match=style.slug):
            actions.paint_both(str(photo), slug, 64)
    (small_pair / "batch" / "config.json").unlink()
    with pytest.raises(StyleFolderError, match="no batch-norm"):
        actions.paint(Image.open(photo), zoo.find(small_pair), "batch")


def test_library_errors_become_messages():
    with pytest.raises(gr.Error, match="what and why"), actions.plain_errors():
        raise ZooError("what and why")


def test_about_tells_painting_and_figures(style):
    text = actions.about(style)
    assert style.title in text and style.painting["author"] in text
    found = style.metrics["held_out"]["256"]
    assert f"{found['instance']['objective'] / found['photo']['objective']:.1%}" in text


def test_the_clearest_comparison_comes_first(small_pair):
    styles = actions.clearest_first([zoo.find(small_pair), *list_styles()])
    leads = [found["instance"] / found["batch"] for found in map(actions.shares, styles[:-1])]
    assert leads == sorted(leads) and styles[-1].slug == "small-pair"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("cannot read /srv/a b/alice--x/config.json: no", "cannot read a b/alice--x/config.json: no"),
        ("/srv/styles/a/config.json: [Errno 13] '/srv/styles/a/config.json'", "config.json: [Errno 13] 'config.json'"),
        ("cannot read C:\\Users\\me\\a.json: no", "cannot read a.json: no"),
        ("a/x@main: see https://hub.example.org/a/x, 1/2 and/or", "a/x@main: see https://hub.example.org/a/x, 1/2 and/or"),
    ],
)
def test_errors_of_the_page_name_files_without_their_place(error, shown):
    """(issue 13, item 27)"""
    with pytest.raises(gr.Error) as caught, actions.plain_errors():
        raise ConfigError(error)
    assert caught.value.message == shown


def test_a_style_of_few_bytes_may_take_gigabytes_and_is_refused(photo, tmp_path, monkeypatch):
    """Of the texture network, six times as wide as its width says; at a size that fits it is painted (issue 13, item 33)."""
    zoo.save(zoo.create(architecture="texture", width=32), tmp_path / "wide")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path))
    monkeypatch.setenv("MISSING_INGREDIENT_MEMORY", "500M")
    with pytest.raises(PhotoError, match=r"512×512 px would take 1\.\d GiB .* 0\.5 GiB"):
        actions.paint_both(str(photo), "wide", 512)
    assert actions.paint_both(str(photo), "wide", 128)["instance"].image.size == (128, 128)
