"""Plots in one look, tidy and fit for the colour-blind; and the loss curves of a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from training.records import read_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# of Okabe and Ito (colour universal design), which the colour-blind can tell apart
COLOURS = {
    "instance": "#d55e00",
    "batch": "#0072b2",
    "batch, batch statistics": "#56b4e9",
    "contrast": "#009e73",
    "none": "#a07000",
    "photo": "#999999",
}
NAMES = {"photo": "the photo itself", "instance": "instance norm", "batch": "batch norm", "contrast": "contrast norm (eq. 1)"}


@contextmanager
def plot(path: Path, columns: int = 1, size: tuple[float, float] = (5, 3.6), dpi: int = 100) -> "Iterator[list[Axes]]":
    """Axes side by side, `size` inches each; tidied and saved to `path` at the end. Raises OSError when that fails."""
    import matplotlib  # here, as it is slow to import, and rarely needed

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(size[0] * columns, size[1]), squeeze=False)
    try:
        yield list(axes[0])
        for axis in axes[0]:
            if axis.get_legend_handles_labels()[0]:
                axis.legend(fontsize=8, frameon=False)
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(alpha=0.2, which="both")
        figure.tight_layout()
        figure.savefig(path, dpi=dpi)
        if path.suffix.lower() == ".png":  # a few flat colours: a palette takes a third of the room
            with Image.open(path) as image:
                image.convert("RGB").quantize(64).save(path, optimize=True)
    finally:
        plt.close(figure)


def loss_curves(log: Path, path: Path, style: str | None = None) -> None:
    """Plot a loss log: training losses on the left, the held-out objective (where it was measured) on the right.

    Of one style only, or of all together: then the held-out objectives are averaged.
    """
    records = [r for r in read_log(log) if style in (None, r["style"])]
    held_out = _mean_by_step([r for r in records if "held_out" in r])
    losses = [r for r in records if "held_out" not in r]
    with plot(path, 2 if held_out else 1, dpi=90) as axes:
        for norm in ("batch", "instance", "contrast", "none"):
            points = [(r["step"], r[norm]) for r in losses if norm in r]
            for key, line in (("total", "-"), ("content", ":")) if points else ():
                values = _smooth([loss[key] for _, loss in points])
                axes[0].plot([s for s, _ in points], values, line, color=COLOURS[norm], label=f"{norm} norm, {key}", lw=1.4)
        axes[0].set(title="training loss", xlabel="step", yscale="log")
        if held_out:
            for name in next(iter(held_out.values())):
                values = [found[name] for found in held_out.values()]
                label = NAMES.get(name, name)
                axes[1].plot(list(held_out), values, "o-", ms=3, color=COLOURS[name], label=label, lw=1.4)
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
