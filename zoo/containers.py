"""What a picture file holds beside its pixels, counted before Pillow reads it.

Pillow reads comments, metadata and unknown parts one by one, in Python, and appends some of them to what came before: a
megabyte of tiny ones takes seconds of a core, ten take minutes. Values of a TIFF, or of EXIF in any format, may lie over each
other, and Pillow copies each: a megabyte becomes sixty gigabytes of them.
"""

import io
import re
from collections.abc import Callable
from typing import IO

from PIL import TiffImagePlugin, TiffTags

MOST = 4000  # parts; a camera's JPEG has some ten, a megabyte of depth or notes a few hundred
MOST_DATA = 100_000  # chunks that hold a PNG's pixels: 8 KiB of them each, usually
MAX_EXIF = 2**20  # bytes; a segment of a JPEG holds 64 KiB
MAX_NUMBERS = 2**20  # bytes of one value of a TIFF that are numbers: where its strips lie, say; Pillow makes an object of each
HEADER = 2**16  # bytes; of a PPM with its comments, which Pillow reads one by one
_BARE = {0x00, 0x01, 0xFF, *range(0xD0, 0xD9)}  # bytes after 0xFF in a JPEG that no length follows


def has_too_many_parts(file: IO[bytes]) -> bool:
    """Whether a JPEG, PNG, GIF, PPM or JPEG 2000 has more parts than any that is meant to be seen. The file is read from its
    beginning, and put back there."""
    try:
        file.seek(0)
        start = file.read(8)
        kinds: dict[bytes, Callable[[IO[bytes]], bool]] = {b"\xff\xd8": _jpeg, b"\x89P": _png, b"GI": _gif, b"\0\0": _jp2}
        walk = kinds.get(start[:2], _ppm if re.match(rb"P[1-6f]", start) else None)
        return walk is not None and walk(file)
    finally:
        file.seek(0)


def _jpeg(file: IO[bytes]) -> bool:
    """Segments, and bytes between them, up to the first scan."""
    file.seek(2)
    for _ in range(MOST):
        head = file.read(4)
        if len(head) < 4 or head[:2] == b"\xff\xda":
            return False
        if head[0] != 0xFF:
            file.seek(-3, 1)
        elif head[1] in _BARE:
            file.seek(-2 - (head[1] == 0xFF), 1)
        else:
            file.seek(max(0, int.from_bytes(head[2:], "big") - 2), 1)
    return True


def _png(file: IO[bytes]) -> bool:
    """Chunks: those of pixels, of which a large picture has thousands, and others."""
    file.seek(8)
    data = others = 0
    while data < MOST_DATA and others < MOST:
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return False
        data, others = data + (head[4:] == b"IDAT"), others + (head[4:] != b"IDAT")
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return True


def _gif(file: IO[bytes]) -> bool:
    """Blocks of extensions up to the first frame."""
    file.seek(6)
    screen = file.read(7)
    if len(screen) < 7:
        return False
    file.seek(3 * 2 ** ((screen[4] & 7) + 1) if screen[4] & 0x80 else 0, 1)
    inside = False  # of an extension, where each block begins with its length
    for _ in range(MOST):
        byte = file.read(1)
        if not byte or (not inside and byte in b",;"):
            return False
        if inside:
            inside = byte != b"\0"
            file.seek(byte[0], 1)
        elif byte == b"!":
            inside = bool(file.read(1))
    return True


def _jp2(file: IO[bytes]) -> bool:
    """Boxes up to the pixels, those in the header among them."""
    file.seek(0)
    for _ in range(MOST):
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or length == 0 or kind == b"jp2c":  # 0: up to the end of the file
            return False
        if length == 1:
            length, head = int.from_bytes(file.read(8), "big"), head + bytes(8)
        if kind != b"jp2h":
            file.seek(max(0, length - len(head)), 1)
    return True


def _ppm(file: IO[bytes]) -> bool:
    """Bytes of the header, and comments: among pixels written as text Pillow moves all that follows a comment."""
    file.seek(0)
    head = file.read(HEADER)
    words = re.sub(rb"#[^\r\n]*", b"", head).split(maxsplit=4)
    if len(head) == HEADER and len(words) < (3 if words[0] in (b"P1", b"P4") else 4):
        return True
    comments = head.count(b"#")
    while words[0] in (b"P1", b"P2", b"P3") and (part := file.read(HEADER)):
        comments += part.count(b"#")
    return words[0] in (b"P1", b"P2", b"P3") and comments > MOST


class _Counted:
    """A file of which no more is read than it has, and a little for what several values share."""

    def __init__(self, file: IO[bytes]):
        self.tell, self.seek, self._file, place = file.tell, file.seek, file, file.tell()
        self._left = file.seek(0, io.SEEK_END) + HEADER
        file.seek(place)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("its values lie over each other")
        return data


class _Directory(TiffImagePlugin.ImageFileDirectory_v2):
    """Pillow's, which reads whatever a file says that its values are."""

    def load(self, fp: IO[bytes]) -> None:
        super().load(_Counted(fp))  # type: ignore[arg-type]  # it reads, tells and seeks
        plain = TiffTags.BYTE, TiffTags.ASCII, TiffTags.UNDEFINED
        if any(len(data) > MAX_NUMBERS and self.tagtype[tag] not in plain for tag, data in self._tagdata.items()):
            raise ValueError("it is made of too many strips, or has notes of a million numbers")


# For whoever reads pictures in this process: of EXIF there is no other place to stand in for it in all formats.
TiffImagePlugin.ImageFileDirectory_v2 = _Directory  # type: ignore[misc]
