"""Pictures about pictures: contact sheets and loss curves."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from training.records import read_log

MARGIN, LABEL, INK, PAPER = 8, 24, "#222222", "white"
COLOURS = {"instance": "#c2410c", "batch": "#475569", "batch, batch statistics": "#94a3b8", "photo": "#a3a3a3"}


def contact_sheet(
    rows: list[list[Image.Image]], captions: list[str], title: str = "", labels: list[str] | None = None
) -> Image.Image:
    """A grid of pictures under column captions, each row under its label, where there are any.

    A row is as high as its highest picture, a column as wide as its widest.
    """
    font = ImageFont.load_default(size=16)
    labels = labels or [""] * len(rows)
    top = MARGIN + (28 if title else 0) + 24
    widths = [max(row[i].width for row in rows) for i in range(len(captions))]
    heights = [max(picture.height for picture in row) + (LABEL if any(labels) else 0) for row in rows]
    size = sum(widths) + MARGIN * (len(widths) + 1), top + sum(heights) + MARGIN * len(rows)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((MARGIN, MARGIN), title, INK, font)
    y = top
    for row, height, label in zip(rows, heights, labels, strict=True):
        x = MARGIN
        draw.text((MARGIN, y + 2), label, INK, font)
        for picture, width in zip(row, widths, strict=True):
            head = LABEL if any(labels) else 0
            sheet.paste(picture, (x + (width - picture.width) // 2, y + head + (height - head - picture.height) // 2))
            x += width + MARGIN
        y += height + MARGIN
    x = MARGIN
    for caption, width in zip(captions, widths, strict=True):
        draw.text((x + width / 2, top - 20), caption, INK, font, anchor="ma")
        x += width + MARGIN
    return sheet


def loss_curves(log: Path, path: Path, style: str | None = None) -> None:
    """Plot a loss log: training losses on the left, the held-out objective (where it was measured) on the right.

    Of one style only, or of all together: then the held-out objectives are averaged.
    """
    import matplotlib  # here, as it is slow to import and needed at the end of a run only

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    records = [r for r in read_log(log) if style in (None, r["style"])]
    held_out = _mean_by_step([r for r in records if "held_out" in r])
    losses = [r for r in records if "held_out" not in r]
    figure, axes = plt.subplots(1, 2 if held_out else 1, figsize=(10 if held_out else 5, 3.6), squeeze=False)
    for norm in ("batch", "instance"):
        points = [(r["step"], r[norm]) for r in losses if norm in r]
        if points:
            steps = [step for step, _ in points]
            for key, line in (("total", "-"), ("content", ":")):
                values = _smooth([loss[key] for _, loss in points])
                axes[0, 0].plot(steps, values, line, color=COLOURS[norm], label=f"{norm} norm, {key}", lw=1.4)
    axes[0, 0].set(title="training loss", xlabel="step", yscale="log")
    if held_out:
        for name in next(iter(held_out.values())):
            values = [found[name] for found in held_out.values()]
            label = {"photo": "the photo itself", "instance": "instance norm", "batch": "batch norm"}.get(name, name)
            axes[0, 1].plot(list(held_out), values, "o-", ms=3, color=COLOURS[name], label=label, lw=1.4)
        axes[0, 1].set(title="held-out objective", xlabel="step", yscale="log")
    for axis in axes[0]:
        axis.legend(fontsize=8, frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.2)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


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
