"""What metrics.json of a style keeps: what was measured of its generators on photos they never saw, and how and where."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import nn
from tqdm import tqdm

from training.measure.held_out import (
    FROZEN,
    FROZEN_ON,
    PHOTO_SIZE,
    Painter,
    check_number,
    freeze_statistics,
    held_out_objective,
    measure,
    square_batches,
    training_pictures,
    untouched,
    whole_photos,
    with_batch_statistics,
)
from training.measure.iterations import compare, read_curves
from training.measure.picture_errors import PictureErrors, painters_errors
from training.measure.robustness import measure_robustness
from training.objective.losses import Objective
from training.objective.vgg import VGG16
from training.records import machine
from zoo.catalog import load
from zoo.errors import TrainingError
from zoo.folder import sha256
from zoo.images import list_photos, open_photo
from zoo.style import Style


@dataclass(frozen=True)
class Task:
    """What is measured: the generators of a style by norm, against its painting, on photos at a short side of `size` px.

    It computes where the loss network is. Raises ZooError at once for a photo that would end a long measurement later.
    """

    style: Style
    content: list[Path]  # photos, and folders of them
    painting: Path
    vgg: VGG16
    size: int = PHOTO_SIZE
    frozen_on: Path | None = None

    def __post_init__(self) -> None:
        if not self.style.norms:
            raise TrainingError(f"{self.style.folder} holds no generator to measure")
        check_number(self.photos)
        for photo in self.photos:
            open_photo(photo)

    @cached_property
    def photos(self) -> list[Path]:
        """The files."""
        return [photo for path in self.content for photo in (list_photos(path) if path.is_dir() else [path])]

    @cached_property
    def generators(self) -> dict[str, nn.Module]:
        """By norm, beside the loss network."""
        return {norm: load(self.style, norm).to(self.vgg.mean.device) for norm in self.style.norms}

    @cached_property
    def objective(self) -> Objective:
        """The held-out objective of the painting."""
        return held_out_objective(self.vgg, open_photo(self.painting))

    def record(self, *more: str) -> dict:
        """How and where it was measured, for metrics.json. Names of files, never their paths."""
        command = ["python", "-m", "training.evaluate", self.style.slug, "--content"]
        command += [path.resolve().name for path in self.content]
        command += ["--style-image", self.painting.name, "--size", str(self.size), *more]
        if self.vgg.origin != "bundled":
            command += ["--vgg-weights", Path(self.vgg.origin).name]
        if self.frozen_on:
            command += ["--frozen-on", self.frozen_on.resolve().name]
        return {
            "command": shlex.join(command),
            "machine": machine(self.vgg.mean.device),
            "painting": {"file": self.painting.name, "sha256": sha256(self.painting)},
            "photos": [{"file": path.name, "sha256": sha256(path)} for path in self.photos],
        }


def held_out_record(task: Task) -> dict:
    """The record that metrics.json keeps for one size: losses, what was measured, where."""
    objective, generators, photos, size = task.objective, task.generators, task.photos, task.size
    painters: dict[str, Painter] = {"photo": untouched, **generators}
    if task.frozen_on and "instance" in generators:
        pictures = _watched(training_pictures(task.frozen_on), FROZEN_ON, "averages")
        painters[FROZEN] = freeze_statistics(generators["instance"], pictures)
    found = measure(objective, painters, _watched(whole_photos(photos, size), len(photos), "whole photos"))
    squares = {}
    if size == PHOTO_SIZE:
        painters.pop(FROZEN, None)
        if "batch" in generators:
            painters["batch, batch statistics"] = with_batch_statistics(generators["batch"])
        crops = _watched(square_batches(photos, size), -(-len(photos) // 4), "batches of four")
        squares = {"square_crops_in_batches_of_4": measure(objective, painters, crops)}
    return {**found, **squares, **task.record()}


def robustness_record(task: Task) -> dict:
    """The tests of training/measure/robustness.py by norm, and how they were made."""
    photos = list(whole_photos(task.photos, task.size))
    norms = _watched(task.generators.items(), len(task.generators), "robustness")
    found = {norm: measure_robustness(generator, task.objective, photos) for norm, generator in norms}
    return {**found, **task.record("--measure", "robustness")}


def errors_record(task: Task) -> dict:
    """Content and style errors by norm and size, and those of the untouched photo, and how they were measured."""
    measured = PictureErrors(task.vgg, open_photo(task.painting))
    photos = _watched(map(open_photo, task.photos), len(task.photos), "errors")
    found = painters_errors(measured, {"photo": untouched, **task.generators}, photos)
    return {**found, **task.record("--measure", "errors")}


def iterations_record(task: Task, curves: Path) -> dict:
    """k* by norm and start, and how it was found."""
    record = read_curves(curves, task.painting)
    if record["size"] != task.size:
        raise TrainingError(f"{curves} holds curves at {record['size']} px, give --size {record['size']}")
    found = {norm: compare(generator, record, task.objective, task.photos) for norm, generator in task.generators.items()}
    return {**found, "steps": record["steps"], **task.record("--measure", "iterations", "--curves", curves.name)}


def _watched(batches: Iterable, total: int, what: str) -> Iterable:
    return tqdm(batches, total=total, desc=what, leave=False, disable=None)
