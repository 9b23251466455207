"""A painted picture as a file that says in whose style it is, wherever it goes."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

import zoo
from zoo.errors import ConfigError, shorten
from zoo.style import Style

FORMATS = {"PNG": "png", "JPEG": "jpg", "WebP": "webp"}  # what a picture may be kept as: the ending of its name
SHOWN = "as shown"  # on the page alone: WebP without a loss, no larger than PNG and made in a quarter of the time
ENDINGS = {**FORMATS, SHOWN: FORMATS["WebP"]}
QUALITY = 92  # of JPEG and WebP, where strokes show no blocks yet
EXIF = {"Description": ExifTags.Base.ImageDescription, "Author": ExifTags.Base.Artist, "Software": ExifTags.Base.Software}

Credit = dict[str, str]  # by the keywords that the PNG specification registers


def credit(styles: Sequence[Style], norm: str, what: str = "A photo") -> Credit:
    """What is to be said of a picture between these styles, or in the only one."""
    title = " and ".join(style.title for style in styles)
    painters = " and ".join(style.by for style in styles if style.by)
    shared = "".join(f", {style.source}" for style in styles if "@" in style.source)
    facts = {
        "Title": title,
        "Author": f"after {painters}" if painters else "",
        "Description": f"{what} in the style of {title}{f' by {painters}' if painters else ''}, {norm} norm{shared}",
        "Software": f"Missing Ingredient {zoo.__version__}",
    }
    # a stranger's style may be called anything
    return {key: words for key, text in facts.items() if (words := "".join(filter(str.isprintable, text)))}


def check_format(format: object) -> str:
    """One of FORMATS. Raises ConfigError for another."""
    if not isinstance(format, str) or format not in FORMATS:
        raise ConfigError(f"a picture is kept as {', '.join(FORMATS)}, got {shorten(format)}")
    return format


def encode(image: Image.Image, format: str, said: Credit) -> bytes:
    """The bytes of a file in one of FORMATS or SHOWN, with that credit: in EXIF, which says it in fewer fields, and in PNG's
    texts."""
    file, exif, texts = io.BytesIO(), Image.Exif(), PngImagePlugin.PngInfo()
    for key, words in said.items():
        texts.add_itxt(key, words)
        if key in EXIF:  # as UTF-8, as everybody writes and reads it, though EXIF knows but ASCII before its third version
            exif[EXIF[key]] = words.encode()
    special: dict[str, dict[str, Any]] = {"PNG": {"pnginfo": texts}, SHOWN: {"lossless": True, "quality": 0, "method": 0}}
    own = image.copy()  # Pillow notes on a picture how it is saved, and several visitors may be shown the same one
    own.save(file, "WebP" if format == SHOWN else format, exif=exif, **special.get(format, {"quality": QUALITY}))
    return file.getvalue()
