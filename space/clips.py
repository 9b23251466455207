"""Short clips: a film that a visitor uploads, painted frame by frame with its sound kept, by zoo/video.py.

A clip takes a turn for each of its frames, or some of them where a GPU paints, so that others, and its visitor's own pictures,
come in between. It ends when it is stopped or its visitor leaves, and what there was of it is removed.
"""

import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder
from PIL import Image

from space import actions
from space.actions import frames_on_gpu
from space.counts import COUNTS
from space.files import UNFINISHED, keep_file
from space.guard import UPLOAD, who
from space.languages import t
from space.photo_input import uploaded
from space.turns import NOBODY, Newest, Superseded, Turns, Visit
from zoo.calm import Calm
from zoo.errors import ConfigError, VideoError, shorten
from zoo.film import Film
from zoo.painter import painter

SECONDS, FRAMES = 15, 900  # of a clip, at most: so many frames are 15 s of 60 a second
WIDE, HIGH = 4096, 2304  # px of a frame, at most, or the other way round
SIZES = [256, 384, 512]  # px of the long side of what is painted
SOUNDS = ("aac", "flac", "mp3", "opus")  # that browsers play in an MP4
AT_ONCE = 16  # frames of a call to a GPU, which takes them a second or two; a ZeroGPU is waited for, and begun, at each call
STILL = 0.9  # see zoo/calm.py: clips are made by hand-held phones, in rooms
# More than one visitor has places: who waits does so in FILMS, to let others pass.
FILMING: dict[str, Any] = {"concurrency_limit": 2 * actions.PLACES, "concurrency_id": "clip"}
FILMS = Turns(at_once=2, places=2, places_of_all=8)
HEADING = "## A short clip\n"
INTRO = f"{HEADING}At most {SECONDS} seconds, {UPLOAD // 2**20} MiB and 4K ({WIDE}×{HIGH} px). The sound is kept."
LACKING = f"""{HEADING}
Painting clips needs PyAV on the machine that serves this page: `pip install 'missing-ingredient[video]'`, then start it anew.
"""
Tell = Callable[[int, int], None]  # is told how many frames are done, and about how many there are, or 0

PROGRESS = gr.Progress()  # gradio puts a visitor's own in its place

_clips = Newest()


class ClipBox(gr.Video):
    """`gr.Video` that leaves files as they are: zoo/video.py reads more of them, and writes what browsers play."""

    is_template = True  # drawn by the front end as its parent

    def preprocess(self, payload) -> str | None:
        """As of `uploaded`."""
        return uploaded(payload)

    def postprocess(self, value) -> FileData | None:
        """The file at that path."""
        return FileData(path=value, orig_name=Path(value).name) if value else None


def can_paint() -> bool:
    """Whether PyAV is installed."""
    return find_spec("av") is not None


def paint_clip(
    clip: str | None, slug: object, size: object, visit: Visit = NOBODY, tell: Tell = lambda done, total: None
) -> str:
    """The clip at `clip` as instance norm paints its frames, reduced to a long side of `size` px: the path of an MP4 file.

    Raises ZooError, whatever was sent; Superseded when it is not wanted any more.
    """
    if not can_paint():
        raise ConfigError(" ".join(LACKING.removeprefix(HEADING).split()))
    from zoo import video  # here, as PyAV is optional

    if clip is None:
        raise VideoError("there is no clip yet: upload one")
    if not isinstance(size, int) or size not in SIZES:
        raise ConfigError(f"a clip is painted at {', '.join(map(str, SIZES))} px, got {shorten(size)}")
    style = actions.find_in_zoo(slug)
    actions.load_generators(style, ("instance",))
    calm = Calm(still=STILL)

    def paint(frames: list[Image.Image]) -> list[Image.Image]:
        frames = [calm.look(frame) for frame in frames]
        with actions.TURNS.turn(visit, patient=True):
            painted = frames_on_gpu(frames, style)
        COUNTS.paint("frame", painted)
        return [one.image for one in painted]

    def watch(done: int, total: int) -> None:
        if done > FRAMES:  # whatever the file says of itself
            raise VideoError(f"the clip has more than {FRAMES} frames: cut it to {SECONDS} seconds")
        tell(done, total)

    with FILMS.turn(visit), tempfile.TemporaryDirectory(dir=get_upload_folder(), prefix=UNFINISHED) as folder:
        film = Film(Path(clip), Path(folder) / "painted.mp4", size, max_pixels=WIDE * HIGH)
        check_clip(video.look(film))
        at_once = 1 if painter().device.type == "cpu" else AT_ONCE  # a processor gains nothing, and others would wait longer
        video.paint_film_by(at_once, film, paint, calm, watch)
        return keep_file(film.target, Path(clip).stem, style.slug)


def check_clip(facts: Any) -> None:
    """Raise VideoError for a clip (of these `zoo.video.Facts`) that is longer or larger than may be, or whose sound a page
    cannot play."""
    w, h = facts.size
    if facts.seconds > SECONDS + 0.5:  # what was cut to be as long is a few frames longer
        raise VideoError(f"the clip takes {facts.seconds:.0f} seconds: cut it to {SECONDS}")
    if w * h > WIDE * HIGH:
        raise VideoError(f"the clip is {w}×{h} px: reduce it to at most {WIDE}×{HIGH}")
    if unheard := [sound for sound in facts.sounds if sound not in SOUNDS]:
        raise VideoError(f"browsers do not play the clip's sound ({unheard[0]}): save it with AAC, or without sound")


def left(done: int, total: int, seconds: float) -> str:
    """How long the rest of the frames takes, in words, once `done` have taken so many seconds."""
    if not done or total < done:
        return "painting"
    rest = seconds / done * (total - done)
    return f"{rest:.0f} s left" if rest < 100 else f"{rest / 60:.0f} minutes left"


def film(clip: str | None, slug: str, size: int, request: gr.Request, progress=PROGRESS):
    """What the page shows of a clip: it painted, its download, a line."""
    began = time.monotonic()
    with actions.plain_errors():
        try:
            frames = 0

            def tell(done: int, total: int) -> None:
                nonlocal frames
                frames = done
                progress((done, max(done, total)), desc=left(done, total, time.monotonic() - began), unit="frames")

            painted = paint_clip(clip, slug, size, Visit(who(request), _clips.take(request.session_hash)), tell)
        except Superseded:
            return gr.skip(), gr.skip(), gr.skip()
    words = f"{frames} frames painted in {time.monotonic() - began:.0f} s"
    return painted, gr.DownloadButton(value=painted, interactive=True), words


def leave(request: gr.Request) -> None:
    """End what the visitor has painted, who is gone."""
    _clips.take(request.session_hash)


def stop(request: gr.Request) -> str:
    """End what the visitor has painted, as they wish; a line that says so."""
    leave(request)
    return "Stopped."


def add_clips(slug: gr.State) -> None:
    """Lay out the part of the tab that paints clips in the style of that slug, and wire it."""
    gr.Markdown(t(INTRO if can_paint() else LACKING), elem_id="clips")
    if not can_paint():
        return
    with gr.Row(elem_id="clip-row"):
        with gr.Column(min_width=260):
            clip = ClipBox(sources=["upload"], label=t("Your clip"), height=300, buttons=[], elem_id="clip")
            size = gr.Radio(
                [(f"{s} px", s) for s in SIZES], value=SIZES[1], label=t("Resolution (long side)"), elem_id="clip-size"
            )
            with gr.Row():
                begin = gr.Button(t("Paint the clip"), variant="primary", min_width=120, elem_id="paint-clip")
                end = gr.Button(t("Stop"), visible=False, min_width=80, elem_id="stop-clip")
        with gr.Column(min_width=260):
            painted = ClipBox(label=t("Painted"), height=300, interactive=False, buttons=[], elem_id="painted-clip")
            save = gr.DownloadButton(t("Download the clip"), size="sm", interactive=False, elem_id="save-clip")
            line = gr.Markdown(elem_id="clip-line")
    show = "() => [{__type__: 'update', interactive: %s}, {__type__: 'update', visible: %s}]"
    begun = begin.click(None, None, [begin, end], js=show % ("false", "true"))
    begin.click(None, None, line, js="() => ''")
    painting = begun.then(
        film, [clip, slug, size], [painted, save, line], api_visibility="private", api_name="film", show_progress_on=painted,
        **FILMING,
    )  # fmt: skip
    painting.then(None, None, [begin, end], js=show % ("true", "false"))
    end.click(stop, None, line, api_visibility="private", api_name="stop_clip", concurrency_limit=None, cancels=painting)
