"""Plots in one look, tidy and fit for the colour-blind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

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
def plot(path: Path, columns: int = 1, size: tuple[float, float] = (5, 3.6), dpi: int = 100) -> Iterator[list]:
    """Matplotlib's Axes side by side, `size` inches each; tidied and saved to `path` at the end.

    Raises OSError when that fails.
    """
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


def plain_ticks(axis) -> None:
    """Whole numbers beside a logarithmic y axis of matplotlib's Axes, instead of powers of ten."""
    axis.yaxis.set_major_formatter("{x:.0f}")
    axis.yaxis.set_minor_formatter("{x:.0f}")
