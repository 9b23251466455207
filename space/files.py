"""The folder of uploads and results: private, swept when the page ends, and never larger than it may be."""

import atexit
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from space.counts import COUNTS
from space.credit import ENDINGS, Credit, encode
from zoo.errors import ZooError

VARIABLE = "GRADIO_TEMP_DIR"  # where gradio keeps uploads and results; one that is set is the page's alone, too

QUOTA = 2 * 2**30  # bytes, of all visitors together
FRESH = 600.0  # s, for which a file is safe: somebody is looking at it
MOST = 20_000  # files, likewise: an empty one costs time, too
GLANCE = 5.0  # s, for which it is known what there is, but for what came meanwhile
PRESSED = 120.0  # s, likewise, where no other room is left: or one who has much painted would close the page to all; and
# since it came, where there still is none: or one who uses again and again what they sent would, for good
UNFINISHED = "clip-"  # how a folder begins in which something is being made


def own_folder() -> str:
    """Have gradio keep files in a folder of this process's own, unless the operator named one; its path.

    Its default is shared by all gradio pages of the machine, and its files are left to whoever comes by.
    """
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="missing-ingredient-")
        atexit.register(shutil.rmtree, os.environ[VARIABLE], ignore_errors=True)
    return os.environ[VARIABLE]


class Files:
    """All files below that folder, kept below a quota of bytes, and of files, by removing the oldest."""

    def __init__(self, quota: int = QUOTA, fresh: float = FRESH, most: int = MOST, glance: float = GLANCE):
        self._quota, self._fresh, self._most, self._glance, self._lock = quota, fresh, most, glance, threading.Lock()
        self._kept: set[str] = set()
        self._came: dict[Path, float] = {}  # when each file came, in s: a folder's time is renewed by whatever comes into it
        self._held, self._count, self._looked = 0, 0, -glance  # bytes and files, when they were counted

    def keep(self, demo: gr.Blocks) -> None:
        """Never remove the pictures that a page has shown from the start, to everybody."""
        for block in demo.blocks.values():
            self._kept.update(map(os.path.realpath, getattr(block, "keep_in_cache", ())))

    def make_room(self, needed: int = 0) -> bool:
        """Remove files until `needed` bytes more fit; whether they do.

        What somebody may be looking at stays, as long as that can be; what came last, for a while. A part of an upload that was
        broken off goes in any case: gradio leaves it.
        """
        with self._lock:
            if time.monotonic() - self._looked < self._glance and self._take(needed):
                return True
            folder, now = Path(get_upload_folder()), time.time()
            found = list(_files(folder, self._came))
            self._came = {file.path: file.came for file in found}
            self._held, self._count, self._looked = sum(file.size for file in found), len(found), time.monotonic()
            crowded = self._count >= self._most  # then a fifth goes, or each file to come would have all looked through again
            pressed = min(self._fresh, PRESSED)
            for fresh, by in ((self._fresh, "used"), (pressed, "used"), (pressed, "came")):
                for file in sorted(found, key=attrgetter(by)):
                    path = file.path
                    part = path.parent == folder and fresh == self._fresh
                    full = not self._has_room(needed) or (crowded and self._count > 0.8 * self._most)
                    old = now - getattr(file, by) > fresh
                    if old and (part or full) and os.path.realpath(path) not in self._kept and path.exists():
                        path.unlink(missing_ok=True)
                        self._held, self._count = self._held - file.size, self._count - 1
                        if not part:
                            with suppress(OSError):  # it holds others
                                path.parent.rmdir()
            return self._take(needed)

    def _has_room(self, needed: int) -> bool:
        return self._held + needed <= self._quota and self._count < self._most

    def _take(self, needed: int) -> bool:
        """Count one more file of so many bytes, if there is room for it; whether there is."""
        if fits := self._has_room(needed):
            self._held, self._count = self._held + needed, self._count + 1
        return fits

    def need(self, bytes: int) -> None:
        """Make room for a result. Raises ZooError when there is none."""
        if not self.make_room(bytes):
            COUNTS.refuse("room")
            raise ZooError("the page holds as many pictures as it can: try again in a minute")


FILES = Files()


def save_result(image: Image.Image, *name: str, format: str = "PNG", said: Credit | None = None) -> str:
    """A file of the picture among them, called by these words, with that credit in it; its path. Raises ZooError when there is
    no room for it."""
    data, folder = encode(image, format, said or {}), Path(get_upload_folder())
    path = folder / hashlib.sha256(data).hexdigest() / f"{_called(name)}.{ENDINGS[format]}"
    try:
        os.utime(path)  # another visitor has just this picture, and may be downloading it: it is not written again
    except FileNotFoundError:
        FILES.need(len(data))
        partial = folder / f"{uuid.uuid4().hex}.part"
        partial.write_bytes(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(partial, path)
    return str(path.resolve())


def keep_file(file: Path, *name: str) -> str:
    """A file that was made in their folder, from now on one of them, called by these words; its path. Raises ZooError when it
    was one too many."""
    FILES.need(0)
    path = Path(get_upload_folder()) / uuid.uuid4().hex / f"{_called(name)}{file.suffix}"
    path.parent.mkdir()
    os.replace(file, path)
    return str(path.resolve())


def _called(name: Iterable[str]) -> str:
    """The words as the name of a file."""
    words = (re.sub(r"@[0-9a-f]{40}", "", word) for word in name)  # of a style of the Hub: without its commit
    return "-".join(re.sub(r"[^\w.-]+", "-", word).encode()[:60].decode(errors="ignore") for word in words)


class File(NamedTuple):
    """A file: when it was last used, and when it came, in s; its bytes."""

    path: Path
    used: float
    came: float
    size: int


def _files(folder: Path, known: dict[Path, float]) -> Iterator[File]:
    """The files below a folder; of some it is known when they came."""
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                about, around = os.lstat(os.path.join(where, name)), os.lstat(where)
            except OSError:
                continue  # gone meanwhile
            # Each lies in a folder of its own, which is older than the last use of it; but for what is being made.
            made = os.path.basename(where).startswith(UNFINISHED) or Path(where) == folder
            came = about.st_mtime if made else known.get(Path(where, name), around.st_mtime)
            yield File(Path(where, name), about.st_mtime, came, about.st_size)
