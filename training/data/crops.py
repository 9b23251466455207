"""Training photos: random crops that depend on nothing but (seed, epoch, index), so that a run can stop anywhere."""

import io
import math
import os
import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from zoo.device import is_out_of_memory
from zoo.errors import PhotoError, TrainingError, ZooError
from zoo.images import fit_short_side, list_photos, open_photo, to_tensor

PAUSES = (1, 2, 4, 8)  # seconds between attempts at a file that the disk, or the network behind it, does not give


class PhotoFolder(Dataset):
    """The endless stream of training crops as a sequence: item k is photo k mod n of epoch k // n.

    Each epoch has its own order. A crop is a random square, from the crop size up to the whole short side, flipped
    half of the time and reduced to 3×crop_size×crop_size float32 in [0, 1]. With `zoom` above 1 it may be as small as
    crop_size / zoom and is then enlarged: large photos show as little detail a pixel. Files that are no sound pictures are
    skipped (the next photo takes their place) and counted in `unreadable`. Works with any number of photos from 1 up; raises
    PhotoError for an empty folder, TrainingError for a file that cannot be had in spite of PAUSES: to train on without it
    would be another training. With `count`, so many of the photos alone, chosen by the seed.
    """

    def __init__(self, folder: str | Path, crop_size: int, seed: int = 0, count: int = 0, zoom: float = 1.0):
        self.photos = list_photos(folder)
        if count:
            chosen = random.Random(f"{seed}/photos").sample(range(len(self.photos)), min(count, len(self.photos)))
            self.photos = [self.photos[i] for i in sorted(chosen)]
        self.crop_size, self.seed, self.zoom = crop_size, seed, zoom
        self._bad = torch.zeros(len(self.photos), dtype=torch.bool).share_memory_()  # seen by every loader process
        self._order: tuple[int, list[int]] = (-1, [])

    @property
    def unreadable(self) -> list[Path]:
        """Files met so far that are no sound pictures."""
        return [self.photos[i] for i in self._bad.nonzero().flatten().tolist()]

    def order(self, epoch: int) -> list[int]:
        """The permutation of the photos in that epoch."""
        if self._order[0] != epoch:
            indices = list(range(len(self.photos)))
            random.Random(f"{self.seed}/{epoch}").shuffle(indices)
            self._order = epoch, indices
        return self._order[1]

    def __getitem__(self, k: int) -> torch.Tensor:
        epoch, place = divmod(k, len(self.photos))
        first = self.order(epoch)[place]
        for shift in range(len(self.photos)):
            index = (first + shift) % len(self.photos)
            if self._bad[index]:
                continue
            content = read_patiently(self.photos[index])
            try:
                return self.crop(open_photo(content), random.Random(f"{self.seed}/{epoch}/{k}"))
            except PhotoError as error:
                if is_out_of_memory(error.__cause__):  # which says nothing of the photo
                    raise TrainingError(f"out of memory while reading {self.photos[index].name}: free some") from error
                self._bad[index] = True
        raise TrainingError(f"none of the {len(self.photos)} pictures in the content folder can be read")

    def side(self, short: int, rng: random.Random) -> int:
        """Side of a random crop of a photo with that short side in pixels; with zoom, each scale is as likely as its double."""
        if self.zoom == 1:
            return rng.randint(self.crop_size, short)
        return max(1, round(math.exp(rng.uniform(math.log(self.crop_size / self.zoom), math.log(short)))))

    def crop(self, photo: Image.Image, rng: random.Random) -> torch.Tensor:
        """One random training crop of a photo."""
        if min(photo.size) < self.crop_size:
            photo = fit_short_side(photo, self.crop_size)
        w, h = photo.size
        side = self.side(min(w, h), rng)
        left, top = rng.randint(0, w - side), rng.randint(0, h - side)
        box, size = (left, top, left + side, top + side), (self.crop_size, self.crop_size)
        photo = photo.resize(size, Image.Resampling.LANCZOS, box=box)
        if rng.random() < 0.5:
            photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return to_tensor(photo)[0]


def read_patiently(path: Path) -> io.BytesIO:
    """The bytes of a file, asked for again after each of PAUSES. Raises TrainingError when it cannot be read even then."""
    for pause in PAUSES:
        try:
            return io.BytesIO(path.read_bytes())
        except OSError:
            time.sleep(pause)
    try:
        return io.BytesIO(path.read_bytes())
    except OSError as error:
        what = f"cannot read {path} ({error.strerror or error}), tried for {sum(PAUSES)} s"
        raise TrainingError(f"{what}: make it readable, then call again; checkpoints are kept") from error


def in_plain_words(batches: Iterable) -> Iterator:
    """The batches. An error of a loader's process, whose text is that process' traceback, is raised again in its own words."""
    try:
        yield from batches
    except ZooError as error:
        if not str(error).startswith("Caught "):
            raise
        raise type(error)(str(error).rpartition(f"{type(error).__name__}: ")[2].strip()) from error


def make_loader(photos: PhotoFolder, first_step: int, steps: int, batch_size: int, workers: int = 0) -> DataLoader:
    """Batches of steps first_step + 1 ... steps, exactly those an uninterrupted run would see."""
    places, pin = range(first_step * batch_size, steps * batch_size), torch.cuda.is_available()
    return DataLoader(photos, batch_size, sampler=places, num_workers=workers, pin_memory=pin, worker_init_fn=_leave_group)


def _leave_group(worker: int) -> None:
    """A terminal, `timeout` or a job queue signals the whole group: a loader goes on, so that the step that is computed ends.
    It still ends with the training, which signals it alone."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()
