"""The live camera's frames: what comes, what is painted of it, how fast, and by which norms."""

import base64
import io
import time
from types import SimpleNamespace

import numpy as np
import pytest
from gradio.data_classes import ImageData
from PIL import Image

import zoo
from space import camera
from space.camera import ENOUGH, Live, Pace
from space.counts import COUNTS
from zoo.errors import PhotoError, StyleNotFoundError
from zoo.images import open_photo

BEGUN = Pace()
NOBODY = SimpleNamespace(session_hash="a", request=None)


def jpeg(photo, size) -> bytes:
    """A frame as a browser sends it, decoded."""
    file = io.BytesIO()
    open_photo(photo, size).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def frame(photo) -> bytes:
    return jpeg(photo, 320)


@pytest.fixture
def quick(monkeypatch):
    """Painting takes no time, and turns its photo upside down."""
    painted = lambda photo, style, norms: {norm: zoo.engine.painting.Painted(photo.rotate(180), 0.0) for norm in norms}  # noqa: E731
    monkeypatch.setattr(camera, "paint_on_gpu", painted)


def paced(seconds, norms=1, count=20, pace=BEGUN):
    """So many frames that took so long, one after the other."""
    for _ in range(count):
        began = pace.frames[-1][0] if pace.frames else 100.0
        pace = pace.after(began, began + seconds, norms)
    return pace


def test_frames_come_and_go_as_data(frame, tmp_path):
    live = Live()
    assert live.preprocess(ImageData(url=camera.START + base64.b64encode(frame).decode())) == frame
    assert live.preprocess(None) is None and live.postprocess(None) is None
    sent = live.postprocess(Image.new("RGB", (64, 48), "orange"))
    assert sent.path is None  # no file is written of it
    back = Image.open(io.BytesIO(live.preprocess(sent)))
    assert back.format == "JPEG" and back.size == (64, 48)
    assert np.abs(np.asarray(back, int) - (255, 165, 0)).max() < 4


@pytest.mark.parametrize("payload", [{"path": "/etc/hostname"}, {"url": "http://127.0.0.1/"}, {"url": "data:text/html,"}, {}])
def test_a_frame_comes_from_a_camera_alone(payload):
    with pytest.raises(PhotoError, match="camera"):
        Live().preprocess(ImageData(**payload))


def test_a_frame_is_painted_as_a_photo(photo):
    before, frame = COUNTS.read().pictures["frame"], jpeg(photo, 96)
    style, painted = camera.paint_frame(frame, "starry-night", True)
    photo = open_photo(io.BytesIO(frame))
    assert list(painted) == ["batch", "instance"] and style.slug == "starry-night"
    for norm, one in painted.items():
        expected = zoo.stylize(photo, style, norm)
        assert np.abs(np.asarray(one.image, int) - np.asarray(expected, int)).max() <= 1
    assert list(camera.paint_frame(frame, "starry-night", False)[1]) == ["instance"]
    assert COUNTS.read().pictures["frame"] == before + 3


@pytest.mark.parametrize("name", ["no-such", "../etc", None])
def test_only_a_style_of_the_zoo_paints_it(frame, name):
    with pytest.raises(StyleNotFoundError):
        camera.paint_frame(frame, name, False)


def test_both_norms_are_shown_where_they_keep_enough_frames_a_second():
    assert paced(0.85 / ENOUGH / 2).both and not paced(1.1 / ENOUGH / 2).both
    assert not paced(0.01, count=5).both  # too early to tell
    both = paced(0.85 / ENOUGH / 2)
    assert paced(1.1 / ENOUGH, norms=2, pace=both).both  # what is shown does not come and go about the limit
    assert not paced(1.3 / ENOUGH, norms=2, pace=both).both
    once = both.after(both.frames[-1][0], both.frames[-1][0] + 1.9, 2)  # a style was loaded
    assert once.both


def test_the_rate_is_that_of_the_last_frames():
    assert Pace().rate is None and paced(0.1, count=1).rate is None
    assert paced(0.1).rate == pytest.approx(10)
    assert paced(0.2, pace=paced(0.1)).rate == pytest.approx(5)
    before = paced(0.1)
    stopped = before.after(before.frames[-1][0] + 60, before.frames[-1][0] + 60.1, 1)  # and begun again
    assert stopped.rate is None and len(stopped.frames) == 1


def test_the_page_shows_pictures_rate_and_style(frame, quick):
    pace = Pace()
    for _ in range(12):
        left, right, line, pace = camera.live(frame, "starry-night", True, pace, NOBODY)
        time.sleep(0.002)
    assert pace.both and left["visible"] and left["value"].size == right.size == (256, 256)
    assert "frames a second" in line and "256×256 px" in line and "Starry Night" in line and "one norm" not in line
    slow = Pace(tuple((time.monotonic() - 2 + 0.1 * i, 1.0) for i in range(20)))
    left, right, line, _ = camera.live(frame, "starry-night", True, slow, NOBODY)
    assert not left["visible"] and left["value"] is None and right.size == (256, 256) and "one norm" in line


def test_what_nobody_sees_is_not_painted(frame, monkeypatch):
    monkeypatch.setattr(camera, "paint_frame", None)
    for given in ((frame, "starry-night", False), (None, "starry-night", True)):
        assert all(shown == {"__type__": "update"} for shown in camera.live(*given, Pace(), NOBODY))


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [(b"GIF89a", "udnie", "cannot read"), (b"\xff\xd8\xff\xe0", "udnie", "cannot read"), (b"", "gone", "no style")],
)
def test_a_frame_that_cannot_be_painted_ends_no_stream(quick, data, name, words):
    left, right, line, pace = camera.live(data, name, True, BEGUN, NOBODY)
    assert left == right == {"__type__": "update"} and pace == BEGUN and words in line
