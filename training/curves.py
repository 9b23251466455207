"""Compare runs: the held-out objective of instance norm against minutes of training, as a picture and a table.

  python -m training.curves scratch/ adapter/ --labels "from scratch" "adapter" --out curves.png

Minutes are steps times the run's median time of a step, so that previews, measurements and whatever else the machine did
meanwhile do not count. Each RUN is the --out of a training with --held-out.
"""

import argparse
import sys
from pathlib import Path
from statistics import median

from training.drawing.plots import COLOURS, plot
from training.records import read_log
from zoo.cli import command
from zoo.errors import TrainingError


def read_curve(run: Path) -> list[tuple[int, float, float]]:
    """(step, minutes, held-out objective of instance norm) at each measurement. Raises TrainingError when there are none."""
    records = read_log(run / "run" / "log.jsonl")
    times = [(r["step"], r["seconds"]) for r in records if "seconds" in r]
    paces = [(t - s) / (b - a) for (a, s), (b, t) in zip(times, times[1:], strict=False) if b > a]
    found = [(r["step"], r["held_out"]["instance"]["objective"]) for r in records if "instance" in r.get("held_out", {})]
    if not found or not paces:
        raise TrainingError(f"{run} holds no held-out measurements: train it with --held-out and --held-out-every")
    return [(step, step * median(paces) / 60, objective) for step, objective in found]


def draw_curves(curves: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    """Plot the curves by label; the untrained start is left out, it would flatten the rest."""
    with plot(path, size=(6.4, 3.8), dpi=110) as (axis,):
        for (label, curve), colour in zip(curves.items(), COLOURS.values(), strict=False):
            points = [(minutes, objective / 1000) for step, minutes, objective in curve if step]
            axis.plot(*zip(*points, strict=True), "o-", ms=3, lw=1.5, color=colour, label=label)
        axis.set(xlabel="minutes of training", ylabel="held-out objective / 1000", yscale="log")
        axis.yaxis.set_major_formatter("{x:.0f}")
        axis.yaxis.set_minor_formatter("{x:.0f}")


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when drawn, 2 with one plain line for a user's mistake."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.curves", description=__doc__, formatter_class=raw)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--labels", nargs="+", metavar="TEXT", help="one for each run (default: the folders' names)")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="picture to write")
    args = parser.parse_args(argv)
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
