"""What the page does: plain functions from photo, style and size to pictures. No layout here."""

import html
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass

import gradio as gr
from PIL import Image

from space.gpu import on_gpu
from zoo import stylize
from zoo.adapter import is_adapter
from zoo.catalog import Style, find_named, with_weights
from zoo.device import pick_device
from zoo.errors import ConfigError, PhotoError, StyleFolderError, StyleNotFoundError, ZooError, shorten
from zoo.folder import WEIGHTS
from zoo.images import fade, open_photo

TIMEOUT, DEADLINE = 2.5, 30.0  # s; a visitor should not wait for a Hub that does not answer
MAX_SIZE = 2048  # px; long side, keeps a visitor's picture within the memory of a small machine
MAX_NAME = 250  # letters; the Hub's names and revisions are shorter
NORMS = ("batch", "instance")  # left and right of the slider


@dataclass
class Painted:
    """One result: an RGB image and the seconds it took; None when it is the photo itself, as the style lacks that norm."""

    image: Image.Image
    seconds: float | None


@contextmanager
def plain_errors():
    """Turn the library's errors into messages on the page."""
    try:
        yield
    except ZooError as error:
        # the page shows it as HTML, and what a stranger wrote may be quoted in it
        words = html.escape(without_paths(error), quote=False)
        raise gr.Error(words, title="This did not work", print_exception=False) from error


def without_paths(error: object) -> str:
    """The words of an error, its files by their names alone: where they lie on this machine is no visitor's business."""
    return re.sub(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[\\/](?:[^\s'\"\\/:]+[\\/])+", "", str(error))


def check_request(photo: str | None, size: object, contrast: object = 1.0) -> int:
    """The size as a whole number. Raises ZooError when there is no photo, or size or contrast are out of range.

    Every function of the page can be called by its index, with anything for a value: what it paints with comes through here.
    """
    if photo is None:
        raise PhotoError("there is no photo yet: upload one, or pick an example")
    if not _is_number(contrast) or not 0.1 <= contrast <= 1:
        raise ConfigError(f"contrast is a share of the photo's own and must lie in 0.1..1, got {shorten(contrast)}")
    if not _is_number(size) or not 32 <= size <= MAX_SIZE:
        raise ConfigError(f"size is the long side in pixels and must lie in 32..{MAX_SIZE}, got {shorten(size)}")
    return round(size)


def check_index(index: object, length: int) -> int:
    """The place of a tile that was picked. Raises StyleNotFoundError for one that is not there."""
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < length:
        raise StyleNotFoundError(f"there is no tile {shorten(index)}: {length} styles are shown")
    return index


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@on_gpu(duration=15)
def _on_gpu(photo: Image.Image, style: Style, norm: str) -> Image.Image:
    """`stylize`, on a ZeroGPU Space in a forked process."""
    return stylize(photo, style, norm)


def paint(photo: Image.Image, style: Style, norm: str) -> Painted:
    """Paint one picture at its own size, timed (the generator's loading included at its first use)."""
    if norm not in style.norms:
        raise StyleFolderError(f"{style.title} has no {norm}-norm generator, only {', '.join(style.norms)}")
    style = with_weights(style, norm)  # here, where what is downloaded stays; on a Space the GPU's process is thrown away
    started = time.perf_counter()
    image = _on_gpu(photo, style, norm)
    return Painted(image, time.perf_counter() - started)


def paint_both(
    photo: str | None, slug: str, size: float | None, contrast: float = 1.0, progress: gr.Progress | None = None
) -> dict[str, Painted]:
    """Both twins' pictures of the photo at `photo`, reduced to a long side of `size` px, by norm.

    `contrast` below 1 fades the photo first. Raises ZooError.
    """
    size, style = check_request(photo, size, contrast), find_in_zoo(slug)
    image = fade(open_photo(photo, size), contrast)
    painted = {}
    for i, norm in enumerate(NORMS):
        if progress is not None:
            progress((i, len(NORMS)), desc=f"painting with {norm} norm", unit="pictures")
        painted[norm] = paint(image, style, norm) if norm in style.norms else Painted(image, None)
    return painted


def find_in_zoo(slug: str) -> Style:
    """The style of that slug, or owner/name[@revision] of the Hub; no paths: visitors see the zoo, not the disk."""
    if not isinstance(slug, str) or len(slug) > MAX_NAME:
        raise StyleNotFoundError(f"a style is named by its slug or as owner/name[@revision] of the Hub, got {shorten(slug)}")
    return find_named(slug, timeout=TIMEOUT, deadline=DEADLINE)


def describe(painted: dict[str, Painted]) -> str:
    """One line: size, seconds, device."""
    w, h = painted["instance"].image.size
    times = " · ".join(f"{norm} norm {one.seconds:.2f} s" for norm, one in painted.items() if one.seconds is not None)
    if missing := [norm for norm, one in painted.items() if one.seconds is None]:
        times += f" · this style has no {missing[0]}-norm twin: that side is your photo"
    return f"{w}×{h} px · {times} · on {'CPU' if pick_device().type == 'cpu' else 'GPU'}"


def shares(style: Style) -> dict[str, float] | None:
    """Each norm's held-out objective as a share of the untouched photo's, at the first size measured; None if it was not."""
    for found in style.held_out.values():
        if {"batch", "instance"} <= found.keys():
            return {norm: found[norm]["objective"] / found["photo"]["objective"] for norm in NORMS}
    return None


def clearest_first(styles: list[Style]) -> list[Style]:
    """Styles in the order in which the page shows them: where instance norm is furthest ahead first."""

    def lead(style: Style) -> float:
        found = shares(style)
        return found["instance"] / found["batch"] if found else float("inf")

    return sorted(styles, key=lead)


def plain(text: object) -> str:
    """Words that a stranger wrote, as Markdown that shows them and does nothing else: no links, pictures, HTML."""
    line = " ".join(str(text).split())[:300]
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in line)


def about(style: Style) -> str:
    """Markdown: the painting, and how the twins compare on photos never trained on."""
    known = style.painting
    by = ", ".join(plain(known[key]) for key in ("author", "year") if key in known)
    text = f"**{plain(style.title)}**" + (f" — after {by}" if by else "")
    if "@" in style.source:
        licence = f", painting: {plain(known['licence'])}" if "licence" in known else ""
        text += f"<br>`{style.source}`{licence}"
    if found := shares(style):
        text += (
            "<br>On photos never trained on, the perceptual loss falls to "
            f"{found['batch']:.1%} of the untouched photo's with batch norm, to **{found['instance']:.1%}** with instance norm."
        )
    return text


def unfit(style: Style) -> str | None:
    """What keeps a style off the page, in words; None for one that paints photos. A twin may be missing."""
    try:
        if "instance" not in style.norms:
            return f"{style.slug} has no instance-norm generator"
        if not is_adapter(style.folder) and not (style.folder / WEIGHTS).is_file():
            return f"{style.slug} has no {WEIGHTS}"
        if style.needs_no_photo:
            return f"{style.slug} makes tiles: python -m zoo texture {style.slug} -o tile.png"
    except ZooError as error:
        return str(error)
    return None
