"""Draw the figures of docs/REPRODUCTION.md: what the paper shows, and what it lacks.

  python -m training.figures --all                 every figure, into docs/figures
  python -m training.figures contrast steps        some of them

They are drawn from the bundled styles and their metrics (training.evaluate), and from docs/experiments (training.experiments,
training.equivalent). Pictures of the slow method are kept in docs/experiments/gatys; a missing one is made again, in minutes.
"""

import argparse
import sys
from pathlib import Path

from training.paper.figures import (
    DRAWN,
    FIGURES,
)
from zoo.cli import command
from zoo.errors import TrainingError


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.figures", description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="FIGURE", help=", ".join(DRAWN))
    parser.add_argument("--all", action="store_true", help="every figure")
    parser.add_argument("-o", "--out", type=Path, default=FIGURES, metavar="DIR", help="(default: docs/figures)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when drawn, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        if unknown := [name for name in args.names if name not in DRAWN]:
            raise TrainingError(f"no figure {unknown[0]!r}: choose from {', '.join(DRAWN)}, or --all")
        if not args.names and not args.all:
            raise TrainingError(f"name figures, or --all: {', '.join(DRAWN)}")
        args.out.mkdir(parents=True, exist_ok=True)
        for name in DRAWN if args.all else args.names:
            DRAWN[name](args.out)
            print(f"{name}: {(DRAWN[name].__doc__ or '').splitlines()[0]}")
    except OSError as error:
        raise TrainingError(f"cannot write {args.out}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
