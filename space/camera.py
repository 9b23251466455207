"""The live camera: its newest frame, painted as often as this machine can; by both norms where that is often enough.

The browser sends frames at a steady pace (gradio's streaming). While one is painted, those that come in the meantime replace
each other, so that the next is the newest, and none wait in line. Frames are neither kept nor written to a file.
"""

import base64
import io
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from space import actions
from space.actions import paint_on_gpu
from space.counts import COUNTS
from space.guard import who
from space.turns import NOBODY, Visit
from space.words import NORMS, plain, without_paths
from zoo.engine.painting import Painted
from zoo.errors import PhotoError, ZooError
from zoo.images import open_photo
from zoo.style import Style

SIZE, ENOUGH = 256, 5.0  # px of the long side; frames a second that both norms must keep
EVERY = 0.1  # s from frame to frame that the browser sends: more would be lost on two cores, and fill a phone's uplink
WANTED = {"video": {"width": {"ideal": 320}, "height": {"ideal": 240}}}  # of the camera, which comes as near as it can
MAX_PIXELS = 4_000_000  # of a frame, whatever the camera made of that
START = "data:image/jpeg;base64,"
PAUSE = 2.0  # s without a frame after which the rate is measured anew
# More than one visitor has places: a stream that nobody reads keeps its own until so many seconds of painting, or of waiting
# for a frame, are over. Whose frame is painted next, TURNS says.
STREAMING: dict[str, Any] = {
    "concurrency_limit": 2 * actions.PLACES,
    "concurrency_id": "camera",
    "time_limit": 30,
    "stream_every": EVERY,
}


class Live(gr.Image):
    """`gr.Image` whose pictures come and go as data within messages. A class of its own as PhotoInput is."""

    is_template = True  # drawn by the front end as its parent

    def preprocess(self, payload):
        """The JPEG file that the browser made of a frame, or None. Raises PhotoError for anything else."""
        if payload is None:
            return None
        if not (payload.url or "").startswith(START):
            raise PhotoError("a frame comes from the browser's camera, as a JPEG")
        return base64.b64decode(payload.url[len(START) :])

    def postprocess(self, value) -> ImageData | None:
        """A Pillow image as data; None as none."""
        if value is None:
            return None
        file = io.BytesIO()
        value.save(file, "JPEG", quality=85)
        return ImageData(url=START + base64.b64encode(file.getvalue()).decode())


@dataclass(frozen=True)
class Pace:
    """How frames were painted lately: when each was done and the seconds that it took for each norm; and whether both paint."""

    frames: tuple[tuple[float, float], ...] = ()
    both: bool = False

    def after(self, began: float, ended: float, norms: int) -> "Pace":
        """With one frame more, painted by that many norms."""
        lately = self.frames if self.frames and began - self.frames[-1][0] < PAUSE else ()
        frames = (*lately[-19:], (ended, (ended - began) / norms))
        # The median, as loading a style, or another visitor's picture, holds up one frame and no more. What is shown does not
        # come and go about the limit.
        needed = 2 * median(seconds for _, seconds in frames)
        return Pace(frames, needed * ENOUGH <= (1.15 if self.both else 0.9) if len(frames) > 9 else self.both)

    @property
    def rate(self) -> float | None:
        """Frames a second, once there are two."""
        times = [ended for ended, _ in self.frames[-10:]]
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else None


def paint_frame(frame: bytes, slug: object, both: bool, visit: Visit = NOBODY) -> tuple[Style, dict[str, Painted]]:
    """A frame, a JPEG file, reduced to SIZE px, as instance norm paints it, or both norms, when it is its turn; and its style.

    Raises ZooError, Superseded.
    """
    style = actions.find_in_zoo(slug)
    norms = tuple(norm for norm in NORMS if norm in style.norms) if both else ("instance",)
    actions.load_generators(style, norms)
    with actions.TURNS.turn(visit, patient=True):
        photo = open_photo(io.BytesIO(frame), SIZE, MAX_PIXELS, ("JPEG",))
        painted = paint_on_gpu(photo, style, norms)
    COUNTS.paint("frame", painted.values())
    return style, painted


def describe(style: Style, painted: dict[str, Painted], pace: Pace) -> str:
    """One line: the rate, the size, the style."""
    w, h = painted["instance"].image.size
    rate = "" if pace.rate is None else f"**{pace.rate:.1f} frames a second** · "
    alone = f" · one norm, as both would be slower than {ENOUGH:g}" if len(painted) == 1 and len(pace.frames) > 9 else ""
    return f"{rate}{w}×{h} px · {plain(style.title)}{alone}"


def live(
    frame: bytes | None, slug: str, is_watched: bool, pace: Pace, request: gr.Request
) -> tuple[object, object, object, object]:
    """What the page shows of a frame: batch norm's picture, instance norm's, a line; and the pace from then on."""
    nothing = gr.skip()
    if frame is None or not is_watched:
        return nothing, nothing, nothing, nothing
    began = time.monotonic()
    try:
        style, painted = paint_frame(frame, slug, pace.both, Visit(who(request)))
    except ZooError as error:  # the next may do
        return nothing, nothing, plain(without_paths(error)), pace
    pace = pace.after(began, time.monotonic(), len(painted))
    batch = painted.get("batch")
    left = gr.update(value=batch.image if batch else None, visible=batch is not None)
    return left, painted["instance"].image, describe(style, painted, pace), pace


# What went wrong with a camera, by the browser's name for it.
TROUBLE = {
    "none": "This device has no camera that the browser can see: plug one in and open this tab again, or paint a clip below.",
    "NotFoundError": "There is no camera here: plug one in and try again, or paint a clip below.",
    "NotAllowedError": "The browser may not use the camera: allow it beside the address, and click again.",
    "NotReadableError": "The camera is in use by another program: close that, and click again.",
    "insecure": "Browsers lend a camera only to pages with https, or on this very machine: open the page so.",
    "other": "The camera could not be opened: try again, or another one.",
}
# They stand on the page unseen, where they are in the visitor's language.
NOTICES = '<p id="camera-trouble" role="alert"></p>' + "".join(
    f'<p hidden data-why="{why}">{words}</p>' for why, words in TROUBLE.items()
)
# gradio says nothing of a camera that it is refused. What it asks the browser for passes here.
LOOK = """async () => {
  const media = navigator.mediaDevices, place = () => document.querySelector('#camera-trouble');
  while (!place()) await new Promise(requestAnimationFrame);  // a tab is drawn when it is opened first
  const say = why => {
    const words = ['other', why].map(one => document.querySelector(`#camera-note [data-why="${one}"]`)).findLast(Boolean);
    place().textContent = why && words.textContent;
  };
  if (!media) return say('insecure');
  if (!media.isWatched) {
    media.isWatched = true;
    const ask = media.getUserMedia.bind(media);
    media.getUserMedia = async wanted => {
      try {
        const stream = await ask(wanted);
        say('');
        return stream;
      } catch (error) {
        say(error.name);
        throw error;
      }
    };
  }
  const found = await media.enumerateDevices();
  say(found.some(device => device.kind === 'videoinput') ? '' : 'none');
}"""
