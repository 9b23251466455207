"""The tab "Video" in a real browser: with its fake camera, without one, and with a clip."""

import threading
import time

import numpy as np
import pytest
from playwright.sync_api import expect

from space import camera, clips
from space.words import NORMS, as_hung
from tests.browser import acts
from tests.browser.conftest import on_a_phone
from zoo.catalog import photo_styles
from zoo.engine.painting import Painted

pytestmark = pytest.mark.slow


def open_tab(tab):
    acts.open_tab(tab, "Video")
    tab.locator("#camera").get_by_text("Webcam").wait_for()


def record(tab):
    """Start or stop the camera, which the visitor allows."""
    tab.context.grant_permissions(["camera"])
    if tab.locator("#camera .capture-button").count() == 0:
        tab.locator("#camera").get_by_text("Webcam").click()
    tab.locator("#camera .capture-button").click()


def wait_for_pictures(tab, count):
    """Until the page has shown so many painted pictures more."""
    tab.evaluate("window.seen = new Set()")
    shown = "count => seen.add(document.querySelector('#live-instance img').src).size > count"
    tab.wait_for_function(shown, arg=count, polling=20, timeout=90_000)


@pytest.fixture
def asked(monkeypatch):
    """What was painted of the camera's frames: (frame, style, whether by both norms)."""
    found, paint = [], camera.paint_frame

    def tell(frame, slug, both, visit):
        found.append((frame, slug, both))
        return paint(frame, slug, both, visit)

    monkeypatch.setattr(camera, "paint_frame", tell)
    return found


def test_the_camera_is_painted_live_and_the_style_changes_meanwhile(tab, asked, monkeypatch):
    monkeypatch.setattr(camera, "ENOUGH", 0.01)  # both, however busy this machine is
    styles = as_hung(photo_styles())
    open_tab(tab)
    record(tab)
    expect(tab.locator("#rate")).to_contain_text("frames a second", timeout=90_000)
    expect(tab.locator("#rate")).to_contain_text(styles[0].title)
    expect(tab.locator("#live-batch img")).to_be_visible(timeout=90_000)
    wait_for_pictures(tab, 3)
    tab.locator("#moving-styles button.thumbnail-item").nth(2).click()
    expect(tab.locator("#rate")).to_contain_text(styles[2].title, timeout=90_000)
    assert {slug for _, slug, _ in asked} == {styles[0].slug, styles[2].slug}
    shown = [tab.locator(f"#live-{norm} img").evaluate("i => [i.src, i.naturalWidth, i.naturalHeight]") for norm in NORMS]
    assert all(source.startswith("data:image/jpeg") and size == [256, 192] for source, *size in shown)
    assert shown[0] != shown[1]
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
    record(tab)
    expect(tab.locator("#camera .capture-button")).to_contain_text("Record")
    tab.wait_for_timeout(1500)
    painted = len(asked)
    tab.wait_for_timeout(1000)
    assert len(asked) == painted
    assert not tab.outside and not tab.complaints


@on_a_phone
def test_the_newest_frame_wins_and_nothing_else_waits(tab, asked, monkeypatch):
    """Frames that come while one is painted are not painted, and the page goes on."""
    posted = []

    def paint(photo, style, norms):
        time.sleep(0.7)
        return {norm: Painted(photo, 0.7) for norm in norms}

    monkeypatch.setattr(camera, "paint_on_gpu", paint)
    tab.on("request", lambda request: posted.append(request.post_data_json) if "/stream/" in request.url else None)
    open_tab(tab)
    record(tab)
    tab.wait_for_function("document.querySelector('#rate').innerText.includes('frames a second')", timeout=90_000)
    asked.clear(), posted.clear()
    tab.wait_for_timeout(6000)
    frames = [camera.Live().preprocess(camera.ImageData(**body["data"][0])) for body in posted]
    places = []
    for frame in (frame for frame, _, _ in asked if frame in frames):  # the same picture may come twice
        places.append(frames.index(frame, places[-1] + 1 if places else 0))  # ValueError: out of order, or painted again
    assert len(places) >= 2 and len(frames) > 2 * len(places)
    assert places == sorted(set(places))
    acts.open_tab(tab, "Compare")
    tab.locator("#size").get_by_text("256 px").click()
    expect(tab.locator("#info")).to_contain_text("256×", timeout=90_000)
    tab.wait_for_timeout(2000)
    seen = len(asked)  # behind another tab nothing is painted
    tab.wait_for_timeout(2500)
    assert len(asked) == seen
    acts.open_tab(tab, "Video")
    tab.wait_for_timeout(3000)
    assert len(asked) > seen


@on_a_phone
def test_the_style_of_the_comparison_is_marked_in_sight_and_named(tab):
    style = as_hung(photo_styles())[9]
    tab.locator("#styles button.thumbnail-item").nth(9).click()
    expect(tab.locator("#about")).to_contain_text(style.title, timeout=60_000)
    open_tab(tab)
    expect(tab.locator("#moving-style")).to_contain_text(style.title)
    expect(tab.locator("#moving-styles .thumbnail-item.selected")).to_have_count(1)
    expect(tab.locator("#moving-styles .thumbnail-item.selected")).to_have_text(style.title)
    expect(tab.locator("#moving-styles .thumbnail-item.selected")).to_be_in_viewport(ratio=0.9)
    tab.locator("#moving-styles .thumbnail-item").nth(8).click()
    expect(tab.locator("#moving-style")).to_contain_text(as_hung(photo_styles())[8].title)


@on_a_phone
def test_a_camera_that_is_refused_or_missing_is_said(tab):
    open_tab(tab)
    expect(tab.locator("#camera-trouble")).to_have_text("")
    tab.locator("#camera").get_by_text("Webcam").click()
    expect(tab.locator("#camera-trouble")).to_contain_text("allow it beside the address")
    expect(tab.locator("#camera-trouble")).to_be_visible()
    tab.evaluate("navigator.mediaDevices.enumerateDevices = async () => []")
    acts.open_tab(tab, "Compare")
    open_tab(tab)
    expect(tab.locator("#camera-trouble")).to_contain_text("no camera")
    record(tab)  # now it is allowed
    expect(tab.locator("#camera-trouble")).to_have_text("")


@pytest.fixture
def clip(tmp_path):
    """A film of 12 frames with sound, and its bytes."""
    pytest.importorskip("av")
    from tests.zoo.films import write_film

    return write_film(tmp_path / "party.mp4", size=(160, 96))


def begin(tab, clip):
    open_tab(tab)
    tab.locator("#clip-size").get_by_text("256 px").click()
    tab.locator("#clip input[type=file]").set_input_files(str(clip))
    tab.locator("#clip video").wait_for(timeout=30_000)
    tab.locator("#paint-clip").click()


@on_a_phone
def test_a_clip_is_painted_played_and_kept(tab, clip, tmp_path):
    from tests.zoo.films import read, sound_of

    begin(tab, clip)
    expect(tab.locator("#clip-line")).to_contain_text("12 frames painted", timeout=90_000)
    video = tab.locator("#painted-clip video")
    video.evaluate("video => { video.muted = true; return video.play() }")
    tab.wait_for_function("document.querySelector('#painted-clip video').currentTime > 0.2", timeout=30_000)
    assert video.evaluate("video => [video.videoWidth, video.videoHeight, video.error]") == [160, 96, None]
    with tab.expect_download() as waiting:
        tab.locator("#save-clip").click()
    assert waiting.value.suggested_filename == "party-starry-night.mp4"
    waiting.value.save_as(tmp_path / "kept.mp4")
    frames, times = read(tmp_path / "kept.mp4")
    assert times == read(clip)[1] and sound_of(tmp_path / "kept.mp4") == sound_of(clip)
    assert np.abs(frames[0].astype(int) - read(clip)[0][0]).mean() > 20  # it is painted
    assert not tab.outside and not tab.complaints


@on_a_phone
def test_a_clip_ends_with_stop_or_with_the_page(tab, clip, monkeypatch):
    frames, let_go = [], threading.Event()

    def paint(photos, style):
        frames.extend(photos)
        let_go.wait(2)
        return [Painted(photo, 0.0) for photo in photos]

    monkeypatch.setattr(clips, "frames_on_gpu", paint)
    begin(tab, clip)
    expect(tab.locator("#painted-clip")).to_contain_text("left", timeout=30_000)
    tab.locator("#stop-clip").click()
    expect(tab.locator("#clip-line")).to_contain_text("Stopped")
    expect(tab.locator("#paint-clip")).to_be_enabled()
    expect(tab.locator("#stop-clip")).to_be_hidden()
    tab.wait_for_timeout(2500)
    seen = len(frames)
    assert seen < 12
    tab.locator("#paint-clip").click()
    tab.wait_for_timeout(2500)
    assert len(frames) > seen
    tab.goto("about:blank")  # the visitor leaves
    time.sleep(3)
    seen = len(frames)
    let_go.set()
    time.sleep(1)
    assert len(frames) <= seen + 1
