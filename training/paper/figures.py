"""The figures of docs/REPRODUCTION.md: what the paper shows, and what it lacks."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from PIL import Image, ImageOps

from training.drawing.plots import COLOURS, NAMES, plain_ticks, plot
from training.drawing.sheet import contact_sheet
from training.measure.held_out import freeze_statistics, held_out_objective, with_batch_statistics
from training.measure.iterations import in_words
from training.measure.robustness import CONTRASTS, rms_contrast
from training.objective.losses import Objective
from training.objective.vgg import load_vgg
from training.paper.records import (
    FIRST_ZOO,
    PAINTED,
    ROOT,
    SHOWN,
    SLOW,
    bundled_photos,
    experiment,
    history,
    painted,
    painting,
    photo,
    slow,
)
from zoo.catalog import load, photo_styles
from zoo.images import fit_long_side, fit_short_side, open_photo, save_picture, to_image, to_tensor
from zoo.painter import paint, stylize
from zoo.style import PHOTO

FIGURES = ROOT / "docs" / "figures"
SLOW_CURVES = 192  # px: short side at which iterations of the slow method were counted
CELL = 256  # px, long side of a picture in a sheet
PAIR = ("batch", "instance")
MARKS = (("batch", "v"), ("instance", "o"))

DRAWN: dict[str, Callable[[Path], None]] = {}


def figure(draw: Callable[[Path], None]) -> Callable[[Path], None]:
    """Decorator: the function draws the figure of its name into a folder."""
    DRAWN[draw.__name__.replace("_", "-")] = draw
    return draw


def sheet(rows: list[list[Image.Image]], captions: list[str], path: Path, labels: list[str] | None = None) -> None:
    """Save a contact sheet of pictures reduced to CELL px."""
    rows = [[fit_long_side(picture, CELL) for picture in row] for row in rows]
    save_picture(contact_sheet(rows, captions, labels=labels), path.with_suffix(".jpg"), quality=80)


# The paper's figures ------------------------------------------------------------------------------------------------------


@figure
def gatys_method(out: Path) -> None:
    """Figure 1: the slow method of Gatys et al., what all generators are trained to do in one pass."""
    rows = [[photo(name), painting(), slow(name)] for name in SHOWN]
    sheet(rows, ["photo", "painting", f"Gatys et al., {SLOW[1]} iterations"], out / "gatys-method")


@figure
def contrast(out: Path) -> None:
    """Figure 2: a photo and the same photo faded, by the slow method, batch norm and instance norm."""
    name, levels = SHOWN[0], CONTRASTS
    rows = [[photo(name, c), slow(name, c), *(painted(PAINTED, norm, name, c) for norm in PAIR)] for c in levels]
    labels = [f"photo's contrast x {c:g}" for c in levels]
    sheet(rows, ["photo", "Gatys et al.", "batch norm", "instance norm"], out / "contrast", labels)

    objective = held_out_objective(load_vgg(), painting())
    painters: dict[str, tuple[Callable, str, str]] = {"contrast": (slow, "Gatys et al.", "s")}
    painters.update({norm: (partial(painted, PAINTED, norm), NAMES[norm], mark) for norm, mark in MARKS})
    with plot(out / "contrast-curves.png", columns=2, size=(4.4, 3.4)) as axes:
        axes[0].plot(levels, levels, ":", color=COLOURS["photo"], label="the photo itself")
        for key, (paint, label, mark) in painters.items():
            found: dict[str, list[float]] = {"contrast": [], "style": []}
            for c in levels:
                picture = to_tensor(paint(name, contrast=c))
                found["contrast"].append(rms_contrast(picture).item())
                found["style"].append(style_loss(objective, picture))
            for axis, values in zip(axes, found.values(), strict=True):
                axis.plot(levels, [value / values[0] for value in values], f"{mark}-", color=COLOURS[key], label=label)
        axes[0].set(xlabel="contrast of the photo", ylabel="contrast of the picture", ylim=(0, 1.15))
        axes[1].set(xlabel="contrast of the photo", ylabel="style loss of the picture", ylim=(0.5, None))


@torch.no_grad()
def style_loss(objective: Objective, picture: torch.Tensor) -> float:
    """Style loss of a 1×3×H×W picture in [0, 1]."""
    found = objective.vgg(picture, objective.layers)
    return objective.compare(found, picture, found)["style"].item()


@figure
def texture_network(out: Path) -> None:
    """Figure 3: the texture network, its borders, and training on few photos."""
    shown = [
        ("zero padding, batch", "texture", "batch"),
        ("better padding, batch", "texture-replicate", "batch"),
        ("zero padding, instance", "texture", "instance"),
        ("16 photos, batch", "texture-16-photos", "batch"),
        ("16 photos, instance", "texture-16-photos", "instance"),
    ]
    captions = ["photo", "Gatys et al.", *(caption for caption, _, _ in shown)]
    rows = [[photo(name), slow(name), *(painted(made, norm, name) for _, made, norm in shown)] for name in SHOWN]
    rows = [[fit_long_side(picture, 200) for picture in row] for row in rows]
    sheet(rows, captions, out / "texture-network")


@figure
def gallery(out: Path) -> None:
    """Figure 4: every style of the zoo, by instance norm."""
    styles, names = [style for style in photo_styles() if style.source == "bundled"], SHOWN
    half = -(-len(styles) // 2)
    pictures = [[stylize(photo(name, size=384), style) for style in styles] for name in names]
    rows = []
    for part in (slice(0, half), slice(half, None)):
        blank = [Image.new("RGB", (200, 1), "white")] * (half - len(styles[part]))
        rows += [[photo(name, size=384), *row[part], *blank] for name, row in zip(names, pictures, strict=True)]
    rows = [[fit_long_side(picture, 200) for picture in row] for row in rows]
    titles = [style.title for style in styles]
    lower = titles[half:] + [""] * (2 * half - len(titles))
    top, bottom = contact_sheet(rows[:2], ["photo", *titles[:half]]), contact_sheet(rows[2:], ["photo", *lower])
    both = Image.new("RGB", (max(top.width, bottom.width), top.height + bottom.height), "white")
    both.paste(top, (0, 0))
    both.paste(bottom, (0, top.height))
    save_picture(both, out / "gallery.jpg", quality=80)


@figure
def architectures(out: Path) -> None:
    """Figure 5: both generators on two photos, batch norm above instance norm."""
    made = {"texture network": "texture", "residual network": "residual"}
    rows = [[painted(name, norm, shown) for shown in SHOWN for name in made.values()] for norm in PAIR]
    sheet(rows, list(made) * len(SHOWN), out / "architectures", [NAMES[norm] for norm in PAIR])


@figure
def resolutions(out: Path) -> None:
    """Figure 6: the Delaunay style at 512 and at 1080 px, shown at three quarters of that."""
    picture, row = open_photo(PHOTO), []
    for size in (512, 1080):
        scale = size / max(picture.size)
        row.append(picture.resize([round(side * scale) for side in picture.size], Image.Resampling.LANCZOS))
    row = [row[0], *(stylize(resized, "portrait-of-metzinger") for resized in row)]
    row = [fit_long_side(picture, max(picture.size) * 3 // 4) for picture in row]
    save_picture(contact_sheet([row], ["photo", "512 px", "1080 px"]), out / "resolutions.jpg", quality=75)


# What the paper lacks -----------------------------------------------------------------------------------------------------


@figure
def steps(out: Path) -> None:
    """Held-out objective against steps: both generators, two seeds, batch norm in both of its readings."""
    with plot(out / "steps.png", columns=2, size=(4.8, 3.8)) as axes:
        for axis, title, names in (
            (axes[0], "residual network, two seeds", ("residual", "residual-seed-1")),
            (axes[1], "texture network", ("texture",)),
        ):
            for i, name in enumerate(names):
                for painter, mark in (("batch, batch statistics", "^"), ("batch", "v"), ("instance", "o")):
                    label = NAMES.get(painter, painter.replace("batch,", "batch norm,")) if i == 0 else None
                    line = {"color": COLOURS[painter], "label": label, "ls": "--" if i else "-"}
                    axis.plot(*history(name, painter), mark, ms=4, lw=1.5, **line)
            axis.set(title=title, xlabel="step", ylabel="held-out objective / 1000", yscale="log")
            plain_ticks(axis)
        axes[1].set_ylim(axes[0].get_ylim())


@figure
def few_photos(out: Path) -> None:
    """Section 2: sixteen photos against all of them."""
    with plot(out / "few-photos.png", size=(5.2, 3.8)) as (axis,):
        for norm, mark in zip(PAIR, "vo", strict=True):
            for name, line, count in (("texture", "-", "all photos"), ("texture-16-photos", "--", "16 photos")):
                label = f"{NAMES[norm]}, {count}"
                x, y = history(name, norm)
                axis.plot(x, y, mark, ls=line, ms=4, lw=1.5, color=COLOURS[norm], label=label)
        axis.set(xlabel="step", ylabel="held-out objective / 1000", yscale="log", title="texture network")
        plain_ticks(axis)


@figure
def norms(out: Path) -> None:
    """Ablation: contrast norm (eq. 1), batch norm (eq. 2), instance norm (eq. 3), none."""
    with plot(out / "norms.png", size=(5.2, 3.8)) as (axis,):
        sources = {"none": "residual-norms", "contrast": "residual-norms", "batch": "residual", "instance": "residual"}
        for (norm, name), mark in zip(sources.items(), "xsvo", strict=True):
            x, y = history(name, norm)
            axis.plot(x, y, f"{mark}-", ms=4, lw=1.5, color=COLOURS[norm], label=NAMES.get(norm, "no norm"))
        axis.set(xlabel="step", ylabel="held-out objective / 1000", yscale="log", title="residual network")
        plain_ticks(axis)


@figure
def equivalent_iterations(out: Path) -> None:
    """k*: iterations of the slow method that are as good as one pass, by style; hollow where so many do not get there."""
    measured = experiment(FIRST_ZOO).values()
    with plot(out / "equivalent-iterations.png", columns=2, size=(4.8, 3.4)) as axes:
        for axis, start in zip(axes, ("photo", "noise"), strict=True):
            for place, style in enumerate(measured):
                found = style["equivalent_iterations"][str(SLOW_CURVES)]
                for shift, (norm, mark) in zip((-0.12, 0.12), MARKS, strict=True):
                    if start not in found[norm]:
                        continue
                    y, values = place + shift, found[norm][start]["photos"].values()
                    low, middle, high = (k or found["steps"] for k in found[norm][start]["quartiles"])
                    look = {"ls": "none", "marker": mark, "color": COLOURS[norm]}
                    for k in values:
                        axis.plot(k or found["steps"], y, ms=4, alpha=0.4, mfc=None if k else "none", **look)
                    axis.plot([low, high], [y] * 2, "-", color=COLOURS[norm], lw=2)
                    axis.plot(middle, y, ms=9, label=NAMES[norm] if place == 0 else None, **look)
                    said = in_words(found[norm][start]["quartiles"][1], found["steps"])
                    axis.annotate(said, (middle, y), (0, 7), textcoords="offset points", fontsize=8)
            axis.set(title=f"from {start}", xlabel="iterations of Gatys et al. (k*)", ylim=(-0.5, len(measured) - 0.4))
            axis.set_yticks(range(len(measured)), [style["title"] for style in measured], fontsize=8)


@figure
def statistics(out: Path) -> None:
    """Which statistics: batch norm by running ones and the batch's, instance norm by the picture's own and by frozen ones.

    The batch is the photo and three others; frozen are the averages over the five other bundled photos.
    """
    name, others = SHOWN[0], [open_photo(path) for path in bundled_photos() if path.stem != SHOWN[0]]
    frozen = freeze_statistics(load(PAINTED), [to_tensor(fit_short_side(other, SLOW[0])) for other in others])
    batch, rows = with_batch_statistics(load(PAINTED, "batch")), []
    for c in (1.0, 0.25):
        shown = photo(name, c)
        crops = torch.cat([to_tensor(p) for p in [shown, *(ImageOps.fit(other, shown.size) for other in others[:3])]])
        with torch.inference_mode():
            by_batch = to_image(batch(crops)[0])
        row = [shown, painted(PAINTED, "batch", name, c), by_batch, painted(PAINTED, "instance", name, c)]
        rows.append([*row, paint(frozen, shown)])
    captions = ["photo", "batch norm, running", "batch norm, of a batch", "instance norm, its own", "instance norm, frozen"]
    sheet(rows, captions, out / "statistics", ["", "contrast x 0.25"])
