"""The real page in a real browser, as a visitor uses it."""

import io
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from PIL import ExifTags, Image
from playwright.sync_api import TimeoutError, expect

from space import actions, events, opening
from space.words import as_hung
from tests.browser.acts import clear, paint_small, png, shown, upload, wait_for_pictures
from tests.browser.conftest import on_a_phone
from tests.conftest import size_of
from zoo.catalog import photo_styles

pytestmark = pytest.mark.slow


def test_a_visitor_sees_a_comparison_at_once(tab):
    picture = Image.open(opening.PICTURES["instance"])
    wait_for_pictures(tab, *picture.size)
    expect(tab.locator("#captions")).to_contain_text("Batch norm")
    expect(tab.locator("#captions")).to_contain_text("eval mode")
    box = tab.locator("#comparison").bounding_box()
    assert box["y"] < tab.viewport_size["height"] / 2  # above the fold, on a phone too
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
    assert not tab.outside and not tab.complaints


def test_upload_compare_download(tab, tmp_path):
    tab.locator("#size").get_by_text("256 px").click()
    clear(tab)
    started = time.monotonic()
    upload(tab, "mandel.png", png(640, 480))
    expect(tab.locator("#info")).to_contain_text("256×192 px · batch norm", timeout=60_000)
    wait_for_pictures(tab, 256, 192)
    assert time.monotonic() - started < 20
    sources = tab.locator("#comparison img").evaluate_all("images => images.map(i => i.src)")
    assert sources[0] != sources[1]
    for norm in ("batch", "instance"):
        with tab.expect_download() as waiting:
            tab.locator(f"#save-{norm}").click()
        saved = tmp_path / f"{norm}.png"
        waiting.value.save_as(saved)
        assert waiting.value.suggested_filename.endswith(f"-{norm}.png")
        assert size_of(saved) == (256, 192)
    for name, ending in (("JPEG", "jpg"), ("WebP", "webp")):
        tab.locator("#format").get_by_text(name, exact=True).click()
        until, kept = time.monotonic() + 30, ""
        while not kept.endswith(f"-instance.{ending}"):  # nothing on the page shows when it is there
            assert time.monotonic() < until, kept
            with suppress(TimeoutError):  # of a click that came as the button went off
                with tab.expect_download(timeout=3000) as waiting:
                    tab.locator("#save-instance").click()
                kept = waiting.value.suggested_filename
        with Image.open(waiting.value.path()) as image:
            assert image.format == name.upper() and "Starry Night" in image.getexif()[ExifTags.Base.ImageDescription]
    assert tab.locator("#comparison img").evaluate_all("images => images.map(i => i.src)") == sources  # as it was painted
    assert not tab.outside and not tab.complaints


@on_a_phone
def test_what_can_be_kept_follows_what_is_seen(tab, monkeypatch):
    """As it takes longer to encode; nobody gets the last picture meanwhile, nor none because they stop painting then."""
    go_on, save = threading.Event(), events.save_result
    monkeypatch.setattr(events, "save_result", lambda *a, format="PNG", **k: (
        format == "PNG" and go_on.wait(60), save(*a, format=format, **k))[1])  # fmt: skip
    tab.locator("#size").get_by_text("original").click()
    wait_for_pictures(tab, 768, 512)
    kept = tab.locator("#save-instance")
    expect(kept).to_be_disabled()
    tab.locator("#stop").click()
    go_on.set()
    expect(kept).to_be_enabled(timeout=30_000)
    with tab.expect_download() as waiting:
        kept.click()
    assert size_of(waiting.value.path()) == (768, 512)


SMALL = """() => [...document.querySelectorAll('.gradio-container *')].filter(e => e.offsetParent
    && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && parseFloat(getComputedStyle(e).fontSize) < 12)
    .map(e => e.textContent)"""


def test_no_text_is_under_12_px(tab):
    assert tab.evaluate(SMALL) == []


def test_the_line_can_be_dragged(tab):
    handle = tab.locator("#comparison .outer").first
    handle.wait_for()
    tab.locator("#comparison").scroll_into_view_if_needed()
    before = handle.bounding_box()
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x - 80, y, steps=4)
    tab.mouse.up()
    assert handle.bounding_box()["x"] < before["x"] - 40


def test_examples_and_styles_are_pictures_to_pick(tab):
    tab.locator("#examples button, #examples .gallery-item").nth(1).click()
    tab.locator("#size").get_by_text("256 px").click()
    styles = tab.locator("#styles button.thumbnail-item")
    assert styles.count() == len(photo_styles())
    last = as_hung(photo_styles())[-1]
    styles.last.click()  # paints at once, with the style just picked
    expect(tab.locator("#about")).to_contain_text(last.title)
    expect(tab.locator("#info")).to_contain_text("256×", timeout=60_000)
    expect(styles.last).to_have_attribute("title", last.title)  # which its caption cuts
    expect(tab.locator("#painting")).to_be_visible(visible=last.picture("painting") is not None)
    expect(tab.locator("#no-painting")).to_be_visible(visible=last.picture("painting") is None)
    with tab.expect_download() as waiting:
        tab.locator("#save-instance").click()
    assert last.slug in waiting.value.suggested_filename


@on_a_phone
@pytest.mark.parametrize("content", [b"this is no picture", png(640, 480)[:3000]])
def test_a_bad_file_gets_a_message(tab, content):
    clear(tab)
    upload(tab, "broken.png", content)
    expect(tab.locator(".toast-body")).to_contain_text("cannot read broken.png as a picture", timeout=30_000)
    assert not tab.complaints


@pytest.fixture
def held(monkeypatch):
    """Painting in chosen styles waits until it is let go; `held[slug]` are (it has begun, let it go)."""
    found, paint = {}, actions.paint_on_gpu

    def wait(photo, style, norms, manner):
        if style.slug in found:
            begun, let_go = found[style.slug]
            begun.set()
            assert let_go.wait(30)
        return paint(photo, style, norms, manner)

    monkeypatch.setattr(actions, "paint_on_gpu", wait)
    yield found
    for _, let_go in found.values():
        let_go.set()


@on_a_phone
def test_a_style_picked_while_another_paints_wins(tab, held, asked):
    """And its name never stands over another's picture, nor the other's picture there at all (issue 13, item 3)."""
    styles = as_hung(photo_styles())
    paint_small(tab, asked)
    tiles, before = tab.locator("#styles button.thumbnail-item"), shown(tab)
    for place in (1, 2):
        held[styles[place].slug] = threading.Event(), threading.Event()
    (begun, let_go), (next_begun, let_next_go) = (held[styles[place].slug] for place in (1, 2))
    tiles.nth(1).click()
    assert begun.wait(20) and asked.get(timeout=20) == styles[1].slug
    tiles.nth(2).click()
    assert asked.get(timeout=20) == styles[2].slug
    let_go.set()
    assert next_begun.wait(20)
    assert shown(tab) == before  # the first picture keeps its own caption until there is another
    let_next_go.set()
    expect(tab.locator("#about")).to_contain_text(styles[2].title, timeout=30_000)
    pictures, _ = shown(tab)
    assert all(styles[2].slug in picture for picture in pictures)
    with tab.expect_download() as waiting:
        tab.locator("#save-instance").click()
    assert styles[2].slug in waiting.value.suggested_filename
    assert not tab.complaints


@on_a_phone
def test_button_slider_and_picker_are_one_event(tab, held, asked):
    """A faded photo that was painted earlier does not come back over a newer choice (issue 13, item 3)."""
    styles = as_hung(photo_styles())
    paint_small(tab, asked)
    held[styles[0].slug] = begun, let_go = threading.Event(), threading.Event()
    number = tab.locator("#contrast input[type=range]")
    number.focus()
    number.press("ArrowLeft")
    number.dispatch_event("pointerup")
    assert begun.wait(20)
    assert asked.get(timeout=20) == styles[0].slug
    tab.locator("#styles button.thumbnail-item").nth(1).click()
    assert asked.get(timeout=20) == styles[1].slug
    let_go.set()
    expect(tab.locator("#about")).to_contain_text(styles[1].title, timeout=30_000)
    tab.wait_for_timeout(500)
    pictures, about = shown(tab)
    assert all(styles[1].slug in picture for picture in pictures) and styles[1].title in about


def mean_colour(tab, which):
    """Of a side of the slider, as the page got it."""
    data = tab.request.get(tab.locator("#comparison img").nth(which).get_attribute("src")).body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float).mean((0, 1))


def test_three_taps_from_the_page_to_a_kept_picture_of_one_s_own(tab):
    """The photo is picked, a tile of the wall is tapped, the picture is kept (issue 16)."""
    before = tab.locator("#styles img").evaluate_all("images => images.map(i => i.src)")
    contrast = tab.locator("#contrast input[type=number]")
    expect(contrast).to_have_value(str(opening.CONTRAST))  # a hazy day, and the line between its pictures
    expect(tab.locator("#comparison img")).to_have_count(2)
    upload(tab, "mandel.png", png(640, 480))  # one
    expect(contrast).to_have_value("100")  # one's own photo begins as it is
    tab.wait_for_function(
        "before => { const i = [...document.querySelectorAll('#styles img')].map(x => x.src);"
        "return i.length === before.length && i.every((x, k) => x !== before[k]) }",
        arg=before,
        timeout=60_000,
    )  # the wall shows their own photo
    tab.locator("#styles button.thumbnail-item").nth(1).click()  # two
    expect(tab.locator("#about")).to_contain_text(as_hung(photo_styles())[1].title, timeout=60_000)
    with tab.expect_download() as waiting:
        tab.locator("#save-instance").click()  # three
    assert waiting.value.suggested_filename.startswith("mandel-")
    if tab.viewport_size["width"] < 640:
        tab.evaluate("scrollTo(0, 0)")
        bottom = tab.locator("#styles").bounding_box()
        assert bottom["y"] + bottom["height"] < tab.viewport_size["height"]  # result and wall in one screen
    assert not tab.outside and not tab.complaints


@on_a_phone
def test_the_photo_at_the_left_its_colours_and_less_paint(tab):
    tab.locator("#size").get_by_text("256 px").click()
    expect(tab.locator("#info")).to_contain_text("256×", timeout=60_000)
    tab.locator("#more").get_by_text("More").click()
    tab.locator("#left").get_by_text("my photo").click()
    expect(tab.locator("#captions")).to_contain_text("Your photo", timeout=30_000)
    photo, painted = mean_colour(tab, 0), mean_colour(tab, 1)
    shown_before = tab.locator("#comparison img").nth(1).get_attribute("src")
    tab.locator("#keep-colours input").check()
    expect(tab.locator("#comparison img").nth(1)).not_to_have_attribute("src", shown_before, timeout=30_000)
    hue = lambda rgb: (rgb - rgb.mean()) / 255  # noqa: E731
    assert np.abs(hue(mean_colour(tab, 1)) - hue(photo)).max() < 0.25 * np.abs(hue(painted) - hue(photo)).max()
    assert not tab.complaints
