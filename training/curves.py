"""Compare runs: the held-out objective of instance norm against minutes of training, as a picture and a table.

  python -m training.curves scratch/ adapter/ --labels "from scratch" "adapter" --out curves.png

Minutes are steps times the run's median time of a step, so that previews, measurements and whatever else the machine did
meanwhile do not count. Each RUN is the --out of a training with --held-out.
"""

import argparse
import sys
from pathlib import Path

from training.drawing.curves import draw_curves, read_curve
from zoo.cli import command
from zoo.errors import TrainingError


def make_parser() -> argparse.ArgumentParser:
    """The flags, with help that teaches."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.curves", description=__doc__, formatter_class=raw)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--labels", nargs="+", metavar="TEXT", help="one for each run (default: the folders' names)")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="picture to write")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when drawn, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        labels = args.labels or [run.name for run in args.runs]
        if len(labels) != len(args.runs) or len(set(labels)) != len(labels) or len(labels) > 4:
            raise TrainingError(f"up to four runs, and a label of its own for each: {len(args.runs)} runs, labels {labels}")
        curves = {label: read_curve(run) for label, run in zip(labels, args.runs, strict=True)}
        draw_curves(curves, args.out)
        for label, curve in curves.items():
            print(label)
            for step, minutes, objective in curve:
                print(f"  step {step:5}  {minutes:5.1f} min  {objective:12,.0f}")
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot write {args.out}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
