"""Carry an unfinished run to another machine in two megabytes instead of its checkpoint's tens.

  python -m training.carry pack my-painting/ carried/        # of the newest checkpoint, on the one machine
  python -m training.carry unpack carried/ my-painting/      # on the other; then the training's own command goes on

Weights are carried in float16 (norms in float32), with step, recipe and log; the optimisers' memory is left behind and gathers
anew within some ten steps, so that the end differs a little from that of a run left alone.
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
