"""What the page does: plain functions from photo, style and size to pictures. No layout here."""

import html
import threading
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import gradio as gr
from PIL import Image, ImageOps

from space import blocklist
from space.asked import Canvas, check_request, check_weights, check_work, read_photo
from space.counts import COUNTS
from space.credit import Credit, credit
from space.gpu import on_gpu
from space.turns import NOBODY, Turns, Visit
from space.words import NORMS, without_paths
from zoo.catalog import find_named
from zoo.conditional import mix
from zoo.engine.choice import TORCH
from zoo.engine.painting import ANY, Manner, Painted, paint_fast
from zoo.engine.sweeps import Tell
from zoo.errors import ConfigError, StyleFolderError, StyleNotFoundError, ZooError, brief, shorten
from zoo.finish import check_strength, finish
from zoo.images import fade
from zoo.painter import painter
from zoo.registry import Generator
from zoo.style import Style

TIMEOUT, DEADLINE = 2.5, 30.0  # s; a visitor should not wait for a Hub that does not answer
LONGEST = 500  # characters of a message
MAX_NAME = 250  # letters; the Hub's names and revisions are shorter
PLACES, ALL = 8, 24  # requests of a visitor, and of all, that paint or wait, in gradio's queue and here
TURNS = Turns(at_once=2, places=PLACES, places_of_all=ALL)
LARGE_TURNS = Turns(at_once=1, places=2, places_of_all=8)
# Of gradio's events. All that have places: who waits does so in TURNS, to be superseded or to let others pass, and not before.
PAINTING: dict[str, Any] = {"concurrency_limit": ALL, "concurrency_id": "paint"}
TILE = 176  # px; side of a tile of the wall
KEPT = 8  # comparisons, for what needs no new painting: at 1080 px some 80 MB, at LARGE 300
KEPT_WALLS = 16  # 1 MB each; those of the page's own photos are asked for again and again
HUB = Turns(at_once=4, places=PLACES, places_of_all=ALL)  # or one slow answer of the Hub would keep everybody waiting
T = TypeVar("T")


@dataclass(frozen=True)
class Finish:
    """What is done to pictures once they are painted: the arguments of `zoo.finish`. Raises ConfigError for a strength out of
    range, and where the photo's colours are kept neither nor painted."""

    strength: float = 1.0
    keep_colours: bool = False
    protect: Image.Image | None = None

    def __post_init__(self) -> None:
        check_strength(self.strength)
        if not isinstance(self.keep_colours, bool):
            raise ConfigError(f"the photo's colours are kept or not, True or False, got {shorten(self.keep_colours)}")


@dataclass(frozen=True)
class Comparison:
    """A photo as it was painted, reduced and faded, with what came out, by norm."""

    style: Style
    photo: Image.Image
    painted: dict[str, Painted]

    def picture(self, norm: str, how: Finish = Finish()) -> Image.Image:
        """What that norm painted, finished; the photo itself where the style lacks that twin. Raises PhotoError for a mask of
        another shape."""
        if norm not in self.painted:
            return self.photo
        return finish(self.painted[norm].image, self.photo, how.strength, how.keep_colours, how.protect)

    def credit(self, norm: str) -> Credit:
        """What is to be said of that picture: nothing of the photo itself."""
        return credit([self.style], norm) if norm in self.painted else {}


class Kept(Generic[T]):
    """What was last painted, at most `most`, by what it was painted from: another strength needs no new painting."""

    def __init__(self, most: int = KEPT):
        self._most, self._lock = most, threading.Lock()
        self._found: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """That one, which then is the last that was used."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: Hashable, painted: T) -> None:
        """Keep one, and let go of the oldest."""
        with self._lock:
            self._found[key] = painted
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)


_kept = Kept[Comparison]()
_walls = Kept[list[Image.Image]](KEPT_WALLS)


@contextmanager
def plain_errors():
    """Turn the library's errors into messages on the page."""
    try:
        yield
    except ZooError as error:
        # the page shows it as HTML, and what a stranger wrote may be quoted in it
        words = html.escape(brief(without_paths(error), LONGEST), quote=False)
        raise gr.Error(words, title="This did not work", print_exception=False) from error


@on_gpu(duration=15)
def paint_on_gpu(photo: Image.Image, style: Style, norms: tuple[str, ...], manner: Manner = ANY) -> dict[str, Painted]:
    """`Painter.paint`, on a ZeroGPU Space in a forked process; one call for all norms, as each would wait for a GPU anew."""
    return painter().paint(photo, style, norms, manner=manner)


@on_gpu(duration=15)
def frames_on_gpu(frames: list[Image.Image], style: Style) -> list[Painted]:
    """Some frames of a clip as instance norm paints them, in one call, as `paint_on_gpu`."""
    return [painter().paint(frame, style)["instance"] for frame in frames]


@on_gpu(duration=15)
def _wall_on_gpu(tile: Image.Image, styles: list[Style]) -> list[Painted]:
    """One tile in all styles, in one call, as `paint_on_gpu`."""
    return [_painted_tile(tile, style) for style in styles]


FOR_TILES = Manner(TORCH[0])  # by what needs no compiling, which takes longer than all tiles


def _painted_tile(tile: Image.Image, style: Style) -> Painted:
    """The tile in a style; as it is for one that is damaged, as whoever picks it is told, and the others are none the worse."""
    try:
        return painter().paint(tile, style, manner=FOR_TILES)["instance"]
    except ZooError:
        return Painted(tile, 0.0)


@on_gpu(duration=15)
def _blend_on_gpu(photo: Image.Image, generator: Generator) -> Painted:
    """A photo as a generator paints it that belongs to no style."""
    return paint_fast(generator.to(painter().device), photo)


def paint(photo: str, style: Style, norms: tuple[str, ...], canvas: Canvas, visit: Visit = NOBODY) -> Comparison:
    """The photo at `photo` as each of the norms paints it on such a canvas, when it is its turn.

    Raises ZooError, Superseded when it is not wanted any more, not even at the end.
    """
    generators = load_generators(style, norms)
    key = photo, canvas, *generators
    done = _kept.get(key)
    if done is None:
        with turn(canvas, visit):
            image = fade(read_photo(photo, canvas.size), canvas.contrast)
            check_work(image, generators, canvas.strokes)
            manner = Manner(tell=_teller(visit, len(norms)) if painter().device.type == "cpu" else None, strokes=canvas.strokes)
            done = Comparison(style, image, paint_on_gpu(image, style, norms, manner))
        for norm, one in done.painted.items():
            COUNTS.paint(norm, [one])
        if not canvas.is_large:
            _kept.put(key, done)
    visit.still_wanted()
    return done


def turn(canvas: Canvas, visit: Visit) -> AbstractContextManager[None]:
    """A visit's turn to paint on such a canvas: a large one holds up nobody but those who want another."""
    return (LARGE_TURNS if canvas.is_large else TURNS).turn(visit)


def _teller(visit: Visit, pictures: int) -> Tell:
    """What is told the share of one picture after another that is painted: tells the share of all, or stops, by Superseded."""
    done, last = 0, 0.0

    def tell(share: float) -> None:
        nonlocal done, last
        visit.still_wanted()
        done, last = done + (share < last), share
        visit.tell((done + share) / pictures)

    return tell


def wall(photo: str | None, styles: list[Style], visit: Visit = NOBODY) -> list[Image.Image]:
    """The middle of the photo at `photo`, TILE px square, as the instance norm of each of the styles paints it; errors as of
    `paint`, but for those of a style."""
    path, _ = check_request(photo, TILE)
    key = path, *map(_for_tile, styles)
    tiles = _walls.get(key)
    if tiles is None:
        with TURNS.turn(visit):
            image = read_photo(path, 4 * TILE)  # a photo is rarely longer than four times its short side
            painted = _wall_on_gpu(ImageOps.fit(image, (TILE, TILE), Image.Resampling.LANCZOS), styles)
        COUNTS.paint("tile", painted)
        tiles = [one.image for one in painted]
        _walls.put(key, tiles)
    visit.still_wanted()
    return tiles


def _for_tile(style: Style) -> Generator | None:
    """What paints its tile, in main memory; None where it is damaged, see _painted_tile."""
    with suppress(ZooError):
        return painter().load(style, ("instance",))["instance"]
    return None


def blend(
    photo: str | None, weights: object, norm: str, size: object, visit: Visit = NOBODY
) -> tuple[Image.Image, list[Style]]:
    """The photo at `photo` between styles, as of `zoo.blend`, whatever was sent, and these: weights by name; errors as of
    `paint`."""
    path, canvas = check_request(photo, size)
    shares = check_weights(weights)
    styles = [find_in_zoo(slug) for slug in shares]
    generator = mix([load_generators(style, (norm,))[0] for style in styles], list(shares.values()))
    with turn(canvas, visit):
        image = read_photo(path, canvas.size)
        check_work(image, [generator])
        painted = _blend_on_gpu(image, generator)
    COUNTS.paint("blend", [painted])
    return painted.image, styles


def compare(
    photo: str | None, slug: object, size: object, contrast: object = 1.0, strokes: object = 1.0, visit: Visit = NOBODY
) -> Comparison:
    """The photo at `photo` as both twins paint it, whatever was sent: sizes and errors as of `paint`."""
    (path, canvas), style = check_request(photo, size, contrast, strokes), find_in_zoo(slug)
    return paint(path, style, tuple(norm for norm in NORMS if norm in style.norms), canvas, visit)


def load_generators(style: Style, norms: tuple[str, ...]) -> list[Generator]:
    """Its generators, here, where what is loaded stays: on a Space the GPU's process is thrown away."""
    for norm in norms:
        if norm not in style.norms:
            raise StyleFolderError(f"{style.title} has no {norm}-norm generator, only {', '.join(style.norms)}")
    return list(painter().load(style, norms, timeout=TIMEOUT, deadline=DEADLINE).values())


def describe(comparison: Comparison) -> str:
    """One line: size, seconds, device, and which engine painted, if it is one of several."""
    times = " · ".join(f"{norm} norm {one.seconds:.2f} s" for norm, one in comparison.painted.items())
    if missing := [norm for norm in NORMS if norm not in comparison.painted]:
        times += f" · this style has no {missing[0]}-norm twin: that side is your photo"
    w, h = comparison.photo.size
    engines = dict.fromkeys(one.engine for one in comparison.painted.values() if one.engine != "module")
    by = f" by {' and '.join(engines)}" if engines else ""
    return f"{w}×{h} px · {times} · on {'CPU' if painter().device.type == 'cpu' else 'GPU'}{by}"


def find_in_zoo(slug: object) -> Style:
    """The style of that slug, or owner/name[@revision] of the Hub; no paths: visitors see the zoo, not the disk."""
    if not isinstance(slug, str) or len(slug) > MAX_NAME:
        raise StyleNotFoundError(f"a style is named by its slug or as owner/name[@revision] of the Hub, got {shorten(slug)}")
    blocklist.check(slug)
    style = find_named(slug, timeout=TIMEOUT, deadline=DEADLINE)
    blocklist.check_base(style)
    return style
