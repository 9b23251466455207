"""The page's actions as plain functions."""

import json
import re
import threading
import time

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

import zoo
from space import actions, asked, words
from space.turns import Superseded, Visit
from zoo.catalog import list_styles, photo_styles
from zoo.engine.painting import Manner, Painted
from zoo.errors import ConfigError, PhotoError, StyleFolderError, StyleNotFoundError, ZooError
from zoo.images import open_photo
from zoo.painter import Painter
from zoo.style import style_at


@pytest.fixture
def style():
    return list_styles()[0]


def test_both_norms_paint_the_same_photo_at_the_same_size(photo, style):
    done = actions.compare(str(photo), style.slug, 128)
    assert list(done.painted) == ["batch", "instance"] and done.style == style
    assert all(one.image.size == (128, 128) and one.seconds > 0 for one in done.painted.values())
    assert np.array_equal(np.asarray(done.picture("batch")), np.asarray(zoo.stylize(photo, style, "batch", size=128)))
    assert re.match(
        r"128×128 px · batch norm \d+\.\d\d s · instance norm \d+\.\d\d s · on (CPU by torch|GPU)$", actions.describe(done)
    )


def test_a_size_beyond_the_photo_keeps_the_photos_own(photo, style):
    assert actions.compare(str(photo), style.slug, 2048).picture("instance").size == (512, 512)


def test_bad_requests(photo, style, monkeypatch, small_pair):
    with pytest.raises(PhotoError, match="upload one"):
        actions.compare(None, style.slug, 64)
    for size in (None, 31, 9000):
        with pytest.raises(ConfigError, match=r"32\.\.8192"):
            actions.compare(str(photo), style.slug, size)
    for slug in ("no-such", str(small_pair), "../zoo/styles"):
        with pytest.raises(StyleNotFoundError, match=style.slug):
            actions.compare(str(photo), slug, 64)
    (small_pair / "batch" / "config.json").unlink()
    with pytest.raises(StyleFolderError, match="no batch-norm"):
        actions.paint(str(photo), zoo.find(small_pair), ("batch",), 64)


def test_library_errors_become_messages():
    with pytest.raises(gr.Error, match="what and why"), actions.plain_errors():
        raise ZooError("what and why")


def test_about_tells_painting_and_figures(style):
    text = words.about(style)
    assert style.title in text and style.painting["author"] in text
    found = {name: each["mean"] for name, each in style.metrics["errors"].items() if name in ("photo", "batch", "instance")}
    for norm in ("batch", "instance"):
        assert f"{found[norm]['style'] / found['photo']['style']:.0%}" in text and f"{found[norm]['content']:.2f}" in text
    tests = style.metrics["robustness"]["256"]
    for norm in ("batch", "instance"):
        share = f"{tests[norm]['contrast']['0.25']['share']:.0%}"
        assert (share if share != "100%" else "**all** of it") in text.partition("<details>")[0]


@pytest.mark.parametrize("name", ["photo", "batch"])
def test_a_photo_that_is_the_painting_has_no_share(small_pair, name):
    """Its objective is 0, by which nothing can be divided. (issue 13, item 34)"""
    figures = {norm: {"content": 1.0, "style": 1.0, "objective": 1.0} for norm in ("photo", "batch", "instance")}
    figures[name] = {"content": 0.0, "style": 0.0, "objective": 5e-324}
    record = {**figures, "photos": ["a.jpg"], "command": "c", "machine": "m"}
    (small_pair / "metrics.json").write_text(json.dumps({"held_out": {"256": record}}))
    assert words.objective_in_words(zoo.find(small_pair)) == "" == words.faded_in_words(zoo.find(small_pair))
    assert "<br>" not in words.about(zoo.find(small_pair))


def test_a_style_of_somebody_is_told_of_by_what_was_measured_of_it(small_pair):
    """Its trainer measures the objective, which is quick; the errors are measured by who asks for them."""

    def losses(objective):
        return {"content": 1.0, "style": 1.0, "objective": objective}

    record = {
        "photo": losses(8.0),
        "batch": losses(4.0),
        "instance": losses(1.0),
        "photos": ["a"],
        "command": "c",
        "machine": "m",
    }
    found = {"held_out": {"256": record}}
    (small_pair / "metrics.json").write_text(json.dumps(found))
    assert "falls to 50.0% of the untouched photo's with batch norm, to **12.5%**" in words.about(zoo.find(small_pair))
    record["batch"] = losses(12.0)
    (small_pair / "metrics.json").write_text(json.dumps(found))
    assert "rises to 150.0% of the untouched photo's with batch norm, falls to **12.5%**" in words.about(zoo.find(small_pair))
    found["errors"] = {name: {"mean": {"content": c, "style": s}} for name, c, s in
                       (("photo", 0, 2.0), ("batch", 1.5, 1.0), ("instance", 1.25, 0.5))}  # fmt: skip
    found["robustness"] = {"256": {norm: {"contrast": {"0.25": {"share": share}}} for norm, share in
                                   (("batch", 0.25), ("instance", 0.9999))}}  # fmt: skip
    (small_pair / "metrics.json").write_text(json.dumps(found))
    text = words.about(zoo.find(small_pair))
    plainly, _, figures = text.partition("<details>")
    assert "is 50% with batch norm, **25%**" in figures and "1.50 and 1.25" in figures and "perceptual loss" not in text
    assert "keeps 25% of its contrast" in plainly and "**all** of it" in plainly
    found["errors"]["photo"]["mean"]["style"] = 0.0
    (small_pair / "metrics.json").write_text(json.dumps(found))
    assert "perceptual loss" in words.about(zoo.find(small_pair))


def test_the_pictures_hang_as_somebody_chose_and_strangers_after_them(small_pair):
    styles = words.as_hung([zoo.find(small_pair), *photo_styles()])
    assert tuple(style.slug for style in styles) == (*words.GALLERY, "small-pair")


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


@pytest.mark.slow
def test_a_style_of_few_bytes_may_take_much_and_is_refused(photo, tmp_path, monkeypatch):
    """Of the texture network, six times as wide as its width says; at a size that fits it is painted (issue 13, item 33)."""
    zoo.save(zoo.create(architecture="texture", width=32), tmp_path / "wide")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path))
    monkeypatch.setenv("MISSING_INGREDIENT_MEMORY", "110M")
    with pytest.raises(PhotoError, match=r"512×512 px would take 229 MiB .* 110 MiB"):
        actions.compare(str(photo), "wide", 512)
    assert actions.compare(str(photo), "wide", 128).picture("instance").size == (128, 128)


@pytest.mark.slow
def test_a_picture_of_the_page_has_its_limit_whatever_the_machine_has(photo, tmp_path, monkeypatch):
    """The most expensive style of a stranger holds a visitor's turn for a minute, not for ten (issue 13, items 33 and 40)."""
    zoo.save(zoo.create(architecture="texture", width=48), tmp_path / "wide")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path))
    monkeypatch.setenv("MISSING_INGREDIENT_MEMORY", "900G")
    large = tmp_path / "large.png"
    Image.new("RGB", (2048, 2048)).save(large)
    with pytest.raises(
        PhotoError,
        match=r"2048×2048 px would take too long with this style: choose .* 7\d\d px .*the limit of this page",
    ):
        actions.compare(str(large), "wide", 2048)
    zoo.save(zoo.create(width=64), tmp_path / "broad")
    with pytest.raises(PhotoError, match=r"2048×2048 px would take too long .* 14\d\d px .*the limit of this page"):
        actions.compare(str(large), "broad", 2048)
    monkeypatch.setattr(
        actions, "paint_on_gpu", lambda photo, style, norms, manner: {norm: Painted(photo, 1.0) for norm in norms}
    )
    assert actions.compare(str(large), "starry-night", 2048).photo.size == (2048, 2048)  # the zoo's own fit
    with pytest.raises(PhotoError, match="too long"):
        actions.compare(str(large), "starry-night", 2048, strokes=0.25)


def test_the_wall_is_the_middle_of_the_photo_in_every_style(tmp_path):
    wide = Image.new("RGB", (900, 300), (250, 0, 0))
    wide.paste(Image.effect_mandelbrot((300, 300), (-2, -1.2, 0.8, 1.2), 60).convert("RGB"), (300, 0))
    wide.save(tmp_path / "wide.png")
    styles = list_styles()[:2]
    tiles = actions.wall(str(tmp_path / "wide.png"), styles)
    middle = wide.crop((300, 0, 600, 300)).resize((actions.TILE, actions.TILE), Image.Resampling.LANCZOS)
    for tile, style in zip(tiles, styles, strict=True):
        far = np.abs(np.asarray(tile, float) - np.asarray(zoo.stylize(middle, style), float))
        assert tile.size == (actions.TILE,) * 2 and np.median(far) < 6  # it is reduced in two steps
    with pytest.raises(PhotoError, match="upload one"):
        actions.wall(None, styles)


def test_a_wall_is_hung_again_without_painting_until_a_style_or_the_photo_is_another(photo, small_pair, monkeypatch):
    painted, paint = [], actions._wall_on_gpu
    monkeypatch.setattr(actions, "_wall_on_gpu", lambda tile, styles: painted.append(len(styles)) or paint(tile, styles))
    styles = [*list_styles()[:1], style_at(small_pair)]
    first = actions.wall(str(photo), styles)
    assert actions.wall(str(photo), styles) == first and painted == [2]
    assert actions.wall(str(photo), styles[:1]) == first[:1] and painted == [2, 1]
    assert actions.wall(str(photo.with_name("raccoon.jpg")), styles) != first and painted == [2, 1, 2]
    torch.manual_seed(1)
    zoo.save(zoo.create(width=2, residual_blocks=1), small_pair)  # trained anew
    again = actions.wall(str(photo), styles)
    assert again[0] == first[0] and again[1] != first[1] and painted == [2, 1, 2, 2]


def test_a_damaged_style_leaves_the_others_their_tiles(photo, small_pair):
    (small_pair / "model.safetensors").write_bytes(b"damaged")
    styles = list_styles()[:2]
    tiles = actions.wall(str(photo), [styles[0], style_at(small_pair), styles[1]])
    assert tiles[1] == ImageOps.fit(open_photo(photo, 4 * actions.TILE), (actions.TILE,) * 2, Image.Resampling.LANCZOS)
    assert [tiles[0], tiles[2]] == actions.wall(str(photo), styles)


def test_what_was_painted_is_finished_without_painting_again(photo, style, monkeypatch):
    first = actions.compare(str(photo), style.slug, 96)
    monkeypatch.setattr(actions, "paint_on_gpu", lambda *request: pytest.fail("painted again"))
    again = actions.compare(str(photo), style.slug, 96)
    assert again is first
    half = np.asarray(again.picture("instance", actions.Finish(0.5)), float)
    wanted = (np.asarray(again.photo, float) + np.asarray(again.picture("instance"), float)) / 2
    assert np.abs(half - wanted).max() <= 1
    with pytest.raises(ConfigError, match="strength"):
        actions.Finish(None)


def test_few_comparisons_are_kept_and_none_of_other_weights(photo, style, small_pair, monkeypatch):
    kept, one = actions.Kept(most=2), actions.compare(str(photo), style.slug, 64)
    for name in "abc":
        kept.put(name, one)
    assert kept.get("a") is None and kept.get("b") is one
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    first = actions.compare(str(photo), small_pair.name, 64)
    zoo.save(zoo.create(width=2, norm="instance"), small_pair)
    again = actions.compare(str(photo), small_pair.name, 64)
    assert again is not first and again.picture("instance").tobytes() != first.picture("instance").tobytes()


def test_what_is_kept_is_not_shown_to_who_wants_it_no_more(photo, style):
    actions.compare(str(photo), style.slug, 64)
    with pytest.raises(Superseded):
        actions.compare(str(photo), style.slug, 64, visit=Visit("a", lambda: False))


def test_both_norms_tell_one_share(photo, small_pair, monkeypatch):
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    told = []
    actions.compare(str(photo), small_pair.name, 512, visit=Visit("a", tell=told.append))
    assert len(told) > 2 and told == sorted(told) and told[-1] == 1
    assert any(0 < share < 0.5 for share in told) and any(0.5 < share < 1 for share in told)


def test_a_painting_that_is_stopped_ends_in_the_middle(photo, small_pair, monkeypatch):
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    told = []
    with pytest.raises(Superseded):
        actions.compare(str(photo), small_pair.name, 512, 0.9, visit=Visit("a", lambda: len(told) < 2, told.append))
    assert told[-1] < 0.75


def test_finer_strokes_on_the_page_are_those_of_the_library(photo, small_pair, monkeypatch):
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    done = actions.compare(str(photo), small_pair.name, 128, strokes=0.5)
    wanted = Painter().paint(photo, zoo.find(small_pair), ("instance",), 128, Manner(strokes=0.5))["instance"].image
    assert done.picture("instance") == wanted and done.photo.size == (128, 128)
    with pytest.raises(ConfigError, match=r"0\.25 to 4"):
        actions.compare(str(photo), small_pair.name, 128, strokes=True)


@pytest.mark.slow
def test_a_large_picture_leaves_others_their_turns(tmp_path, photo, style):
    """Two visitors want theirs at once: one waits for the other, everybody else is painted meanwhile."""
    large = tmp_path / "large.jpg"
    Image.effect_mandelbrot((1800, 1200), (-2, -1.2, 0.8, 1.2), 40).convert("RGB").save(large)
    began, ends = threading.Event(), {}

    def paint(who: str) -> None:
        done = actions.compare(str(large), style.slug, asked.MAX_SIZE, visit=Visit(who, tell=lambda share: began.set()))
        ends[who] = time.monotonic(), done.picture("instance").size

    threads = [threading.Thread(target=paint, args=(who,)) for who in "ab"]
    for thread in threads:
        thread.start()
    assert began.wait(120)
    for who in "cd":
        actions.compare(str(photo), style.slug, 256, 0.5, visit=Visit(who))
    quick = time.monotonic()
    for thread in threads:
        thread.join(300)
    assert all(size == (1800, 1200) and end > quick for end, size in ends.values()) and len(ends) == 2
