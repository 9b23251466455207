"""Films: each frame as `zoo.stylize` paints it, at its time, with the sound as it was; in one go or in several."""

import sys
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.__main__ import main
from zoo.calm import Calm
from zoo.engine.painting import Manner, paint_fast
from zoo.errors import VideoError
from zoo.film import Film

av = pytest.importorskip("av")
from zoo.video import EXACT, paint_film  # noqa: E402

TICK = Fraction(1, 30_000)
REGULAR = [1001 * i for i in range(12)]
VARIABLE = [0, 1001, 2002, 3003, 5005, 6006, 9009, 10010, 11011, 15015, 16016, 17017]  # of the same unit


def scene(i, size):
    """A frame, W×H: colours that change slowly from pixel to pixel, and move."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    waves = [128 + 100 * np.sin((x * a + y * b) / 12 + i * 0.5) for a, b in ((1, 0), (0, 1), (0.7, 0.7))]
    return np.stack(waves, -1).astype(np.uint8)


def write_film(
    path, times=REGULAR, size=(96, 64), rotation=0, sound="aac", pixels="yuv420p", codec="libx264", start=0, **colours
):
    """A film that is coded without loss; it starts at so many seconds."""
    with av.open(path, "w") as file:
        video = file.add_stream(codec, rate=30, options={"crf": "0"})
        (video.width, video.height), video.pix_fmt = size, pixels
        video.time_base = video.codec_context.time_base = TICK
        for name, value in colours.items():
            setattr(video.codec_context, name, value)
        if rotation:
            video.set_display_rotation(rotation)
        audio = file.add_stream(sound, rate=48_000) if sound else None
        to = {f"dst_{name}": value for name, value in colours.items() if name in ("colorspace", "color_range")}
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(scene(i, size), "rgb24").reformat(format=pixels, **to)
            frame.pts, frame.time_base = time + round(start / TICK), TICK
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        random = np.random.default_rng(0)
        for i in range(20) if audio else ():
            frame = av.AudioFrame.from_ndarray(random.normal(0, 0.1, (2, 1024)).astype(np.float32), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 1024 * i + 48_000 * start, Fraction(1, 48_000)
            file.mux(audio.encode(frame))
        if audio:
            file.mux(audio.encode(None))
    return path


def read(path, pixels="rgb24"):
    """Frames, as H×W×3 or as whatever else, and when they are shown, in seconds."""
    with av.open(path) as file:
        decoded = list(file.decode(video=0))
    return [frame.to_ndarray(format=pixels, interpolation=EXACT) for frame in decoded], [f.pts * f.time_base for f in decoded]


def sound_of(path):
    """Bytes and times of its packets."""
    with av.open(path) as file:
        packets = [packet for packet in file.demux(audio=0) if packet.dts is not None]
        return [(bytes(packet), packet.pts * packet.time_base) for packet in packets]


def planes(picture):
    """Light and colours of a picture, H×W×3, as a film stores them, the latter at half of its size."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
    return frame.reformat(format="yuv420p", interpolation=EXACT).to_ndarray().astype(int)


def same(film):
    return film


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


class Stop(Exception):
    """What ends the work in the middle."""


def painting(generator, calm, counted, stop_after=1000):
    manner = Manner(smooth=calm.smooth)

    def paint(frame):
        if len(counted) == stop_after:
            raise Stop
        counted.append(frame.size)
        return paint_fast(generator, calm.look(frame), manner).image

    return paint


def test_what_was_interrupted_goes_on_and_is_the_same_as_in_one_go(small_pair, tmp_path):
    """With what is remembered from frame to frame, too."""
    source, generator = write_film(tmp_path / "in.mp4", times=VARIABLE), zoo.load(small_pair)
    once, often = Film(source, tmp_path / "once.mp4", step=5), Film(source, tmp_path / "often.mp4", step=5)
    paint_film(once, painting(generator, calm := Calm(0.7, 0.7), []), calm)
    for stop_after, parts in ((7, 1), (1, 1), (6, 2)):
        calm = Calm(0.7, 0.7)
        with pytest.raises(Stop):
            paint_film(often, painting(generator, calm, [], stop_after), calm)
        assert not often.target.exists() and len(list(often.folder.glob("*.nut"))) == parts
        (often.folder / "partial").write_bytes(b"half")  # as a process that was killed leaves it
    calm, counted, told = Calm(0.7, 0.7), [], []
    assert paint_film(often, painting(generator, calm, counted), calm, lambda *now: told.append(now)) == 12
    assert len(counted) == 2 and told == [(5, 12), (10, 12), (11, 12), (12, 12)]
    assert often.target.read_bytes() == once.target.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if path != small_pair) == ["in.mp4", "often.mp4", "once.mp4"]
    assert read(often.target)[1] == read(source)[1]


def test_segments_of_something_else_are_not_used(small_pair, tmp_path):
    source, generator = write_film(tmp_path / "in.mp4"), zoo.load(small_pair)
    first = Film(source, tmp_path / "out.mp4", step=5)
    with pytest.raises(Stop):
        paint_film(first, painting(generator, Calm(), [], 11))
    other, counted = Film(source, tmp_path / "out.mp4", step=5, facts={"style": "another"}), []
    paint_film(other, painting(generator, Calm(), counted))
    assert len(counted) == 12
    other.folder.mkdir()
    (other.folder / "mine.txt").write_text("not a segment")
    with pytest.raises(VideoError, match="in the way"):
        paint_film(other, same)
    assert (other.folder / "mine.txt").exists()


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
    assert {path: path.read_bytes() for path in before} == before and not list(tmp_path.glob("out.*[4cm]"))


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
