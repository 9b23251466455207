"""How good is one pass of a generator? As good as so many iterations of the slow way.

  python -m training.equivalent photos/*.jpg --style-image starry_night.jpg -o starry-night.json

writes the held-out objective at each iteration of Gatys et al. (training/objective/gatys.py: L-BFGS, from the photo and from
noise) for each photo: once a painting, minutes each; when stopped, the same command goes on. With this file

  python -m training.evaluate starry-night --measure iterations --curves starry-night.json ...

finds k*, the first iteration whose objective is at or below the generator's, an iteration being one evaluation of objective
and gradient.
"""

import argparse
import sys
from pathlib import Path

from training.measure.held_out import held_out_objective
from training.measure.iterations import (
    add_curves,
    load_curves,
)
from training.objective.vgg import load_vgg
from zoo.cli import command
from zoo.device import DEVICES, HELP, pick_device
from zoo.errors import TrainingError
from zoo.images import open_photo
from zoo.painter import check_size


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.equivalent", description=__doc__, formatter_class=raw)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="JSON file to write or go on with")
    parser.add_argument("--size", type=int, default=192, metavar="N", help="short side of the photos in px (default: 192)")
    parser.add_argument("--steps", type=int, default=300, metavar="N", help="iterations (default: 300)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    check_size(args.size)
    if args.steps < 1:
        raise TrainingError(f"--steps counts iterations and must be at least 1, got {args.steps}")
    if len({photo.name for photo in args.photos}) < len(args.photos):
        raise TrainingError("two photos have the same file name, by which their curves are kept: rename one")
    objective = held_out_objective(load_vgg().to(pick_device(args.device)), open_photo(args.style_image))
    add_curves(load_curves(args.out, args.style_image, args.size, args.steps), objective, args.photos, args.out)


if __name__ == "__main__":
    sys.exit(main())
