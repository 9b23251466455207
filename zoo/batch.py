"""Many photos, each by a thread of its own from file to file, so that nothing waits for anything but a free thread.

Pillow's decoders and encoders and torch let other threads run meanwhile: decoding, network and encoding of different photos
overlap without queues between them, and a thread holds one picture, which bounds the memory. On a processor a thread that
computes alone is faster than its share of several at one picture, which wait for each other at every layer.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image

from zoo.device import pick_device
from zoo.engine.painting import Manner
from zoo.engine.sweeps import Tell
from zoo.errors import PhotoError, ZooError
from zoo.finish import check_strength, finish
from zoo.folder import tensors_sha256
from zoo.images import check_picture_name, list_photos, open_photo, save_picture
from zoo.metadata import exif_of, software_of, to_srgb
from zoo.painter import check_size, painter
from zoo.style import Style

FORMATS = ("png", "jpg", "webp")
GAP = 1.5  # times the size that a JPEG is decoded at, at least; 12 MP for 1080 px are decoded at half their size then
FEEDERS = 16  # threads that decode and encode for one GPU, at most

Plan = list[tuple[Path, Path]]  # photos, and the files to write


def plan_outputs(inputs: list[Path], out: Path, format: str | None = None) -> Plan:
    """Pairs (photo, file to write). One photo goes to the file OUT; several, or a folder, go into the folder OUT, as the files
    of that format (default: png), in the sub-folders that they have below the folder given.

    What lies in OUT already is no input, so that a command can be repeated. Raises PhotoError when a photo would be
    overwritten, two photos would be written to one file, or OUT has no suffix of a picture.
    """
    photos = [(photo, Path(photo.name)) for photo in inputs if not os.path.isdir(photo)]
    for folder in (path for path in inputs if os.path.isdir(path)):
        photos += [(photo, photo.relative_to(folder)) for photo in _photos_of(folder, out)]
    if len(inputs) == 1 and not os.path.isdir(inputs[0]) and not os.path.isdir(out):
        check_picture_name(out)
        if format and out.suffix[1:].lower() != format:
            raise PhotoError(f"one photo goes to the file {out}, which is no {format}: leave --format out, or rename it")
        plan = {out: photos[0][0]}
    else:
        if os.path.exists(out) and not os.path.isdir(out):
            raise PhotoError(f"{out} is a file: several photos need a folder to go to")
        plan = {}
        for photo, below in photos:
            target = out / below.with_suffix(f".{format or FORMATS[0]}")
            if target in plan:
                raise PhotoError(f"{plan[target]} and {photo} would both be written to {target}: rename one")
            plan[target] = photo
    originals = {os.path.realpath(photo) for photo, _ in photos}
    for target, photo in plan.items():
        if os.path.realpath(target) in originals:
            raise PhotoError(f"{photo} painted would overwrite the photo {target}: choose another --out")
    return [(photo, target) for target, photo in plan.items()]


def _photos_of(folder: Path, out: Path) -> list[Path]:
    photos, results = list_photos(folder), Path(os.path.realpath(out))
    if Path(os.path.realpath(folder)) in results.parents:
        photos = [photo for photo in photos if results not in Path(os.path.realpath(photo)).parents]
    if not photos:
        raise PhotoError(f"no pictures in {folder} but what lies in {out} already: choose another --out")
    return photos


@dataclass(frozen=True)
class Job:
    """What is painted of every photo; the fields are the arguments of `zoo.stylize` and `zoo.finish`, and
    `Manner.strokes` and `.quick`.

    Raises ConfigError for values that these would refuse.
    """

    style: Style
    norm: str = "instance"
    size: int | None = None
    seed: int = 0
    strength: float = 1.0
    keep_colours: bool = False
    device: str = "auto"
    engine: str = "auto"
    strokes: float = 1.0
    quick: bool = False
    protect: Image.Image | None = None

    def __post_init__(self) -> None:
        check_size(self.size)
        check_strength(self.strength)
        self.manner()

    def manner(self, tell: Tell | None = None) -> Manner:
        """How it is painted, telling somebody how far it is."""
        return Manner(self.engine, tell, self.seed, strokes=self.strokes, quick=self.quick)

    @cached_property
    def settings(self) -> str:
        """All that pictures depend on beside the photo. Raises a ZooError when the style cannot be loaded."""
        weights = tensors_sha256(painter(self.device).generator(self.style, self.norm).state_dict())
        settings = [self.style.slug, self.norm, self.size, self.seed, self.strength, self.keep_colours, self.strokes]
        more: list[object] = ["quick"] * self.quick  # pictures of before there was a choice stay
        if self.protect is not None:
            more += [hashlib.sha256(self.protect.tobytes()).hexdigest(), self.protect.size]
        return json.dumps([weights, *settings, *more])

    def mark(self, photo: Path) -> str:
        """What is written into a painting, to know it again: the style, and a hash of the settings and of the photo's size and
        time of change. Empty when there is no such photo."""
        try:
            there = photo.stat()
        except OSError:
            return ""
        found = hashlib.sha256(f"{self.settings} {there.st_size} {there.st_mtime_ns}".encode()).hexdigest()
        return f"missing-ingredient {ascii(self.style.slug)[1:-1]} {self.norm} {found[:16]}"

    def has_painted(self, photo: Path, target: Path) -> bool:
        """Whether that picture is what this job makes of that photo."""
        return software_of(target) == self.mark(photo) != ""


@dataclass(frozen=True)
class Outcome:
    """What became of a photo: `error` says why it was not painted, `note` what else there is to say of it."""

    photo: Path
    target: Path
    seconds: float = 0.0
    error: str = ""
    note: str = ""
    skipped: bool = False


def paint_all(job: Job, plan: Plan, again: bool = False) -> Generator[Outcome]:
    """Paint photos; what became of each, as they get done. What the same job made of the same photo is skipped, unless `again`.

    A photo that cannot be painted stops no other; whatever concerns all of them is raised. Closing the iterator ends the work
    after the next strip of each picture.
    """
    _ = job.settings  # a style that cannot be loaded is no photo's fault
    threads = torch.get_num_threads()
    on_cpu = pick_device(job.device).type == "cpu"
    workers = max(1, min(len(plan), threads if on_cpu else FEEDERS))
    work = _Work(job, again, nullcontext() if on_cpu else threading.Lock())
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(threads // workers if on_cpu else threads,))
    try:
        running: set[Future[Outcome]] = set()
        for photo, target in plan:
            running.add(pool.submit(work.paint, photo, target))
            if len(running) == 2 * workers:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)
    finally:
        work.stop.set()
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # the number that later threads begin with, too


class _Work:
    """What the threads share."""

    def __init__(self, job: Job, again: bool, turn: AbstractContextManager[object]):
        self._job, self._again, self._turn, self.stop = job, again, turn, threading.Event()

    def paint(self, photo: Path, target: Path) -> Outcome:
        started = time.perf_counter()
        if not self._again and self._job.has_painted(photo, target):
            return Outcome(photo, target, skipped=True)
        try:
            error, note = "", self._paint(photo, target)
        except ZooError as problem:
            error, note = str(problem), ""
        return Outcome(photo, target, time.perf_counter() - started, error, note)

    def _paint(self, photo: Path, target: Path) -> str:
        job, notes = self._job, []
        mark = job.mark(photo)  # before it is read: one that is changed meanwhile is painted again
        image = to_srgb(open_photo(photo, job.size, gap=GAP))
        if job.size and job.size > max(image.size):
            w, h = image.size
            notes.append(f"{photo.name} is {w}×{h} px, smaller than {job.size}: it keeps its own size")
        with self._turn:
            manner = job.manner(self._tell)
            painted = painter(job.device).paint(image, job.style, (job.norm,), manner=manner)[job.norm]
        done = finish(painted.image, image, job.strength, job.keep_colours, job.protect)
        save_picture(done, target, exif=exif_of(image, mark))
        if job.quick:
            off = f"quick, off by {painted.away}" if painted.away else "exact, as a thumbnail helps nothing here"
            notes.append(f"{photo.name} is {off}")
        return "; ".join(notes)

    def _tell(self, share: float) -> None:
        if self.stop.is_set():
            raise CancelledError
