"""Films: each frame as `zoo.stylize` paints it, at its time, with the sound as it was; of any length."""

import re
import sys
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tqdm import tqdm

import zoo
from zoo.__main__ import main
from zoo.errors import VideoError
from zoo.film import Film

av = pytest.importorskip("av")
from tests.zoo.films import VARIABLE, planes, read, same, scene, sound_of, write_film  # noqa: E402
from zoo.video import look, paint_film  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "rotation", "keys"),
    [
        (".mp4", 0, {}),
        (".mkv", 90, {}),
        (".mp4", -90, {"sound": None}),
        (".mov", 180, {"times": VARIABLE}),
        (".mkv", 0, {"size": (97, 65), "pixels": "yuv444p", "times": VARIABLE}),
    ],
)
def test_each_frame_is_painted_as_a_photo_and_shown_when_it_was(small_pair, tmp_path, suffix, rotation, keys):
    source = write_film(tmp_path / f"in{suffix}", rotation=rotation, **keys)
    out = tmp_path / f"out{suffix}"
    assert main(["video", str(source), "-s", str(small_pair), "-o", str(out), "--crf", "0"]) == 0
    (frames, times), (found, shown) = read(source), read(out, "yuv420p")
    assert shown == times and len(found) == 12
    for frame, painted in zip(frames, found, strict=True):
        upright = np.rot90(frame, rotation // 90)
        expected = np.asarray(zoo.stylize(Image.fromarray(upright), small_pair))
        h, w = (side // 2 * 2 for side in expected.shape[:2])
        assert painted.shape == (h * 3 // 2, w)
        assert np.abs(painted - planes(expected[:h, :w])).max() <= 1
    if "sound" not in keys:
        assert sound_of(out) == sound_of(source)


def test_the_frames_are_turned_the_right_way(tmp_path):
    """A display matrix turns counter-clockwise."""
    source = write_film(tmp_path / "in.mp4", rotation=90)
    with av.open(source) as file:
        assert next(file.decode(video=0)).rotation == 90
    seen = []
    paint_film(Film(source, tmp_path / "out.mp4"), lambda frame: seen.append(np.asarray(frame)) or frame)
    for i, frame in enumerate(seen):
        turned = scene(i, (96, 64)).transpose(1, 0, 2)[::-1].astype(int)  # its right edge is on top
        assert frame.shape == turned.shape and np.abs(frame - turned).mean() < 4


@pytest.mark.parametrize(("matrix", "reach"), [(1, 1), (1, 2), (6, 1), (5, 2), (2, 0)])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_colours_are_coded_as_they_were(tmp_path, suffix, matrix, reach):
    source = write_film(
        tmp_path / f"in{suffix}", sound=None, colorspace=matrix, color_range=reach, color_primaries=matrix, color_trc=1
    )
    paint_film(Film(source, out := tmp_path / f"out{suffix}", quality=0), same)
    names = ("colorspace", "color_range", "color_primaries", "color_trc")
    with av.open(source) as before, av.open(out) as after:
        assert [getattr(before.streams.video[0].codec_context, name) for name in names] == [
            getattr(after.streams.video[0].codec_context, name) for name in names
        ]
    for a, b in zip(read(source, "yuv420p")[0], read(out, "yuv420p")[0], strict=True):  # the very numbers
        assert np.abs(a.astype(int) - b).mean() < 0.7


def test_webm_says_how_colours_are_coded_and_how_many_frames_a_second(tmp_path):
    """In its header, as VP9 says less."""
    colours = {"colorspace": 1, "color_range": 1, "color_primaries": 9, "color_trc": 1}
    source = write_film(tmp_path / "in.mkv", sound=None, **colours)
    paint_film(Film(source, tmp_path / "out.webm"), same)
    with av.open(tmp_path / "out.webm") as file:
        video = file.streams.video[0]
        assert {name: getattr(video.codec_context, name) for name in colours} == colours
        assert video.name == "vp9" and float(video.average_rate) == pytest.approx(30, rel=0.01)


def test_a_film_in_rgb_and_one_with_oblong_pixels(tmp_path):
    source = write_film(tmp_path / "rgb.mkv", codec="libx264rgb", pixels="rgb24", sound=None)
    paint_film(Film(source, tmp_path / "out.mp4", quality=0), same)
    for a, b in zip(read(source)[0], read(tmp_path / "out.mp4")[0], strict=True):
        assert np.abs(a.astype(int) - b).mean() < 2
    for rotation, shape in ((0, Fraction(4, 3)), (90, Fraction(3, 4))):
        oblong = write_film(tmp_path / "oblong.mp4", rotation=rotation, sample_aspect_ratio=Fraction(4, 3))
        paint_film(Film(oblong, tmp_path / "out.mp4"), same)
        with av.open(tmp_path / "out.mp4") as file:
            assert file.streams.video[0].codec_context.sample_aspect_ratio == shape


def test_size_strength_and_colours(small_pair, tmp_path):
    source = write_film(tmp_path / "in.mkv", size=(96, 72), sound=None)
    options = ["--size", "64", "--strength", "0", "--crf", "0"]
    assert main(["video", str(source), "-s", str(small_pair), "-o", f"{tmp_path}/a.mkv", *options]) == 0
    small = [Image.fromarray(frame).resize((64, 48), Image.Resampling.LANCZOS) for frame in read(source)[0]]
    assert all(np.abs(planes(a) - b).max() <= 1 for a, b in zip(small, read(tmp_path / "a.mkv", "yuv420p")[0], strict=True))
    assert (
        main(["video", str(source), "-s", str(small_pair), "-o", f"{tmp_path}/b.mkv", "--keep-colours", "--norm", "batch"]) == 0
    )
    before, after = (
        np.asarray(Image.fromarray(read(path)[0][0]).convert("YCbCr"), int) for path in (source, tmp_path / "b.mkv")
    )
    assert np.abs(before - after)[..., 1:].mean() < 3 < np.abs(before - after)[..., 0].mean()


def test_a_broadcast_begins_at_zero_and_keeps_its_sound_in_time(tmp_path):
    source = write_film(tmp_path / "in.ts", start=3)
    paint_film(Film(source, tmp_path / "out.mkv"), same)
    times, shown = read(source)[1], read(tmp_path / "out.mkv")[1]
    with av.open(source) as file:
        start = Fraction(file.start_time, 1_000_000)
    assert start > 0 and all(abs(a - start - b) <= Fraction(1, 1000) for a, b in zip(times, shown, strict=True))
    before, after = sound_of(source), sound_of(tmp_path / "out.mkv")
    assert len(before) == len(after) and abs(before[0][1] - start - after[0][1]) <= Fraction(1, 1000)


def test_a_broadcast_that_changes_its_size_is_of_one_size(tmp_path):
    parts = [write_film(tmp_path / f"{w}.ts", size=(w, h), sound=None, start=w) for w, h in ((48, 32), (96, 64))]
    (tmp_path / "in.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert {frame.shape[1] for frame in read(tmp_path / "in.ts")[0]} == {48, 96}
    paint_film(Film(tmp_path / "in.ts", tmp_path / "out.mp4", quality=0), same)
    found = read(tmp_path / "out.mp4")[0]
    assert {frame.shape for frame in found} == {(32, 48, 3)}
    small = Image.fromarray(scene(11, (96, 64))).resize((48, 32))
    assert np.abs(found[-1] - np.asarray(small, int)).mean() < 6


def test_frames_are_not_kept(tmp_path):
    source, seen, most = write_film(tmp_path / "in.mp4", times=[1001 * i for i in range(40)]), [], []

    def paint(frame):
        painted = frame.copy()
        seen.extend(map(weakref.ref, (frame, painted)))
        most.append(sum(ref() is not None for ref in seen))
        return painted

    assert paint_film(Film(source, tmp_path / "out.mp4", step=20), paint) == 40
    assert max(most) <= 4


def test_what_is_damaged_is_left_out(tmp_path):
    source = write_film(tmp_path / "in.mkv", times=[1001 * i for i in range(60)])
    content = bytearray(source.read_bytes())
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) // 2])
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    (tmp_path / "hole.mkv").write_bytes(content)
    for name in ("cut", "hole"):
        frames = paint_film(Film(tmp_path / f"{name}.mkv", out := tmp_path / f"{name}-out.mkv"), same)
        assert 0 < frames < 60 and len(read(out)[0]) == frames


@pytest.mark.parametrize(
    ("film", "options", "message"),
    [
        ("away.mp4", {}, "no such file"),
        ("", {}, "is no file"),
        ("text.mp4", {}, "cannot read text.mp4 as a film: Invalid data"),
        ("sound.mp4", {}, "no stream of pictures"),
        ("tiny.mp4", {}, "both sides must be at least 32 px"),
        ("in.mp4", {"-o": "out.doc"}, "end its name in .mp4, .mov, .mkv, .webm"),
        ("in.mp4", {"-o": "in.mp4"}, "would overwrite the film"),
        ("in.mp4", {"-o": "out.webm"}, ".webm cannot hold the film's sound as it is, aac: let --out end in .mkv"),
        ("in.mp4", {"-o": "text.mp4/deep/out.mp4"}, "cannot write"),
        ("in.mp4", {"--crf": "99"}, "--crf lies in 0 (no loss)..51"),
        ("in.mp4", {"--calm": "2"}, "--calm is a share"),
        ("in.mp4", {"--calm": "1", "--norm": "batch"}, "batch norm has none of a frame"),
        ("in.mp4", {"--size": "5"}, "at least 32"),
        ("in.mp4", {"-s": "no-such"}, "no style 'no-such'"),
    ],
)
def test_mistakes_are_one_plain_line(small_pair, tmp_path, monkeypatch, capsys, film, options, message):
    monkeypatch.chdir(tmp_path)
    write_film("in.mp4")
    write_film("tiny.mp4", size=(32, 16), sound=None)
    Path("text.mp4").write_text("no film")
    with av.open("sound.mp4", "w") as file:
        audio = file.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        frame.sample_rate = 48_000
        file.mux([*audio.encode(frame), *audio.encode(None)])
    before = {path: path.read_bytes() for path in tmp_path.glob("*.*")}
    words = {"-s": str(small_pair), "-o": "out.mp4", **options}
    assert main(["video", film or str(tmp_path), *(word for pair in words.items() for word in pair)]) == 2
    out, err = capsys.readouterr()
    assert message in err and err.startswith("error: ") and err.count("\n") == 1 and not out
    assert {path: path.read_bytes() for path in before} == before and not list(tmp_path.glob("out*"))


def test_progress_says_how_fast_and_how_long(small_pair, tmp_path, monkeypatch, capsys):
    """What was painted before counts as done, and not as fast."""
    bars, source = [], write_film(tmp_path / "in.mp4", sound=None)

    def shown(**keys):
        bars.append(tqdm(**{**keys, "disable": False, "mininterval": 0}))
        return bars[0]

    def paint_film(film, paint, calm, watch):
        for done in (5, 10, 11, 12):
            watch(done, 0 if done == 5 else 40)
        return 12

    monkeypatch.setattr("zoo.commands.video.tqdm", shown)
    monkeypatch.setattr("zoo.video.paint_film", paint_film)
    assert main(["video", str(source), "-s", str(small_pair), "-o", f"{tmp_path}/out.mp4"]) == 0
    assert bars[0].n == 12 and bars[0].n - bars[0].initial == 2
    assert re.search(r"12/40 .*<.*frame", capsys.readouterr().err)


def test_an_interrupted_command_says_how_to_go_on(small_pair, tmp_path, monkeypatch, capsys):
    source = write_film(tmp_path / "in.mp4")
    words = ["video", str(source), "-s", str(small_pair), "-o", f"{tmp_path}/out.mp4"]
    with monkeypatch.context() as patch:
        patch.setattr("zoo.commands.video.finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main(words) == 130
    assert "the same command goes on" in capsys.readouterr().err and not (tmp_path / "out.mp4").exists()
    assert main(words) == 0
    assert "out.mp4: 12 frames" in capsys.readouterr().out and not (tmp_path / "out.mp4.parts").exists()


def test_without_pyav_it_says_what_to_install(small_pair, tmp_path, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "zoo.video")
    monkeypatch.setitem(sys.modules, "av", None)
    assert main(["video", "in.mp4", "-s", str(small_pair), "-o", "out.mp4"]) == 2
    assert "pip install 'missing-ingredient[video]'" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["ffconcat version 1.0\nfile other.ts\n", "#EXTM3U\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n"])
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8"])
def test_a_list_of_other_files_is_no_film(tmp_path, words, suffix):
    """ffmpeg would read whatever a stranger's file names on this machine."""
    write_film(tmp_path / "other.ts")
    source = tmp_path / f"list{suffix}"
    source.write_text(words)
    with pytest.raises(VideoError, match="cannot read list"):
        paint_film(Film(source, tmp_path / "out.mp4"), same)


def test_a_frame_has_at_most_so_many_pixels(tmp_path):
    """Whatever the file says: it is looked at when frames are decoded."""
    source = write_film(tmp_path / "in.mp4")
    assert paint_film(Film(source, tmp_path / "out.mp4", max_pixels=128 * 64), same) == 12  # a decoder rounds widths up
    with pytest.raises(VideoError, match="no frame of it can be decoded"):
        paint_film(Film(source, tmp_path / "out.mp4", max_pixels=96 * 63), same)


def test_the_facts_of_a_film(tmp_path):
    film = Film(write_film(tmp_path / "in.mkv", sound="libopus"), tmp_path / "out.mp4")
    facts = look(film)
    assert facts.size == (96, 64) and facts.sounds == ["opus"] and facts.seconds == pytest.approx(0.43, abs=0.02)
    assert look(Film(write_film(tmp_path / "silent.mp4", sound=None), film.target)).sounds == []
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(VideoError, match=r"cannot read text.mp4 as a film"):
        look(Film(tmp_path / "text.mp4", film.target))
