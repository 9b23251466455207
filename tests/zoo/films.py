"""Films that tests make, and what is in them. Needs PyAV."""

from fractions import Fraction

import av
import numpy as np

from zoo.video import EXACT

TICK = Fraction(1, 30_000)
REGULAR = [1001 * i for i in range(12)]
VARIABLE = [0, 1001, 2002, 3003, 5005, 6006, 9009, 10010, 11011, 15015, 16016, 17017]  # of the same unit


def scene(i, size):
    """A frame, W×H: colours that change slowly from pixel to pixel, and move."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    waves = [128 + 100 * np.sin((x * a + y * b) / 12 + i * 0.2) for a, b in ((1, 0), (0, 1), (0.7, 0.7))]
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


def same(frame):
    """Paints nothing."""
    return frame
