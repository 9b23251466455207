"""What a picture file holds beside its pixels, counted before Pillow reads it.

Pillow reads comments, metadata and unknown parts one by one, in Python, and appends some of them to what came before: a
megabyte of tiny ones takes seconds of a core, ten take minutes.
"""

from collections.abc import Callable
from typing import IO

MOST = 4000  # parts; a camera's JPEG has some ten, a megabyte of depth or notes a few hundred
MAX_EXIF = 2**20  # bytes; a segment of a JPEG holds 64 KiB
_BARE = {0x00, 0x01, 0xFF, *range(0xD0, 0xD9)}  # bytes after 0xFF in a JPEG that no length follows


def has_too_many_parts(file: IO[bytes]) -> bool:
    """Whether a JPEG, PNG or GIF has more parts than any that is meant to be seen. The file is read from its beginning, and put
    back there."""
    try:
        file.seek(0)
        start = file.read(8)
        kinds: dict[bytes, Callable[[IO[bytes]], bool]] = {b"\xff\xd8": _jpeg, b"\x89P": _png, b"GI": _gif}
        walk = kinds.get(start[:2])
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
    """Chunks but those of pixels, of which a large picture has thousands."""
    file.seek(8)
    found = 0
    while found < MOST:
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return False
        found += head[4:] != b"IDAT"
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
