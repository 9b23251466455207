"""What a photo's file says beside its pixels, and what of it goes with the painting."""

import io
from contextlib import suppress
from pathlib import Path

from PIL import ExifTags, Image, ImageCms

from zoo.images import FORMATS

SOFTWARE = ExifTags.Base.Software
# Of whom and when a photo is. Where it was taken, by which camera, and its small picture are left behind.
KEPT = (ExifTags.Base.DateTime, ExifTags.Base.Artist, ExifTags.Base.Copyright)
DATES = (
    ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized, ExifTags.Base.OffsetTime,
    ExifTags.Base.OffsetTimeOriginal, ExifTags.Base.OffsetTimeDigitized, ExifTags.Base.SubsecTime,
    ExifTags.Base.SubsecTimeOriginal, ExifTags.Base.SubsecTimeDigitized,
)  # fmt: skip


def exif_of(photo: Image.Image, software: str) -> Image.Exif:
    """The EXIF of a painting of that photo: its dates, author and copyright, and what made the painting, in ASCII."""
    exif = Image.Exif()
    with suppress(Exception):  # Pillow raises nearly anything on broken metadata, for which no photo is given up
        given = photo.getexif()
        within = given.get_ifd(ExifTags.IFD.Exif)
        exif.update({tag: given[tag].encode("latin-1") for tag in KEPT if tag in given})  # as bytes: Pillow would write ? for é
        exif.get_ifd(ExifTags.IFD.Exif).update({tag: within[tag] for tag in DATES if isinstance(within.get(tag), str)})
    exif[SOFTWARE] = software
    return exif


def software_of(picture: Path) -> str:
    """What made a picture file, as its EXIF says; empty when that says nothing, or there is no such file. Reads no pixels."""
    exif = Image.Exif()
    with suppress(Exception), Image.open(picture, formats=list(FORMATS)) as image:
        exif.load(image.info.get("exif", b""))  # getexif would decode a PNG that has none
        return str(exif.get(SOFTWARE, ""))
    return ""


def tells_nothing(picture: Path) -> bool:
    """Whether a file is a JPEG of a picture and its colours alone: neither place nor camera, owner nor comment."""
    with suppress(Exception), Image.open(picture, formats=["JPEG"]) as image:
        parts = getattr(image, "applist", [("unknown", b"")])
        return all(kind in ("APP0", "APP14") or (kind == "APP2" and said.startswith(b"ICC_PROFILE")) for kind, said in parts)
    return False


def to_srgb(image: Image.Image) -> Image.Image:
    """An RGB image whose ICC profile is another than sRGB's (a camera's Adobe RGB, a phone's Display P3) in sRGB, which is what
    generators were trained on and pictures without a profile are shown in.

    As it is when it has no profile, one that is broken, or one of another colour space, as of a CMYK file.
    """
    if profile := image.info.get("icc_profile"):
        with suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
            return ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB")) or image
    return image
