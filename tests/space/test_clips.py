"""Clips: painted with their sound within limits, ended when nobody waits for them, and nothing left of them."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import FileData
from PIL import Image

import zoo
from space import actions, clips
from space.languages import t
from space.turns import Superseded, Visit
from zoo.engine.painting import Painted
from zoo.errors import ConfigError, StyleNotFoundError, VideoError, ZooError
from zoo.film import Film

pytest.importorskip("av")
from tests.zoo.films import planes, read, sound_of, write_film
from zoo.video import Facts, look

VISITOR = SimpleNamespace(session_hash="someone", request=None)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """That of uploads and results, with a clip in it."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    write_film(tmp_path / "holiday.mp4")
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Painting takes no time, and changes nothing."""
    monkeypatch.setattr(clips, "frames_on_gpu", lambda frames, style: [Painted(frame, 0.0) for frame in frames])


def parts(folder: Path) -> list[Path]:
    """What lies there of clips that are being painted."""
    return list(folder.glob("clip-*"))


def test_a_clip_is_painted_with_its_sound(folder):
    told = []
    where = Path(clips.paint_clip(str(folder / "holiday.mp4"), "starry-night", 256, tell=lambda *far: told.append(far)))
    assert where.name == "holiday-starry-night.mp4" and folder in where.parents and parts(folder) == []
    (frames, times), (found, shown) = read(folder / "holiday.mp4"), read(where, "yuv420p")
    assert shown == times and sound_of(where) == sound_of(folder / "holiday.mp4")
    assert told == [(i + 1, 12) for i in range(12)]
    style = actions.find_in_zoo("starry-night")
    first = zoo.stylize(Image.fromarray(frames[0]), style)
    assert np.abs(found[0] - planes(np.asarray(first))).mean() < 3  # but for the encoder's loss


@pytest.mark.slow
def test_a_gpu_is_asked_for_several_frames_at_once(folder, monkeypatch):
    """Which are painted as they are one by one; each is told, and who stops waits for no more than are under way."""
    clip, calls, told, here = str(folder / "holiday.mp4"), [], [], actions.frames_on_gpu
    one_by_one = read(Path(clips.paint_clip(clip, "starry-night", 256)))

    def paint(frames, style):
        calls.append(len(frames))
        return here(frames, style)

    monkeypatch.setattr(clips, "frames_on_gpu", paint)
    monkeypatch.setattr(clips, "painter", lambda: SimpleNamespace(device=SimpleNamespace(type="cuda")))
    monkeypatch.setattr(clips, "AT_ONCE", 5)
    found = read(Path(clips.paint_clip(clip, "starry-night", 256, tell=lambda *far: told.append(far))))
    assert calls == [5, 5, 2] and told == [(i + 1, 12) for i in range(12)]
    assert found[1] == one_by_one[1] and all(np.array_equal(*frames) for frames in zip(found[0], one_by_one[0], strict=True))
    with pytest.raises(Superseded):
        clips.paint_clip(clip, "starry-night", 256, Visit("me", lambda: len(calls) < 4))
    assert calls == [5, 5, 2, 5] and parts(folder) == []


def test_what_may_not_be_is_said(folder, quick):
    clip = str(folder / "holiday.mp4")
    (folder / "notes.mp4").write_text("no film")
    for given, error, words in (
        ((None, "udnie", 256), VideoError, "no clip yet"),
        ((clip, "udnie", 1080), ConfigError, "256, 384, 512 px"),
        ((clip, "udnie", "256"), ConfigError, "256, 384, 512 px"),
        ((clip, "../etc", 256), StyleNotFoundError, "no style"),
        ((str(folder / "notes.mp4"), "udnie", 256), VideoError, "cannot read notes.mp4 as a film"),
    ):
        with pytest.raises(error, match=words):
            clips.paint_clip(*given)
    assert parts(folder) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts((1920, 1080), 16, ["aac"]), "16 seconds: cut it to 15"),
        (Facts((8000, 4000), 5, []), "8000×4000 px"),
        (Facts((1920, 1080), 5, ["aac", "pcm_s16le"]), "pcm_s16le"),
    ],
)
def test_limits(facts, words):
    with pytest.raises(VideoError, match=words):
        clips.check_clip(facts)


def test_what_is_within_limits_may_be_upright_or_silent():
    for facts in (Facts((2160, 3840), 15.2, ["aac"]), Facts((64, 64), 0, []), Facts((64, 64), 1, ["opus"])):
        clips.check_clip(facts)


def test_a_file_that_says_too_little_of_itself_is_stopped(folder, quick, monkeypatch):
    monkeypatch.setattr(clips, "FRAMES", 5)
    with pytest.raises(VideoError, match="more than 5 frames"):
        clips.paint_clip(str(folder / "holiday.mp4"), "udnie", 256)
    assert parts(folder) == []


def test_the_facts_are_the_film_s(folder):
    assert look(Film(folder / "holiday.mp4", folder / "out.mp4")) == Facts((96, 64), 0.426, ["aac"])


@pytest.mark.parametrize("end", [clips.stop, clips.leave])
def test_a_clip_ends_when_it_is_stopped_or_its_visitor_leaves(folder, monkeypatch, end):
    begun, frames = threading.Event(), []

    def paint(photos, style):
        frames.extend(photos)
        if len(frames) == 3:
            assert parts(folder)
            begun.set()
            end(VISITOR)
        return [Painted(photo, 0.0) for photo in photos]

    monkeypatch.setattr(clips, "frames_on_gpu", paint)
    shown = clips.film(str(folder / "holiday.mp4"), "udnie", 256, VISITOR, lambda *args, **keys: None)
    assert begun.is_set() and len(frames) == 3 and parts(folder) == []
    assert all(one == {"__type__": "update"} for one in shown)


def test_another_visitor_s_stop_ends_nothing(folder, quick):
    told = []

    def progress(far, desc, unit):
        clips.stop(SimpleNamespace(session_hash="another"))
        told.append((far, unit))

    painted, save, line = clips.film(str(folder / "holiday.mp4"), "udnie", 256, VISITOR, progress)
    assert Path(painted).is_file() and save.value["path"] == painted and line.startswith("12 frames painted in")
    assert told[0] == ((1, 12), "frames") and told[-1] == ((12, 12), "frames")


def test_others_come_in_between(folder, monkeypatch):
    """A clip waits for its turn with each frame, and does not lose its work when the page is full for a while."""
    monkeypatch.setattr(actions, "TURNS", turns := actions.Turns(at_once=1, places=1, places_of_all=1))
    seen = []

    def paint(photos, style):
        seen.append(len(turns._busy))
        return [Painted(photo, 0.0) for photo in photos]

    monkeypatch.setattr(clips, "frames_on_gpu", paint)
    with turns.turn(Visit("another")):
        ended = threading.Event()
        work = threading.Thread(
            target=lambda: (clips.paint_clip(str(folder / "holiday.mp4"), "udnie", 256, Visit("me")), ended.set())
        )
        work.start()
        assert not ended.wait(0.1) and seen == []
    work.join(10)
    assert ended.is_set() and seen == [1] * 12 and turns._busy == []


def test_one_visitor_s_clips_leave_another_a_turn(folder, monkeypatch):
    """Two of them had both there are, and the others waited in line before everybody's (issue 13, item 40)."""
    begun, let_go = queue.Queue(), threading.Event()

    def paint(frames, style):
        begun.put(threading.current_thread().name)
        assert let_go.wait(30)
        return [Painted(frame, 0.0) for frame in frames]

    monkeypatch.setattr(clips, "frames_on_gpu", paint)
    clip = str(folder / "holiday.mp4")
    with ThreadPoolExecutor(2, "many") as many, ThreadPoolExecutor(1, "single") as single:
        two = [many.submit(clips.paint_clip, clip, "starry-night", 256, Visit("many")) for _ in range(2)]
        assert begun.get(timeout=20).startswith("many")
        other = single.submit(clips.paint_clip, clip, "starry-night", 256, Visit("single"))
        assert begun.get(timeout=20).startswith("single")
        with pytest.raises(ZooError, match="wait until some are done"):
            clips.paint_clip(clip, "starry-night", 256, Visit("many"))  # a third
        let_go.set()
        assert all(Path(one.result(60)).is_file() for one in (*two, other))


def test_who_leaves_waits_no_longer(folder, monkeypatch):
    monkeypatch.setattr(actions, "TURNS", turns := actions.Turns(at_once=1, places=1, places_of_all=1))
    with turns.turn(Visit("another")), pytest.raises(Superseded):
        clips.paint_clip(str(folder / "holiday.mp4"), "udnie", 256, Visit("me", lambda: False))
    assert parts(folder) == []


def test_without_pyav_the_tab_says_so(monkeypatch):
    monkeypatch.setattr(clips, "find_spec", lambda name: None)
    with gr.Blocks() as demo:
        clips.add_clips(gr.State("udnie"))
    (words,) = [block.value for block in demo.blocks.values() if isinstance(block, gr.Markdown)]
    assert words == str(t(clips.LACKING)) and "pip install 'missing-ingredient[video]'" in clips.LACKING and not demo.fns
    with pytest.raises(ConfigError, match=r"pip install 'missing-ingredient\[video\]'"):
        clips.paint_clip("clip.mp4", "udnie", 256)


def test_a_clip_is_an_upload(folder, tmp_path_factory):
    box = clips.ClipBox()
    assert box.preprocess(None) is None and box.postprocess(None) is None
    assert box.preprocess(FileData(path=str(folder / "holiday.mp4"))) == str(folder / "holiday.mp4")
    assert box.postprocess(str(folder / "holiday.mp4")).orig_name == "holiday.mp4"
    with pytest.raises(gr.Error, match="upload the file first"):
        box.preprocess(FileData(path=str(tmp_path_factory.mktemp("elsewhere") / "film.mp4")))


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"), [(0, 9, 1, "painting"), (9, 0, 1, "painting"), (25, 100, 10, "30 s left"),
                                            (10, 100, 40, "6 minutes left")],
)  # fmt: skip
def test_how_long_it_takes_yet(done, total, seconds, words):
    assert clips.left(done, total, seconds) == words
