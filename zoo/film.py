"""A film that is being painted: its files, and the segments of it that are there already.

Segments lie in the folder OUT.parts, each whole or not at all, beside a record of what they are segments of: whatever ended the
work, the same once more goes on after the last of them, and something else begins anew.
"""

import itertools
import json
import os
import shutil
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from zoo.calm import Calm
from zoo.errors import ConfigError, VideoError, brief, shorten
from zoo.images import MAX_PIXELS

CODECS = {".mp4": "h264", ".mov": "h264", ".mkv": "h264", ".webm": "vp9"}  # of the pictures, by the suffix of OUT
QUALITIES = range(52)  # H.264's rate factors
RECORD = "film.json"


@dataclass(frozen=True)
class Film:
    """A film to be painted: the file, the file to write, the long side of its frames in px (None: as they are), the encoder's
    constant rate factor (0: no loss), whatever else decides how it will look, the frames of a segment: as many are painted
    again, at most; and the pixels that a frame may have.

    Raises VideoError unless these files can be meant, ConfigError for a rate factor that is none.
    """

    source: Path
    target: Path
    size: int | None = None
    quality: int = 18
    facts: dict[str, Any] = field(default_factory=dict)
    step: int = 100
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        source, target = brief(self.source), brief(self.target)
        if self.quality not in QUALITIES:
            raise ConfigError(f"--crf lies in {QUALITIES[0]} (no loss)..{QUALITIES[-1]}, got {shorten(self.quality)}")
        if self.target.suffix.lower() not in CODECS:
            raise VideoError(f"cannot write {target}: end its name in {', '.join(CODECS)}")
        if not os.path.isfile(self.source):
            raise VideoError(f"{source} is no file" if os.path.exists(self.source) else f"no such file: {source}")
        if os.path.isdir(self.target):
            raise VideoError(f"cannot write {target}: it is a folder")
        if os.path.realpath(self.source) == os.path.realpath(self.target):
            raise VideoError(f"{target} painted would overwrite the film: choose another --out")

    @property
    def name(self) -> str:
        """The name of the file, for an error."""
        return brief(self.source.name)

    @property
    def codec(self) -> str:
        """How its pictures are coded."""
        return CODECS[self.target.suffix.lower()]

    @property
    def folder(self) -> Path:
        """Where its segments are."""
        return self.target.with_name(f"{self.target.name}.parts")

    def segment(self, number: int) -> Path:
        """The file of a segment."""
        return self.folder / f"{number:06}.nut"

    def begin(self, calm: Calm) -> int:
        """How many segments are there already; `calm` remembers what it did after them. Those of something else are removed.

        Raises OSError where files cannot be read or written.
        """
        record, there = self._record(), self.folder / RECORD
        if there.is_file() and there.read_bytes() == record:
            ready = next(number for number in itertools.count() if not self.segment(number).is_file())
            if ready and calm.is_on:
                calm.memory = load_file(self._memory(ready - 1))
            return ready
        if self.folder.exists() and any(self.folder.iterdir()) and not there.is_file():
            raise VideoError(f"{brief(self.folder)} is in the way: segments of the film are to lie there")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        there.write_bytes(record)
        return 0

    def add(self, number: int, partial: Path, calm: Calm) -> None:
        """Make the file `partial`, which is whole, that segment. Raises OSError."""
        if calm.is_on:
            save_file(calm.memory, memory := partial.with_suffix(".memory"))
            os.replace(memory, self._memory(number))
        os.replace(partial, self.segment(number))
        if number:
            self._memory(number - 1).unlink(missing_ok=True)

    def finish(self, whole: Path) -> None:
        """Put the film, which is whole, into its place, and remove the segments. Raises OSError."""
        os.replace(whole, self.target)
        shutil.rmtree(self.folder)

    def _memory(self, number: int) -> Path:
        """What `calm` remembers after a segment."""
        return self.folder / f"{number:06}.safetensors"

    def _record(self) -> bytes:
        there = self.source.stat()
        own = {"source": [self.source.name, there.st_size, there.st_mtime_ns], "size": self.size, "quality": self.quality}
        facts = {**own, "step": self.step, "encoder": version("av"), **self.facts}
        return json.dumps(facts, indent=2, sort_keys=True).encode()
