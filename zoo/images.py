"""Pictures from outside, made safe: whatever Pillow reads becomes an upright 8-bit RGB image, or a clear PhotoError."""

import math
import os
import struct
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from zoo.beside import new_part
from zoo.containers import MAX_EXIF, has_too_many_parts
from zoo.device import CPU, is_out_of_memory
from zoo.errors import PhotoError, brief
from zoo.registry import MIN_SIDE

MAX_SCANS = 100  # of a progressive JPEG; cameras and programs make some ten
MAX_PIXELS = 200_000_000
_RUNS = (1, 2)  # compressions of a BMP that write how often a pixel is repeated
MAX_NUMBERS = 1_000_000  # pixels of a PPM that Pillow reads number by number, in Python: more than 3 s
SLOW = 10  # times as long as others a decoder of JPEG 2000 takes for a pixel, up to a second for a megapixel
# The formats that are read, by suffix. Pillow has forty more, which strangers' files need not reach: EPS calls Ghostscript.
FORMATS = {
    "JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "WEBP": (".webp",), "TIFF": (".tif", ".tiff"), "GIF": (".gif",),
    "BMP": (".bmp",), "AVIF": (".avif",), "JPEG2000": (".jp2",), "PPM": (".ppm",),
}  # fmt: skip
SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}

Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow's guard against bombs stays on, at the documented limit


def save_picture(image: Image.Image, path: Path, quality: int = 95, **options: Any) -> None:
    """Write a picture, making its folder; what was there before stays until it is done. `quality` is for JPEG and WebP, other
    options are Pillow's for the format, which would keep the comment of the file that the picture was read from. Raises
    PhotoError on failure."""
    check_picture_name(path)
    partial = new_part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "w+b") as file:  # closed also after Ctrl-C, or it could not be deleted on Windows
            image.save(file, Image.EXTENSION[path.suffix.lower()], quality=quality, **{"comment": b"", **options})
        os.replace(partial, path)
    except (OSError, ValueError) as error:  # ValueError: too large for the format
        raise PhotoError(f"cannot write {brief(path)}: {getattr(error, 'strerror', None) or error}") from error
    finally:  # also for Ctrl-C
        with suppress(OSError):
            partial.unlink()


def check_picture_name(path: Path) -> None:
    """Raise PhotoError, before the work, for a name that ends as no picture that can be written, or stands for a pipe."""
    Image.init()
    if Image.EXTENSION.get(path.suffix.lower()) not in Image.SAVE or path.suffix.lower() not in SUFFIXES:
        raise PhotoError(f"cannot write {brief(path)}: end its name in .png, .jpg or .webp")
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise PhotoError(f"cannot write {brief(path)}: it is there already, and is no file; give another name")


def list_photos(folder: str | Path) -> list[Path]:
    """Picture files below a folder, by suffix, in the order of their names. Raises PhotoError when there are none.

    What is hidden, links that lead nowhere, and whatever else is no file are left out.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise PhotoError(f"{brief(folder)} is not a folder")
    try:
        os.scandir(folder).close()  # rglob passes over a folder that may not be read
        pictures = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and os.path.isfile(path)]
    except OSError as error:
        raise PhotoError(f"cannot read the folder {brief(folder)}: {error.strerror}") from error
    photos = sorted(p for p in pictures if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    if not photos:
        raise PhotoError(f"no pictures in {brief(folder)}: put {', '.join(sorted(SUFFIXES))} files there")
    return photos


def open_photo(
    source: str | Path | IO[bytes] | Image.Image,
    size: int | None = None,
    max_pixels: int = MAX_PIXELS,
    formats: Iterable[str] = FORMATS,
    gap: float = 2,
) -> Image.Image:
    """Read a picture in one of `formats` as upright RGB: EXIF orientation applied, transparency over white, 16-bit scaled to 8.

    With `size`, reduced to a long side of that many pixels, as `fit_long_side` does; a JPEG file is then decoded at a half,
    a quarter or an eighth where that leaves `gap` times the size, which saves most of the time and memory of a large one.
    Raises PhotoError when it is not a picture, is broken, has a side under 32 px or over `max_pixels` pixels; their number is
    looked at before they are decoded.
    """
    name = "the picture"
    if isinstance(source, (str, Path)):
        name = brief(Path(source).name)
        if os.path.exists(source) and not os.path.isfile(source):  # a pipe would be waited for
            raise PhotoError(f"{name} is no file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's notes on odd metadata and on size: the limit here is checked below
            if not isinstance(source, Image.Image):
                with open(source, "rb") if isinstance(source, (str, Path)) else nullcontext(source) as file:
                    if has_too_many_parts(file):
                        raise PhotoError(f"{name} is made of thousands of parts beside its pixels: save it anew")
            image = source if isinstance(source, Image.Image) else Image.open(source, formats=list(formats))
            with nullcontext() if image is source else image:  # which closes the file, also that of a broken picture
                _check_size(image, name, max_pixels)
                if image is not source:
                    _check_scans(image, name)
                    _check_tiles(image, name, max_pixels)
                if size is not None and image is not source:
                    w, h = (max(1, int(gap * size * side / max(image.size))) for side in image.size)
                    image.draft(None, (w, h))
                with _silent() if image.format == "TIFF" else nullcontext():
                    upright = _to_rgb(_turned(image))
            return fit_long_side(upright, size)
    except Image.DecompressionBombError as error:  # twice the limit and more: Pillow does not even open it
        raise PhotoError(f"{name} is enormous: reduce it to at most {max_pixels // 10**6} megapixels") from error
    except FileNotFoundError as error:
        raise PhotoError(f"no such file: {brief(source)}") from error
    except PhotoError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
        if isinstance(error, OSError) and error.strerror:  # the system's word: may not be read, name too long, links in a ring
            raise PhotoError(f"cannot read {name}: {error.strerror}") from error
        if is_out_of_memory(error):
            raise PhotoError(f"there is not enough memory to read {name}: free some, or reduce it first") from error
        why = "it is none, or of an unknown format" if isinstance(error, UnidentifiedImageError) else brief(error)
        raise PhotoError(f"cannot read {name} as a picture ({why}): use a sound JPEG, PNG, WebP or TIFF") from error


def _check_scans(image: Image.Image, name: str) -> None:
    """A decoder goes over all blocks of a progressive JPEG once a scan, and a megabyte may hold 80,000: minutes of a core."""
    if image.format not in ("JPEG", "MPO") or not isinstance(image, ImageFile.ImageFile) or image.fp is None:
        return
    file, scans, last = image.fp, 0, b""
    place = file.tell()
    file.seek(0)
    while part := file.read(2**20):
        scans += (last + part).count(b"\xff\xda")
        last = part[-1:]
    file.seek(place)
    if scans > MAX_SCANS:
        raise PhotoError(f"{name} comes in {scans:,} scans: save it again as an ordinary JPEG, of at most {MAX_SCANS}")


def _check_tiles(image: Image.Image, name: str, max_pixels: int) -> None:
    """What a decoder works at beside the size that a file says it has: the tiles of a TIFF, which may be far larger than the
    picture and are decoded whole; the numbers of a PPM, which Pillow takes one by one where they are not plain bytes; the
    pixels of a JPEG 2000, a kilobyte of which may take a minute, and of a BMP of runs."""
    if not isinstance(image, ImageFile.ImageFile) or image.fp is None:
        return
    if image.format == "PPM" and image.tile[0][0] != "raw" and math.prod(image.size) > MAX_NUMBERS:
        raise PhotoError(f"{name} is a large PPM written as text, or not of 8 or 16 bits: save it as a PNG")
    runs = image.format == "BMP" and image.info.get("compression") in _RUNS  # which Pillow decodes in Python
    if (image.format == "JPEG2000" or runs) and math.prod(image.size) > (limit := max_pixels // SLOW):
        what = "JPEG 2000" if image.format == "JPEG2000" else "BMP written as runs"
        raise PhotoError(f"{name} is a {what} of more than {limit // 10**6} megapixels: save it as a PNG")
    if image.format == "TIFF" and math.prod(sides := _tile_of_tiff(image.fp)) > max_pixels:
        w, h = sides
        raise PhotoError(f"{name} has tiles of {w}×{h} px: save it as a PNG")


def _tile_of_tiff(file: IO[bytes]) -> tuple[int, int]:
    """Width and height in px of the tiles of a TIFF, 0 where it has none. Raises ValueError for one that says them twice or
    as no plain number: of these libtiff takes another than Pillow."""
    place = file.tell()
    file.seek(0)
    start = file.read(16)
    order, big = "<" if start[:2] == b"II" else ">", 43 in start[2:4]
    file.seek(*struct.unpack_from(order + ("Q" if big else "I"), start, 8 if big else 4))
    (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))
    entry, sides = struct.Struct(order + ("HHQ8s" if big else "HHI4s")), {322: 0, 323: 0}
    for _ in range(min(count, 2**16)):
        tag, kind, values, value = entry.unpack(file.read(entry.size))
        if tag not in sides:
            continue
        if sides[tag] or values != 1 or kind not in (3, 4):  # SHORT, LONG
            raise ValueError("odd tiles")
        (sides[tag],) = struct.unpack_from(order + " HI"[kind - 2], value)
    file.seek(place)
    return sides[322], sides[323]


_silence = threading.Lock()


@contextmanager
def _silent() -> Iterator[None]:
    """Inside, what C libraries write to stderr is lost: libtiff tells there of each fault of a file, past Pillow's error."""
    with _silence:
        try:
            kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        except OSError:  # there is no stderr
            yield
            return
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    w, h = image.size
    if min(w, h) < MIN_SIDE:
        raise PhotoError(f"{name} is {w}×{h} px: both sides must be at least {MIN_SIDE} px")
    if w * h > max_pixels:
        raise PhotoError(f"{name} has {w * h / 1e6:.0f} megapixels: reduce it to at most {max_pixels // 10**6}")


def _turned(image: Image.Image) -> Image.Image:
    """EXIF orientation applied. Broken metadata are no reason to refuse a photo."""
    image.load()  # of a PNG, metadata may follow the pixels
    try:
        if len(image.info.get("exif", b"")) > MAX_EXIF:
            raise ValueError("larger than any camera writes, and unpacked number by number")
        image.getexif()
    except Exception:  # whatever Pillow's parser stumbles over
        image.info.pop("exif", None)
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # it writes the tags anew, and cannot write all that it reads
        exif = image.getexif()
        for tag in set(exif) - {ExifTags.Base.Orientation}:
            del exif[tag]
        image.info["exif"] = exif.tobytes()
        return ImageOps.exif_transpose(image)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise ValueError("some of its pixels are no finite numbers")
        # What white is, is not written in such files: 65535 in 16-bit modes, else the least of 1 (for floats), 255 and
        # 65535 that holds the brightest pixel, which may be higher still in scientific pictures.
        tops = (65535,) if image.mode.startswith("I;16") else (1, 255, 65535)[image.mode == "I" :]
        top = next((top for top in tops if values.max() <= top), values.max())
        # in strips, so that a large picture does not need many times its size
        strips = [np.uint8(np.clip(strip * np.float32(255 / top) + 0.5, 0, 255)) for strip in np.array_split(values, 64)]
        return Image.fromarray(np.concatenate(strips)).convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        flat.info = image.info
        return flat
    return image.convert("RGB")


def fit_long_side(image: Image.Image, size: int | None) -> Image.Image:
    """Reduce (Lanczos) so that the long side is `size` px; never enlarge; no side falls below 32 px."""
    return image if size is None or max(image.size) <= size else scale(image, size / max(image.size))


def scale(image: Image.Image, factor: float) -> Image.Image:
    """Resize (Lanczos) by a factor; no side falls below 32 px."""
    w, h = (max(MIN_SIDE, round(side * factor)) for side in image.size)
    return image.resize((w, h), Image.Resampling.LANCZOS)


def fit_short_side(image: Image.Image, size: int) -> Image.Image:
    """Resize (Lanczos) so that the short side is `size` px, up or down."""
    scale = size / min(image.size)
    w, h = (max(size, round(side * scale)) for side in image.size)
    return image.resize((w, h), Image.Resampling.LANCZOS)


def fade(photo: Image.Image, contrast: float) -> Image.Image:
    """Scale the contrast of an RGB image about its mean colour: 1 leaves it, 0 would make it flat (paper, figure 2)."""
    return photo if contrast == 1 else to_image(faded(to_tensor(photo), contrast))


def faded(photos: torch.Tensor, contrast: float) -> torch.Tensor:
    """The same of B×3×H×W photos, each about its own mean colour."""
    mean = photos.mean(dim=(2, 3), keepdim=True)
    return mean + contrast * (photos - mean)


def to_tensor(image: Image.Image, device: torch.device = CPU) -> torch.Tensor:
    """RGB image -> 1×3×H×W float32 in [0, 1] on that device, channels-last."""
    pixels = torch.from_numpy(np.array(image, dtype=np.uint8))
    if device.type == "cuda":  # as bytes, from where the GPU fetches them while the processor goes on
        pixels = pixels.pin_memory()
    return pixels[None].to(device, non_blocking=device.type == "cuda").permute(0, 3, 1, 2).float().div_(255)


def to_image(tensor: torch.Tensor) -> Image.Image:
    """3×H×W or 1×3×H×W in [0, 1] -> RGB image, rounded to 8 bits."""
    pixels = tensor.detach().reshape(tensor.shape[-3:]).float().clamp(0, 1).mul(255).round()
    return Image.fromarray(pixels.to(torch.uint8).permute(1, 2, 0).cpu().numpy())
