"""Measure a style on photos it never saw, beside its twin and the untouched photos; writes metrics.json and the card.

  python -m training.evaluate starry-night --content photos/ --style-image starry_night.jpg --size 256

Prints content and style losses and the held-out objective (content + 5 x style, see training/measure.py): photo, batch
norm and instance norm on whole photos. At 256 px then all of them on square crops in batches of four, where batch norm is
also measured with the statistics of its batch, as in training.
"""

import argparse
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from training.measure import (
    PHOTO_SIZE,
    held_out_objective,
    measure,
    square_batches,
    untouched,
    whole_photos,
    with_batch_statistics,
)
from training.records import check_own, machine, sha256, write_card, write_metrics
from training.vgg import load_vgg
from zoo.catalog import Style, find, load
from zoo.errors import TrainingError, ZooError, fail
from zoo.images import list_photos, open_photo
from zoo.stylize import DEVICES, pick_device


def evaluate(style: Style, content: Path, painting: Path, size: int = 256, device: str = "auto", vgg: str = "bundled") -> dict:
    """The record that metrics.json keeps for one size: losses, what was measured, where. Paths are left out of it."""
    if not style.norms:
        raise TrainingError(f"{style.folder} holds no generator to measure")
    where = pick_device(device)
    objective = held_out_objective(load_vgg(vgg).to(where), open_photo(painting))
    generators = {norm: load(style, norm).to(where) for norm in style.norms}
    photos = list_photos(content)
    painters = {"photo": untouched, **generators}
    found = measure(objective, painters, _watched(whole_photos(photos, size), len(photos), "whole photos"))
    squares = {}
    if size == PHOTO_SIZE:
        if "batch" in generators:
            painters["batch, batch statistics"] = with_batch_statistics(generators["batch"])
        crops = _watched(square_batches(photos, size), -(-len(photos) // 4), "batches of four")
        squares = {"square_crops_in_batches_of_4": measure(objective, painters, crops)}
    command = ["python", "-m", "training.evaluate", style.slug, "--content", content.resolve().name]
    command += ["--style-image", painting.name, "--size", str(size)]
    if vgg != "bundled":
        command += ["--vgg-weights", Path(vgg).name]
    return {
        **found,
        **squares,
        "command": shlex.join(command),
        "machine": machine(where.type),
        "painting": {"file": painting.name, "sha256": sha256(painting)},
        "photos": [{"file": path.name, "sha256": sha256(path)} for path in photos],
    }


def _watched(batches: Iterable, total: int, what: str) -> Iterable:
    return tqdm(batches, total=total, desc=what, leave=False, disable=None)


def print_table(title: str, found: dict) -> None:
    """Losses by painter, with the objective as a share of the photo's."""
    print(f"{title:32}{'content':>12}{'style':>12}{'objective':>12}  of photo")
    for name, loss in found.items():
        share = loss["objective"] / found["photo"]["objective"]
        print(f"  {name:30}{loss['content']:12,.0f}{loss['style']:12,.0f}{loss['objective']:12,.0f}  {share:8.1%}")


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__, formatter_class=raw)
    parser.add_argument("style", metavar="STYLE", help="slug or style folder")
    parser.add_argument("--content", type=Path, required=True, metavar="DIR", help="photos never trained on")
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("--size", type=int, default=256, metavar="N", help="short side of the photos in px (default: 256)")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--vgg-weights", default="bundled", metavar="bundled|torchvision|FILE")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when measured, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        if args.size < 32:
            raise TrainingError(f"--size must be at least 32 px, got {args.size}")
        style = check_own(find(args.style))
        found = evaluate(style, args.content, args.style_image, args.size, args.device, args.vgg_weights)
        losses = ("photo", "batch", "instance")
        print_table(f"whole photos, {args.size} px", {name: found[name] for name in losses if name in found})
        if squares := found.get("square_crops_in_batches_of_4"):
            print_table(f"square crops, {args.size} px", squares)
        write_metrics(style.folder, {"held_out": {str(args.size): found}})
        write_card(style.folder)
    except ZooError as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
