"""Try before an evening is spent: a grid of short trainings, style weight across, style size down, as one contact sheet.

  python -m training.probe --auto --style-image painting.jpg --content photos/ --photo me.jpg --out probe/

Each cell is the instance-norm generator after --steps steps. The command that trains a cell to the end stands beneath the
grid, and in OUT/probe.txt. OUT keeps the cells: call again to go on after a stop, or with other values to add some.
"""

import argparse
import itertools
import shlex
import sys
from pathlib import Path

from training.config import AUTO, TrainConfig, load_recipe
from training.running.grid import Grid
from training.running.start import find_start, started_recipe
from zoo.cli import command
from zoo.errors import TrainingError
from zoo.images import open_photo, save_picture
from zoo.memory import keep_freed
from zoo.style import PHOTO


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.probe", description=__doc__, formatter_class=raw)
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("--content", required=True, metavar="DIR|ARCHIVE|HUB", help="photos to train on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the cells and probe.jpg")
    parser.add_argument(
        "--photo", type=Path, default=PHOTO, metavar="FILE", help="what the cells paint (default: the zoo's photo)"
    )
    parser.add_argument("--recipe", default="laptop", metavar="NAME|FILE", help="what all cells share (default: laptop)")
    begin = "begin each cell from the weights of a trained style: 50 steps then show what 150 do without"
    parser.add_argument("--from", nargs=1, default=[], dest="start", metavar="STYLE", help=begin)
    parser.add_argument("--auto", action="store_true", help="relative losses, see training.train --help")
    parser.add_argument("--steps", type=int, default=150, metavar="N", help="of each cell (default: 150)")
    parser.add_argument("--weights", type=float, nargs="+", metavar="W", help="style weights (default: half, once, twice)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[192, 320], metavar="PX", help="style sizes (default: 192 320)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        start = find_start(args.start, ("instance",), 1)
        recipe = {**load_recipe(args.recipe), **(AUTO if args.auto else {}), "steps": args.steps}
        base = TrainConfig.from_dict(started_recipe(recipe, start, ("instance",)), source=str(args.recipe))
        weights = args.weights or [base.style_weight * factor for factor in (0.5, 1, 2)]
        if not all(weight > 0 for weight in weights):
            raise TrainingError(f"--weights must be above 0, got {weights}")
        if not base.takes_photo:
            raise TrainingError(f"--recipe {args.recipe} paints no photo, which a probe is to show: try it with training.train")
        open_photo(args.style_image)
        grid = Grid(base, args.style_image, args.content, args.out, start)
        grid.check()
        sheet = grid.train(weights, args.sizes, args.photo)
        save_picture(sheet, args.out / "probe.jpg", quality=88)
        lines = []
        for weight, size in itertools.product(weights, args.sizes):
            words = ["python", "-m", "training.train", "--recipe", args.recipe, *(["--auto"] if args.auto else []), "--pair"]
            words += ["--from", *args.start] if args.start else []
            words += ["--style-image", args.style_image, "--content", args.content, "--style-weight", f"{weight:g}"]
            lines.append(shlex.join(map(str, [*words, "--style-size", size, "--out", f"{args.style_image.stem}-style"])))
        (args.out / "probe.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"\n{args.out / 'probe.jpg'}; train the cell you like to the end:\n" + "\n".join(lines))
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on", file=sys.stderr)
        raise


if __name__ == "__main__":
    keep_freed()
    sys.exit(main())
