"""Draw the figures of docs/REPRODUCTION.md: what the paper shows, and what it lacks.

  python -m training.figures --all                 every figure, into docs/figures
  python -m training.figures contrast steps        some of them

They are drawn from the bundled styles and their metrics (training.evaluate), and from docs/experiments (training.experiments,
training.equivalent). Pictures of the slow method are kept in docs/experiments/gatys; a missing one is made again, in minutes.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from training.equivalent import in_words
from training.kept import EXAMPLES, PAINTED, ROOT, SHOWN, SLOW, history, metrics, painted, painting, photo, slow
from training.measure import FROZEN, freeze_statistics
from training.plots import COLOURS, NAMES, plot
from training.robustness import CONTRASTS, rms_contrast
from training.sheet import contact_sheet
from zoo.catalog import PHOTO, find, list_styles, load
from zoo.errors import TrainingError, command
from zoo.images import fit_long_side, fit_short_side, list_photos, open_photo, save_picture, to_tensor
from zoo.stylize import paint, stylize

FIGURES = ROOT / "docs" / "figures"
CELL = 256  # px, long side of a picture in a sheet
PAIR = ("batch", "instance")

DRAWN: dict[str, Callable[[Path], None]] = {}


def figure(draw: Callable[[Path], None]) -> Callable[[Path], None]:
    """Decorator: the function draws the figure of its name into a folder."""
    DRAWN[draw.__name__.replace("_", "-")] = draw
    return draw


def sheet(rows: list[list[Image.Image]], captions: list[str], path: Path, labels: list[str] | None = None) -> None:
    """Save a contact sheet of pictures reduced to CELL px."""
    rows = [[fit_long_side(picture, CELL) for picture in row] for row in rows]
    save_picture(contact_sheet(rows, captions, labels=labels), path.with_suffix(".jpg"), quality=85)


# The paper's figures ------------------------------------------------------------------------------------------------------


@figure
def gatys_method(out: Path) -> None:
    """Figure 1: the slow method of Gatys et al., what all generators are trained to do in one pass."""
    rows = [[photo(name), painting(), slow(name)] for name in SHOWN]
    sheet(rows, ["photo", "painting", f"Gatys et al., {SLOW[1]} iterations"], out / "gatys-method")


@figure
def contrast(out: Path) -> None:
    """Figure 2: a faded photo gives the slow method's contrast to instance norm, and a faded picture to batch norm."""
    name, levels = SHOWN[0], CONTRASTS
    rows = [[photo(name, c), slow(name, c), *(painted(PAINTED, norm, name, c) for norm in PAIR)] for c in levels]
    labels = [f"photo's contrast x {c:g}" for c in levels]
    sheet(rows, ["photo", "Gatys et al.", "batch norm", "instance norm"], out / "contrast", labels)

    def share(paint: Callable[[str, float], Image.Image]) -> list[float]:
        values = [[rms_contrast(to_tensor(paint(name, c))).item() for c in levels] for name in SHOWN]
        return [sum(v[i] / v[0] for v in values) / len(values) for i in range(len(levels))]

    with plot(out / "contrast-curves.png", size=(4.6, 3.6)) as (axis,):
        axis.plot(levels, levels, ":", color=COLOURS["photo"], label="the photo itself")
        axis.plot(levels, share(slow), "s-", color=COLOURS["contrast"], label="Gatys et al.")
        for norm, mark in zip(PAIR, "vo", strict=True):
            found = metrics(find(PAINTED), "robustness", 256)[norm]["contrast"]
            axis.plot(levels, [found[f"{c:g}"]["share"] for c in levels], f"{mark}-", color=COLOURS[norm], label=NAMES[norm])
        axis.set(xlabel="contrast of the photo", ylabel="contrast of the picture", ylim=(0, 1.15), xlim=(0.2, 1.05))


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
    sheet(rows, captions, out / "texture-network")


@figure
def gallery(out: Path) -> None:
    """Figure 4: every style of the zoo, by instance norm."""
    styles, names = list_styles(), SHOWN
    styles = [style for style in styles if style.source == "bundled"]
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
    save_picture(both, out / "gallery.jpg", quality=85)


@figure
def architectures(out: Path) -> None:
    """Figure 5: both generators, batch norm above instance norm."""
    name = SHOWN[0]
    rows = [[photo(name), *(painted(made, norm, name) for made in ("texture", "residual"))] for norm in PAIR]
    rows[1][0] = painting()
    captions, labels = ["photo, painting", "texture network", "residual network"], [NAMES[norm] for norm in PAIR]
    sheet(rows, captions, out / "architectures", labels)


@figure
def resolutions(out: Path) -> None:
    """Figure 6: the Delaunay style at 512 and at 1080 px."""
    picture = open_photo(PHOTO)
    pictures = [stylize(picture, "portrait-of-metzinger", size=size) for size in (512, 1080)]
    shown = [fit_long_side(picture, 512), *pictures]
    shown[2] = fit_long_side(shown[2], 900)
    save_picture(contact_sheet([shown], ["photo", "512 px", "1080 px (shown at 900)"]), out / "resolutions.jpg", quality=80)


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
                    axis.plot(*(values[1:] for values in history(name, painter)), mark, ms=4, lw=1.5, **line)
            axis.set(title=title, xlabel="step", ylabel="held-out objective / 1000", yscale="log")
            _plain(axis)
        axes[1].set_ylim(axes[0].get_ylim())


@figure
def few_photos(out: Path) -> None:
    """Section 2: sixteen photos against all of them."""
    with plot(out / "few-photos.png", size=(5.2, 3.8)) as (axis,):
        for norm, mark in zip(PAIR, "vo", strict=True):
            for name, line, count in (("texture", "-", "all photos"), ("texture-16-photos", "--", "16 photos")):
                label = f"{NAMES[norm]}, {count}"
                x, y = (values[1:] for values in history(name, norm))
                axis.plot(x, y, mark, ls=line, ms=4, lw=1.5, color=COLOURS[norm], label=label)
        axis.set(xlabel="step", ylabel="held-out objective / 1000", yscale="log", title="texture network")
        _plain(axis)


@figure
def norms(out: Path) -> None:
    """Ablation: contrast norm (eq. 1), batch norm (eq. 2), instance norm (eq. 3), none."""
    with plot(out / "norms.png", size=(5.2, 3.8)) as (axis,):
        sources = {"none": "residual-norms", "contrast": "residual-norms", "batch": "residual", "instance": "residual"}
        for (norm, name), mark in zip(sources.items(), "xsvo", strict=True):
            x, y = (values[1:] for values in history(name, norm))
            axis.plot(x, y, f"{mark}-", ms=4, lw=1.5, color=COLOURS[norm], label=NAMES.get(norm, "no norm"))
        axis.set(xlabel="step", ylabel="held-out objective / 1000", yscale="log", title="residual network")
        _plain(axis)


@figure
def equivalent_iterations(out: Path) -> None:
    """k*: iterations of the slow method that are as good as one pass, by style."""
    measured = [style for style in list_styles() if "equivalent_iterations" in style.metrics]
    if not measured:
        raise TrainingError("no style has equivalent_iterations in its metrics: see docs/REPRODUCTION.md")
    with plot(out / "equivalent-iterations.png", columns=2, size=(4.8, 3.4)) as axes:
        for axis, start in zip(axes, ("photo", "noise"), strict=True):
            for place, style in enumerate(measured):
                ((_, found),) = style.metrics["equivalent_iterations"].items()
                for shift, norm, mark in ((-0.12, "batch", "v"), (0.12, "instance", "o")):
                    values = [k or found["steps"] for k in found[norm][start]["photos"].values()]
                    low, middle, high = found[norm][start]["quartiles"]
                    label = NAMES[norm] if place == 0 else None
                    axis.plot(values, [place + shift] * len(values), mark, ms=4, alpha=0.4, color=COLOURS[norm])
                    ends = [low or found["steps"], high or found["steps"]]
                    axis.plot(ends, [place + shift] * 2, "-", color=COLOURS[norm], lw=2)
                    axis.plot(middle or found["steps"], place + shift, mark, ms=9, color=COLOURS[norm], label=label)
                    said = in_words(middle, found["steps"])
                    axis.annotate(
                        said, (middle or found["steps"], place + shift), (0, 7), textcoords="offset points", fontsize=8
                    )
            axis.set(title=f"from {start}", xlabel="iterations of Gatys et al. (k*)", ylim=(-0.5, len(measured) - 0.4))
            axis.set_yticks(range(len(measured)), [style.title for style in measured], fontsize=8)


@figure
def statistics(out: Path) -> None:
    """Batch norm by running and by the batch's own statistics, instance norm by its own and by frozen ones: a faded photo."""
    name, photos = SHOWN[0], [to_tensor(fit_short_side(open_photo(path), 256)) for path in list_photos(EXAMPLES)]
    frozen = freeze_statistics(load(PAINTED), photos)
    rows = []
    for c in (1.0, 0.25):
        rows.append([photo(name, c), *(painted(PAINTED, norm, name, c) for norm in PAIR), paint(frozen, photo(name, c))])
    captions = ["photo", "batch norm, running", "instance norm, its own", FROZEN]
    sheet(rows, captions, out / "statistics", ["", "contrast x 0.25"])


def _plain(axis) -> None:
    axis.yaxis.set_major_formatter("{x:.0f}")
    axis.yaxis.set_minor_formatter("{x:.0f}")


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
