"""Curves of runs: losses and the held-out objective."""

from pathlib import Path
from statistics import median

from training.drawing.plots import COLOURS, NAMES, plain_ticks, plot
from zoo.config import NORMS
from zoo.errors import TrainingError
from zoo.records import read_log


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
        plain_ticks(axis)


def loss_curves(log: Path, path: Path, slug: str | None = None) -> None:
    """Plot a loss log: training losses on the left, the held-out objective (where it was measured) on the right.

    Of the style of that slug only, or of all together: then the held-out objectives are averaged.
    """
    records = [r for r in read_log(log) if slug in (None, r["style"])]
    held_out = _mean_by_step([r for r in records if "held_out" in r])
    losses = [r for r in records if "held_out" not in r]
    with plot(path, 2 if held_out else 1, dpi=90) as axes:
        for norm in NORMS:
            points = [(r["step"], r[norm]) for r in losses if norm in r]
            for key, line in (("total", "-"), ("content", ":")) if points else ():
                values = _smooth([loss[key] for _, loss in points])
                axes[0].plot([s for s, _ in points], values, line, color=COLOURS.get(norm), label=f"{norm} norm, {key}", lw=1.4)
        axes[0].set(title="training loss", xlabel="step", yscale="log")
        if held_out:
            for name in next(iter(held_out.values())):
                values = [found[name] for found in held_out.values()]
                label = NAMES.get(name, name)
                axes[1].plot(list(held_out), values, "o-", ms=3, color=COLOURS.get(name), label=label, lw=1.4)
            axes[1].set(title="held-out objective", xlabel="step", yscale="log")


def _mean_by_step(records: list[dict]) -> dict[int, dict[str, float]]:
    """Mean objective of each painter, by step."""
    found: dict = {}
    for r in records:
        for name, losses in r["held_out"].items():
            found.setdefault(r["step"], {}).setdefault(name, []).append(losses["objective"])
    return {step: {name: sum(v) / len(v) for name, v in names.items()} for step, names in found.items()}


def _smooth(values: list[float], keep: float = 0.8) -> list[float]:
    smoothed, last = [], None
    for value in values:
        last = value if last is None else keep * last + (1 - keep) * value
        smoothed.append(last)
    return smoothed
