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
import sys
from collections.abc import Iterable
from pathlib import Path

from training.measure.held_out import (
    FROZEN,
)
from training.measure.iterations import in_words
from training.measure.metrics import Task, errors_record, held_out_record, iterations_record, robustness_record
from training.objective.vgg import load_vgg
from training.records import why_not_write, write_card, write_metrics
from zoo.catalog import find
from zoo.cli import command, say
from zoo.device import DEVICES, HELP, pick_device
from zoo.errors import TrainingError
from zoo.painter import check_size


def print_table(title: str, found: dict) -> None:
    """Losses by painter, with the objective as a share of the photo's."""
    print(f"{title:32}{'content':>12}{'style':>12}{'objective':>12}  of photo")
    for name, loss in found.items():
        share = loss["objective"] / max(found["photo"]["objective"], 1e-6)  # 0 where the photo is the painting
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

    vgg = load_vgg(args.vgg_weights).to(pick_device(args.device))
    task = Task(style, args.content, args.style_image, vgg, args.size, args.frozen_on)
    if "objective" in args.measure:
        found = held_out_record(task)
        losses = ("photo", "batch", "instance", FROZEN)
        print_table(f"whole photos, {args.size} px", {name: found[name] for name in losses if name in found})
        if squares := found.get("square_crops_in_batches_of_4"):
            print_table(f"square crops, {args.size} px", squares)
        keep(held_out={size: found})
    if "errors" in args.measure:
        found = errors_record(task)
        print_errors(found, style.norms)
        keep(errors=found)
    if "robustness" in args.measure:
        found = robustness_record(task)
        print_robustness(found, style.norms)
        keep(robustness={size: found})
    if "iterations" in args.measure:
        found = iterations_record(task, args.curves)
        print_iterations(found, style.norms)
        keep(equivalent_iterations={size: found})
    if why_not:
        say(f"nothing was written: {why_not}", sys.stderr)
    else:
        write_card(style)


if __name__ == "__main__":
    sys.exit(main())
