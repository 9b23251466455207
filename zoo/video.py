"""A film, painted frame by frame: its sound, the time of each frame, its colour range and which way is up stay as they are.

Segments of some frames are each encoded by themselves, so that a film that is painted in several goes (zoo/film.py) is the same
as in one; in the end they are put together with the sound. No more than a few frames are in memory at a time.

Needs PyAV, which is optional: pip install missing-ingredient[video].
"""

import heapq
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream
from PIL import Image

from zoo.calm import Calm
from zoo.errors import VideoError, brief
from zoo.film import Film
from zoo.images import fit_long_side
from zoo.registry import MIN_SIDE

BT709, LIMITED = 1, 1  # how the colours of a film that has them as RGB are coded
# swscale's bilinear, with full chroma and exact rounding, or pictures would be a level darker; PyAV 17 has no names for these.
EXACT = 2 | 0x2000 | 0x40000
# What a film may come in. Of ffmpeg's other formats some are lists of files and addresses, whatever a stranger likes to name.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpeg,mpegts,mpegvideo,mxf,nut,ogg,rm,gif,apng,dv,h264,hevc,ivf,obu"

Paint = Callable[[Image.Image], Image.Image]
PaintSeveral = Callable[[list[Image.Image]], list[Image.Image]]
Watch = Callable[[int, int], None]  # is told how many frames are done, and about how many there are, or 0


@dataclass(frozen=True)
class Facts:
    """What the file of a film says of it: width and height of its frames as they are stored, seconds, 0 where it does not say,
    and how its tracks of sound are coded."""

    size: tuple[int, int]
    seconds: float
    sounds: list[str]


def look(film: Film) -> Facts:
    """The facts of a film, of which nothing is decoded. Raises VideoError when it cannot be read."""
    with _open(film.source) as source:
        video = _pictures_of(source, film)
        sounds = [stream.codec_context.name if stream.codec_context else "unknown" for stream in source.streams.audio]
        return Facts((video.width, video.height), (source.duration or 0) / 1_000_000, sounds)


def paint_film(film: Film, paint: Paint, calm: Calm | None = None, watch: Watch = lambda done, total: None) -> int:
    """Write the film as `paint` paints its frames, upright RGB images reduced to the film's size; returns how many there are.

    Frames that cannot be decoded are left out, and so is the last row or column where their number is odd, which encoders do
    not take. `calm` is what `paint` remembers from frame to frame.
    Raises VideoError when the film cannot be read, or OUT not be written.
    """
    return paint_film_by(1, film, lambda frames: [paint(frame) for frame in frames], calm, watch)


def paint_film_by(
    at_once: int, film: Film, paint: PaintSeveral, calm: Calm | None = None, watch: Watch = lambda done, total: None
) -> int:
    """As `paint_film`, where `paint` takes so many frames at once, or fewer, in their order."""
    calm, done = calm or Calm(), 0
    with _open(film.source) as source:
        video = _pictures_of(source, film)
        with _writing(film), av.open(film.target, "w") as output:  # to which nothing is written
            _add_sound(output, source, film)  # to be told before the work, not after
        frames, total = _frames(source, video), video.frames or round((source.duration or 0) / 1_000_000 * _rate(video))
        form, ready = None, 0
        for number in itertools.count():
            several = itertools.islice(frames, film.step)
            first = next(several, None)
            if first is None:
                break
            if form is None:
                form = _form(first, video, film)
                with _writing(film):
                    ready = film.begin(calm)
            if number < ready:
                done += 1 + sum(1 for _ in several)
                watch(done, total)
                continue
            with _segment(film, number, calm) as output:
                encoder, rest = _encoder(output, film, form), itertools.chain([first], several)
                # by its time, which differs from that of all others; the frame itself may be far larger
                while photos := {frame.pts: _photo(frame, film) for frame in itertools.islice(rest, at_once)}:
                    for time, painted in zip(photos, paint([*photos.values()]), strict=True):
                        output.mux(encoder.encode(_coded(painted, time, form)))
                        done += 1
                        watch(done, total)
                output.mux(encoder.encode(None))
        if form is None:
            raise VideoError(f"cannot read {film.name}: no frame of it can be decoded")
        with _writing(film):
            _join(film, form, number)
    return done


@dataclass(frozen=True)
class _Form:
    """What all frames of a painted film have in common: width and height, those of a pixel, how colours are coded, frames per
    second in the mean, and the unit of their times."""

    size: tuple[int, int]
    pixel: Fraction | None
    colours: dict[str, int]
    rate: Fraction
    time_base: Fraction

    def give(self, stream: VideoStream) -> None:
        """Say so of a stream that is to be written."""
        to = stream.codec_context
        for name, value in {**self.colours, "framerate": self.rate, "sample_aspect_ratio": self.pixel}.items():
            if value is not None:
                setattr(to, name, value)


def _form(first: av.VideoFrame, video: VideoStream, film: Film) -> _Form:
    """The form of what is painted of a film that begins with this frame: that of the film."""
    w, h = _upright(first).size
    if min(w, h) < MIN_SIDE:
        raise VideoError(f"{film.name} is {w}×{h} px: both sides must be at least {MIN_SIDE} px")
    w, h = fit_long_side(Image.new("1", (w, h)), film.size).size
    pixel = video.sample_aspect_ratio or None
    if pixel and round(first.rotation / 90) % 2:
        pixel = 1 / pixel
    colours = {
        "colorspace": BT709 if first.format.is_rgb else first.colorspace,
        "color_range": LIMITED if first.format.is_rgb else first.color_range,
        "color_primaries": first.color_primaries,
        "color_trc": first.color_trc,
    }
    return _Form((w // 2 * 2, h // 2 * 2), pixel, colours, _rate(video), video.time_base or Fraction(1, 90_000))


def _open(path: Any) -> InputContainer:
    try:
        return av.open(path, options={"format_whitelist": FORMATS})
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot read {brief(path.name)} as a film: {error.strerror}") from error


def _pictures_of(source: InputContainer, film: Film) -> VideoStream:
    """The stream of the film's frames: the first that is no cover picture."""
    for stream in source.streams.video:
        if stream.codec_context and not stream.disposition & Disposition.attached_pic:
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"max_pixels": str(film.max_pixels)}
            return stream
    raise VideoError(f"{film.name} holds no film: it has no stream of pictures that can be decoded")


def _rate(video: VideoStream) -> Fraction:
    return video.average_rate or video.guessed_rate or Fraction(25)


def _start(source: InputContainer, time_base: Fraction | None) -> int:
    """When the film begins, in that unit: recordings of broadcasts do not begin at 0."""
    return round(max(0, source.start_time or 0) / (1_000_000 * time_base)) if time_base else 0


def _frames(source: InputContainer, video: VideoStream) -> Iterator[av.VideoFrame]:
    """The frames that can be decoded, each with its time, later than the one before; the film begins at 0."""
    last, start, step = -1, _start(source, video.time_base), round(1 / (_rate(video) * (video.time_base or 1)))
    with suppress(av.error.InvalidDataError):  # of a file that is cut off
        for packet in source.demux(video):
            try:
                decoded = packet.decode()
            except (av.error.InvalidDataError, av.error.ArgumentError):  # the latter where one is too large
                continue  # as players do
            for frame in decoded:
                found = frame.pts if frame.pts is not None else frame.dts
                time = last + step if found is None else found - start
                if time > last:
                    frame.pts = last = time
                    yield frame


def _upright(frame: av.VideoFrame) -> Image.Image:
    """RGB, turned as the film says that it is shown."""
    return Image.fromarray(np.rot90(frame.to_ndarray(format="rgb24", interpolation=EXACT), round(frame.rotation / 90)))


def _photo(frame: av.VideoFrame, film: Film) -> Image.Image:
    """What is painted of a frame."""
    return fit_long_side(_upright(frame), film.size)


def _coded(painted: Image.Image, time: int | None, form: _Form) -> av.VideoFrame:
    """A painted frame as the encoder takes it, at that time in the film's unit."""
    if (painted.width // 2 * 2, painted.height // 2 * 2) != form.size:  # broadcasts change their size
        painted = painted.resize(form.size)
    rgb = av.VideoFrame.from_ndarray(np.array(painted.crop((0, 0, *form.size))), "rgb24")
    to = {f"dst_{name}": form.colours[name] for name in ("colorspace", "color_range")}
    coded = rgb.reformat(format="yuv420p", interpolation=EXACT, **to)
    coded.pts, coded.time_base = time, form.time_base
    return coded


def _encoder(output: OutputContainer, film: Film, form: _Form) -> VideoStream:
    """A stream of `output` that takes painted frames."""
    made = output.add_stream(film.codec, rate=form.rate, options={"crf": str(film.quality)})
    assert isinstance(made, VideoStream)
    (made.width, made.height), made.pix_fmt = form.size, "yuv420p"
    made.time_base = made.codec_context.time_base = form.time_base
    # Without frames that are coded from later ones, packets come in the order of their times: segments can be put together
    # whenever their frames are shown.
    made.codec_context.max_b_frames = 0
    form.give(made)
    return made


@contextmanager
def _writing(film: Film) -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot write {brief(film.target)}: {error.strerror or error}") from error


@contextmanager
def _segment(film: Film, number: int, calm: Calm) -> Iterator[OutputContainer]:
    """A container that becomes this segment when it is whole; of a format that has any unit of times."""
    partial = film.folder / "partial"
    with _writing(film):
        with av.open(partial, "w", format="nut") as output:
            yield output
        film.add(number, partial, calm)


def _add_sound(output: OutputContainer, source: InputContainer, film: Film) -> dict[int, Stream]:
    """Streams of `output` for those of sound of the source, by their index there."""
    added: dict[int, Stream] = {}
    for stream in source.streams.audio:
        try:
            added[stream.index] = output.add_stream_from_template(stream)
        except ValueError as error:
            kind = stream.codec_context.name
            raise VideoError(
                f"{film.target.suffix} cannot hold the film's sound as it is, {kind}: let --out end in .mkv"
            ) from error
        added[stream.index].metadata.update(stream.metadata)
    return added


def _join(film: Film, form: _Form, segments: int) -> None:
    """Write the film."""
    whole = film.folder / f"whole{film.target.suffix}"
    with _open(film.source) as source, _open(film.segment(0)) as first, av.open(whole, "w") as output:
        video = output.add_stream_from_template(first.streams.video[0])
        form.give(video)
        sound = _sound(source, _add_sound(output, source, film))
        for packet in heapq.merge(_painted(film, segments, video), sound, key=_when):
            output.mux(packet)
    film.finish(whole)


def _when(packet: "av.Packet[Any]") -> Fraction:
    """When it is decoded, in seconds."""
    return (packet.dts or 0) * packet.time_base


def _painted(film: Film, segments: int, to: Stream) -> "Iterator[av.Packet[Any]]":
    """The packets of the segments."""
    for number in range(segments):
        with _open(film.segment(number)) as part:
            for packet in part.demux(video=0):
                if packet.dts is not None:  # else it marks the end
                    packet.stream = to
                    yield packet


def _sound(source: InputContainer, to: dict[int, Stream]) -> "Iterator[av.Packet[Any]]":
    """The packets of its sound."""
    for packet in source.demux(*source.streams.audio) if to else ():
        if packet.dts is not None:
            start = _start(source, packet.time_base)
            packet.dts, packet.pts = packet.dts - start, None if packet.pts is None else packet.pts - start
            packet.stream = to[packet.stream.index]
            yield packet
