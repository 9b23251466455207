"""Carry an unfinished run to another machine, in half of its checkpoint's size.

  python -m training.carry pack my-painting/ carried/        # of the newest checkpoint, on the one machine
  python -m training.carry unpack carried/ my-painting/      # on the other; then the training's own command goes on

Carried are weights and what the optimisers remember, kernels in 16 bits, and step, recipe and log: the run goes on nearly as if
it had been left alone. The photos and the painting are yours to bring, under the names they had.
"""

import argparse
import sys
from pathlib import Path

from training.running.carry import pack, unpack
from zoo.cli import command


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.carry", description=__doc__, formatter_class=raw)
    parser.add_argument("action", choices=("pack", "unpack"))
    parser.add_argument("source", type=Path, metavar="FROM")
    parser.add_argument("target", type=Path, metavar="TO")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0, or 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    step = {"pack": pack, "unpack": unpack}[args.action](args.source, args.target)
    print(f"{args.target}: the run after step {step}")


if __name__ == "__main__":
    sys.exit(main())
