"""All that is set on the page: as a link that brings it back to anybody, and as a visitor's own way back to a picture."""

import filecmp
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from space.asked import MAX_SIZE
from space.words import LEFT
from zoo.images import list_photos
from zoo.names import is_hub_id
from zoo.style import PHOTO

SIZES = {"256 px": 256, "512 px": 512, "768 px": 768, "1080 px": 1080, "2048 px": 2048, "original": MAX_SIZE}
STROKES = {"finer": 0.6, "as trained": 1.0, "broader": 1.6}  # shares of the usual length
PHOTOS = [PHOTO, *list_photos(Path(__file__).parent / "examples")]
REMEMBERED = 8  # pictures of a visit

# What a link may say, and what that means, of everything but the style.
MEANINGS: dict[str, dict[str, Any]] = {
    "photo": {path.stem: str(path) for path in PHOTOS},
    "size": {word.removesuffix(" px"): size for word, size in SIZES.items()},
    "contrast": {str(share): share for share in range(10, 101)},
    "strokes": {word: share for word, share in STROKES.items() if share != 1},
    "strength": {f"{share / 100:g}": share / 100 for share in range(101)},
    "left": {left: left for left in LEFT},
    "colours": {"own": True, "painted": False},
    "line": {str(share): share for share in range(101)},
}


@dataclass(frozen=True)
class Settings:
    """What a picture is made of: a style by slug or owner/name[@revision], the path of a photo, px of the long side, % of the
    photo's contrast, the paint's strength, what is on the left, whether the photo keeps its colours, the length of strokes, %
    from the left of the line between both pictures, which the browser alone knows, and what is protected, as of
    `space.protect`, which no link could hold."""

    style: str
    photo: str = str(PHOTO)
    size: int = 512
    contrast: float = 100
    strength: float = 1.0
    left: str = "batch"
    colours: bool = False
    strokes: float = 1.0
    line: int = 50
    protect: str = ""


def to_link(settings: Settings) -> dict[str, str]:
    """A link's parameters, the usual left out: so is the photo where it is the visitor's own, which nobody else has."""
    near = replace(
        settings, photo=_bundled(settings.photo), contrast=round(settings.contrast), strength=round(settings.strength, 2)
    )
    words = {key: {meaning: word for word, meaning in meanings.items()} for key, meanings in MEANINGS.items()}
    said = {key: words[key].get(getattr(near, key)) for key in MEANINGS if getattr(near, key) != getattr(Settings, key)}
    return {"style": settings.style, **{key: word for key, word in said.items() if word is not None}}


def is_own(photo: str) -> bool:
    """Whether a photo is the visitor's own, which no link brings to anybody."""
    return _bundled(photo) not in map(str, PHOTOS)


def _bundled(photo: str) -> str:
    """The page's own photo that an upload or a copy is, or that path itself."""
    return next((str(path) for path in PHOTOS if os.path.isfile(photo) and filecmp.cmp(path, photo, shallow=False)), photo)


def from_link(said: Mapping[str, str], slugs: list[str]) -> tuple[Settings | None, list[str]]:
    """What a link asks for, None where that is nothing of ours; and those of its parameters that ask for what is not there: it
    may be old, or anybody's."""
    known = {key: meanings.get(said[key]) for key, meanings in MEANINGS.items() if key in said}
    if "style" in said:
        known["style"] = said["style"] if said["style"] in slugs or is_hub_id(said["style"]) else None
    wrong = sorted(key for key, value in known.items() if value is None)
    found = {"style": slugs[0], **{key: value for key, value in known.items() if value is not None}}
    return (Settings(**found) if known else None), wrong


def remember(seen: list[tuple[Settings, str]], settings: Settings, thumbnail: str) -> list[tuple[Settings, str]]:
    """The last REMEMBERED pictures of a visit with this one first, each once: what they are made of, and a file of them.

    Every touch of the brush makes another picture: of those that differ in what is protected alone, the last is remembered.
    """
    return [
        (settings, thumbnail), *(one for one in seen if replace(one[0], protect=settings.protect) != settings)
    ][:REMEMBERED]  # fmt: skip
