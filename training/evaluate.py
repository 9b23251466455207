"""Measure a style on photos it never saw, beside its twin and the untouched photos; writes metrics.json and the card.

  python -m training.evaluate ./starry-night --content photos/ --style-image starry_night.jpg --size 256

  python -m training.evaluate ./starry-night --content photos/ --style-image starry_night.jpg --measure robustness
  python -m training.evaluate ./starry-night --content photos/ --style-image starry_night.jpg --measure iterations --curves C

objective   content and style losses and the held-out objective (content + 5 x style, see training/measure/held_out.py): photo,
            batch norm and instance norm on whole photos; at 256 px then on square crops in batches of four, where batch norm
            is also measured with the statistics of its batch, as in training. With --frozen-on, instance norm is also
            measured with its statistics frozen to their averages over those photos.
errors      content and style error at three sizes, as shares, of photos painted at their own size
            (training/measure/picture_errors.py)
robustness  faded photos, borders, small shifts and noise, time a picture (training/measure/robustness.py)
iterations  k*: as many iterations of Gatys et al. are as good as one pass (training/equivalent.py, which makes --curves)

A style bundled with the code, or in the Hub's cache, is measured and left as it is.
"""

import argparse
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from training.equivalent import compare, in_words, read_curves
from training.measure.held_out import (
    FROZEN,
    FROZEN_ON,
    PHOTO_SIZE,
    freeze_statistics,
    held_out_objective,
    measure,
    square_batches,
    training_pictures,
    untouched,
    whole_photos,
    with_batch_statistics,
)
from training.measure.picture_errors import PictureErrors, painters_errors
from training.measure.robustness import measure_robustness
from training.objective.vgg import load_vgg
from training.records import machine, why_not_write, write_card, write_metrics
from zoo.catalog import find, load
from zoo.cli import command, say
from zoo.device import DEVICES, HELP, pick_device
from zoo.errors import TrainingError
from zoo.folder import sha256
from zoo.images import list_photos, open_photo
from zoo.painter import check_size
from zoo.style import Style


@dataclass
class Task:
    """What is measured: the generators of a style by norm, against its painting, on photos at a short side of `size` px."""

    style: Style
    content: list[Path]  # photos, and folders of them
    painting: Path
    size: int = PHOTO_SIZE
    device: str = "auto"
    vgg: str = "bundled"
    frozen_on: Path | None = None

    def __post_init__(self) -> None:
        if not self.style.norms:
            raise TrainingError(f"{self.style.folder} holds no generator to measure")
        self.where = pick_device(self.device)
        self.objective = held_out_objective(load_vgg(self.vgg).to(self.where), open_photo(self.painting))
        self.generators = {norm: load(self.style, norm).to(self.where) for norm in self.style.norms}
        self.photos = [photo for path in self.content for photo in (list_photos(path) if path.is_dir() else [path])]
        for photo in self.photos:
            open_photo(photo)  # raises now what would end a long measurement

    def record(self, *more: str) -> dict:
        """How and where it was measured, for metrics.json. Names of files, never their paths."""
        command = ["python", "-m", "training.evaluate", self.style.slug, "--content"]
        command += [path.resolve().name for path in self.content]
        command += ["--style-image", self.painting.name, "--size", str(self.size), *more]
        if self.vgg != "bundled":
            command += ["--vgg-weights", Path(self.vgg).name]
        if self.frozen_on:
            command += ["--frozen-on", self.frozen_on.resolve().name]
        return {
            "command": shlex.join(command),
            "machine": machine(self.where),
            "painting": {"file": self.painting.name, "sha256": sha256(self.painting)},
            "photos": [{"file": path.name, "sha256": sha256(path)} for path in self.photos],
        }


def evaluate(task: Task) -> dict:
    """The record that metrics.json keeps for one size: losses, what was measured, where."""
    objective, generators, photos, size = task.objective, task.generators, task.photos, task.size
    painters = {"photo": untouched, **generators}
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


def robustness(task: Task) -> dict:
    """The tests of training/measure/robustness.py by norm, and how they were made."""
    photos = list(whole_photos(task.photos, task.size))
    norms = _watched(task.generators.items(), len(task.generators), "robustness")
    found = {norm: measure_robustness(generator, task.objective, photos) for norm, generator in norms}
    return {**found, **task.record("--measure", "robustness")}


def errors(task: Task) -> dict:
    """Content and style errors by norm and size, and those of the untouched photo, and how they were measured."""
    measured = PictureErrors(task.objective.vgg, open_photo(task.painting))
    photos = _watched(map(open_photo, task.photos), len(task.photos), "errors")
    found = painters_errors(measured, {"photo": untouched, **task.generators}, photos)
    return {**found, **task.record("--measure", "errors")}


def iterations(task: Task, curves: Path) -> dict:
    """k* by norm and start, and how it was found."""
    record = read_curves(curves, task.painting)
    if record["size"] != task.size:
        raise TrainingError(f"{curves} holds curves at {record['size']} px, give --size {record['size']}")
    found = {norm: compare(generator, record, task.objective, task.photos) for norm, generator in task.generators.items()}
    return {**found, "steps": record["steps"], **task.record("--measure", "iterations", "--curves", curves.name)}


def _watched(batches: Iterable, total: int, what: str) -> Iterable:
    return tqdm(batches, total=total, desc=what, leave=False, disable=None)


def print_table(title: str, found: dict) -> None:
    """Losses by painter, with the objective as a share of the photo's."""
    print(f"{title:32}{'content':>12}{'style':>12}{'objective':>12}  of photo")
    for name, loss in found.items():
        share = loss["objective"] / found["photo"]["objective"]
        print(f"  {name:30}{loss['content']:12,.0f}{loss['style']:12,.0f}{loss['objective']:12,.0f}  {share:8.1%}")


def print_errors(found: dict, norms: Iterable[str]) -> None:
    """One line a painter."""
    for name in ("photo", *norms):
        values = (f"{size:>4}: {e['content']:.3f}, {e['style']:.3f}" for size, e in found[name].items())
        print(f"{name:9} content, style at {'; '.join(values)}")


def print_robustness(found: dict, norms: Iterable[str]) -> None:
    """One line a test and norm."""
    for norm in norms:
        tests, seconds = found[norm], ", ".join(f"{size} px {t:.3f} s" for size, t in found[norm]["seconds"].items())
        for contrast, values in tests["contrast"].items():
            said = f"output contrast {values['contrast']:5.1f} ({values['share']:.0%}), style {values['style']:,.0f}"
            print(f"{norm:9} photo contrast x {contrast:4}: {said}")
        border, stability = tests["border"], tests["stability"]
        print(f"{norm:9} off at the border by {border['border']:.1f} levels, inside by {border['inside']:.1f}")
        print(f"{norm:9} moved by 1 px {stability['shift']:.1f} levels, noise {stability['noise']:.1f}; {seconds}")


def print_iterations(found: dict, norms: Iterable[str]) -> None:
    """Median and quartiles of k*."""
    for norm in norms:
        for start, values in found[norm].items():
            low, middle, high = (in_words(value, found["steps"]) for value in values["quartiles"])
            print(f"{norm:9} k* from {start:5}: median {middle}, quartiles {low} and {high}")


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__, formatter_class=raw)
    parser.add_argument("style", metavar="STYLE", help="slug or style folder")
    parser.add_argument("--content", type=Path, nargs="+", required=True, metavar="PATH", help="photos never trained on")
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("--size", type=int, default=256, metavar="N", help="short side of the photos in px (default: 256)")
    kinds = ("objective", "errors", "robustness", "iterations")
    parser.add_argument("--measure", nargs="+", choices=kinds, default=["objective"], help="(default: objective)")
    parser.add_argument("--curves", type=Path, metavar="FILE", help="of iterations: what training.equivalent wrote")
    parser.add_argument("--frozen-on", type=Path, metavar="DIR", help="training photos to average the statistics on")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    parser.add_argument("--vgg-weights", default="bundled", metavar="bundled|torchvision|FILE")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when measured, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    check_size(args.size)
    if "iterations" in args.measure and not args.curves:
        raise TrainingError("--measure iterations needs --curves: make them with python -m training.equivalent")
    style, size = find(args.style), str(args.size)
    why_not = why_not_write(style)

    def keep(**found: dict) -> None:
        if not why_not:
            write_metrics(style.folder, found)

    task = Task(style, args.content, args.style_image, args.size, args.device, args.vgg_weights, args.frozen_on)
    if "objective" in args.measure:
        found = evaluate(task)
        losses = ("photo", "batch", "instance", FROZEN)
        print_table(f"whole photos, {args.size} px", {name: found[name] for name in losses if name in found})
        if squares := found.get("square_crops_in_batches_of_4"):
            print_table(f"square crops, {args.size} px", squares)
        keep(held_out={size: found})
    if "errors" in args.measure:
        found = errors(task)
        print_errors(found, style.norms)
        keep(errors=found)
    if "robustness" in args.measure:
        found = robustness(task)
        print_robustness(found, style.norms)
        keep(robustness={size: found})
    if "iterations" in args.measure:
        found = iterations(task, args.curves)
        print_iterations(found, style.norms)
        keep(equivalent_iterations={size: found})
    if why_not:
        say(f"nothing was written: {why_not}", sys.stderr)
    else:
        write_card(style)


if __name__ == "__main__":
    sys.exit(main())
