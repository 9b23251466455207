"""Train the experiments on the paper, and keep what its figures and docs/REPRODUCTION.md draw on.

  python -m training.experiments --content photos/ --held-out other_photos/ --style-image starry_night.jpg --runs runs/

Each experiment is an ordinary training by a recipe of training/recipes/paper, with its own folder in RUNS: what is finished
is left alone, what was stopped goes on. docs/experiments/NAME.json then records the recipe, the held-out objective over the
steps, and tests of robustness on the bundled photos; beside it lie those photos of the figures that its generators paint.
"""

import argparse
import sys
from pathlib import Path

from training.paper.experiments import EXPERIMENTS, train_experiment, write_results
from training.paper.records import RESULTS
from zoo.cli import command
from zoo.errors import TrainingError
from zoo.memory import keep_freed


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.experiments", description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"(default: all of {', '.join(EXPERIMENTS)})")
    parser.add_argument("--content", type=Path, required=True, metavar="DIR", help="photos to train on")
    parser.add_argument("--held-out", type=Path, required=True, metavar="DIR", help="photos never trained on")
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="where the trainings go")
    parser.add_argument(
        "--keep", type=Path, default=RESULTS, metavar="DIR", help="where the results go (default: docs/experiments)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="of each, for a trial (default: as the recipe says)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when all are trained, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        if args.steps and args.keep == RESULTS:
            raise TrainingError("--steps is for a trial: give it a --keep of its own, not to overwrite docs/experiments")
        if unknown := [name for name in args.names if name not in EXPERIMENTS]:
            raise TrainingError(f"no experiment {unknown[0]!r}: choose from {', '.join(EXPERIMENTS)}")
        for name in args.names or EXPERIMENTS:
            print(f"{name}: {EXPERIMENTS[name][0]}, {' and '.join(EXPERIMENTS[name][1])} norm")
            folder = train_experiment(name, args.content, args.held_out, args.style_image, args.runs, args.steps)
            write_results(name, args.content, args.style_image, folder, args.keep)
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from the last checkpoint in {args.runs}", file=sys.stderr)
        raise


if __name__ == "__main__":
    keep_freed()
    sys.exit(main())
