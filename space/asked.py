"""What was asked for, looked at: every function of the page can be called by its index, with anything for a value."""

import base64
import io
import math
from dataclasses import dataclass
from typing import TypeGuard, cast

from PIL import Image, ImageOps

from space.words import NORMS
from zoo import memory
from zoo.engine.painting import check_strokes
from zoo.engine.torch_engine import LEVELS, TorchEngine, torch_engine
from zoo.errors import ConfigError, PhotoError, StyleNotFoundError, shorten
from zoo.images import open_photo
from zoo.registry import Generator

MAX_SIZE = 8192  # px; long side, more than a phone's photos have
MAX_PIXELS = 50_000_000  # of an upload: more than a phone's photo has
LARGE = 2048  # px; pictures with a longer side are painted one at a time, while others are painted beside it
WORK = 1e12  # multiplications of a picture, at most: half a minute on two cores; 26 megapixels by a style of width 16
PICTURE = int(2.5 * 2**30)  # bytes that painting one in one piece may take, likewise a minute's work of what needs most
LIMIT = "the limit of this page"
PNG = "data:image/png;base64,"
MASK = 2**17, 2**20  # letters and pixels of what the page's brush has drawn, at most
BLENDED = 4  # styles, at most: each is loaded


@dataclass(frozen=True)
class Canvas:
    """What a photo is painted on: reduced to a long side of `size` px, its contrast at a share of its own, by strokes at a
    share of their usual length."""

    size: int
    contrast: float = 1.0
    strokes: float = 1.0

    @property
    def is_large(self) -> bool:
        """Whether painting it takes long, and much memory."""
        return is_large(self.size / min(self.strokes, 1))


def is_large(size: object) -> bool:
    """Whether a long side of so many px has a picture painted in a line of its own, with progress and a way to stop it."""
    return _is_number(size) and size > LARGE


def check_request(photo: str | None, size: object, contrast: object = 1.0, strokes: object = 1.0) -> tuple[str, Canvas]:
    """The same once it is looked at. Raises ZooError for no photo, a size, contrast or strokes out of range.

    Every function of the page can be called by its index, with anything for a value: what it paints with comes through here.
    """
    if photo is None:
        raise PhotoError("there is no photo yet: upload one, or pick an example")
    if not _is_number(contrast) or not 0.1 <= contrast <= 1:
        raise ConfigError(f"contrast is a share of the photo's own and must lie in 0.1..1, got {shorten(contrast)}")
    if not _is_number(size) or not 32 <= size <= MAX_SIZE:
        raise ConfigError(f"size is the long side in pixels and must lie in 32..{MAX_SIZE}, got {shorten(size)}")
    return photo, Canvas(round(size), contrast, check_strokes(strokes))


def check_norm(norm: object) -> str:
    """The norm that was asked for. Raises ConfigError for another."""
    if norm not in NORMS:
        raise ConfigError(f"norm must be instance or batch, got {shorten(norm)}")
    return str(norm)


def check_weights(weights: object) -> dict[str, float]:
    """The weights of a blend by name. Raises ConfigError unless they are 2 to BLENDED shares that add up to 1."""
    shares = weights if isinstance(weights, dict) and 2 <= len(weights) <= BLENDED else {}
    if not all(_is_number(share) and 0 <= share <= 1 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        need = f'2 to {BLENDED} styles with shares that add up to 1, as {{"morning": 0.5, "evening": 0.5}}'
        raise ConfigError(f"a blend takes {need}, got {shorten(weights)}")
    return shares


def check_protect(drawn: object) -> Image.Image | None:
    """What the page's brush has drawn, see `space.protect`, as a mask for `zoo.finish`; None for nothing. Raises PhotoError."""
    if drawn in ("", None):
        return None
    try:
        if not isinstance(drawn, str) or not drawn.startswith(PNG) or len(drawn) > MASK[0]:
            raise ValueError("not of the page's brush")
        file = io.BytesIO(base64.b64decode(drawn[len(PNG) :], validate=True))
    except ValueError as error:
        need = "what is protected comes from the page's brush, as a small PNG: clear it, and brush again"
        raise PhotoError(need) from error
    flat = open_photo(file, None, MASK[1], ("PNG",))
    return ImageOps.invert(flat.getchannel("G"))  # a colour without green, by now over white


def check_work(photo: Image.Image, generators: list[Generator], strokes: float = 1.0) -> None:
    """Raise PhotoError for a photo that would hold a turn for more than a minute with one of these. Of those that can be
    painted in strips their multiplications say so, of others what they take of the memory."""
    size = cast(tuple[int, int], tuple(round(side / strokes) for side in photo.size))
    for generator in generators:
        costs = memory.whole(generator.config)
        if not TorchEngine.knows(generator):
            memory.check(costs, size, PICTURE, LIMIT)
        elif (share := torch_engine(generator).plan(size, LEVELS[0])[0] / WORK) > 1:
            fits = int(max(photo.size) / math.sqrt(share))
            w, h = photo.size
            raise PhotoError(
                f"{w}×{h} px would take too long with this style: choose a long side of {fits} px or less ({LIMIT})"
            )


def check_index(index: object, length: int) -> int:
    """The place of a tile that was picked. Raises StyleNotFoundError for one that is not there."""
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < length:
        raise StyleNotFoundError(f"there is no tile {shorten(index)}: {length} styles are shown")
    return index


def read_photo(photo: str, size: int | None = None) -> Image.Image:
    """An upload, read as `open_photo` reads it but for a lower limit of pixels. Raises PhotoError."""
    return open_photo(photo, size, MAX_PIXELS)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
