"""Try before an evening is spent: a grid of short trainings, style weight across, style size down, as one contact sheet.

  python -m training.probe --auto --style-image painting.jpg --content photos/ --photo me.jpg --out probe/

Each cell is the instance-norm generator after --steps steps. The command that trains a cell to the end stands beneath the
grid, and in OUT/probe.txt. OUT keeps the cells: call again to go on after a stop, or with other values to add some.
"""

import argparse
import dataclasses
import itertools
import json
import shlex
import sys
from pathlib import Path

from PIL import Image

from training.config import AUTO, TrainConfig, load_recipe
from training.data.paintings import Painting
from training.drawing.sheet import contact_sheet
from training.records import differences
from training.running.loop import RunOptions, run
from training.running.start import describe_start, find_start, started_recipe
from zoo.cli import command
from zoo.errors import TrainingError
from zoo.folder import sha256, write_whole
from zoo.images import fit_long_side, open_photo, save_picture
from zoo.painter import stylize
from zoo.records import read_record
from zoo.style import PHOTO, Style, at

CELL = 320  # px
IN_NAME = ("style_weight", "style_size", "steps")  # of the folder of a cell


def cell_folder(out: Path, config: TrainConfig) -> Path:
    """Where a cell of the grid is trained."""
    return out / f"weight-{config.style_weight:g}-size-{config.style_size}-steps-{config.steps}"


def check_cells(out: Path, base: TrainConfig, painting: Path, content: str | Path, start: tuple[Style, ...]) -> None:
    """Raise TrainingError when `out` holds cells that differ in more than style weight, style size and steps."""
    shared = {key: value for key, value in dataclasses.asdict(base).items() if key not in IN_NAME}
    shared |= {"painting": sha256(painting), "content": str(content), "from": describe_start(start, ("instance",))}
    record, text = out / "probe.json", json.dumps(shared, indent=1)
    if record.is_file() and (other := differences(read_record(record), json.loads(text))):
        raise TrainingError(f"{out} holds cells that differ in {', '.join(other)}: choose another --out")
    write_whole({record: text.encode()})


def probe(
    base: TrainConfig,
    weights: list[float],
    sizes: list[int],
    painting: Path,
    content: str | Path,
    photo: Path,
    out: Path,
    start: tuple[Style, ...] = (),
) -> Image.Image:
    """Train the missing cells and return the contact sheet: rows are style sizes, columns style weights.

    Raises ZooError for bad input.
    """
    picture = fit_long_side(open_photo(photo), CELL)
    rows = []
    for size in sizes:
        row = [fit_long_side(open_photo(painting), CELL)]
        for weight in weights:
            config = dataclasses.replace(base, style_weight=weight, style_size=size)
            folder = cell_folder(out, config)
            print(f"style weight {weight:g}, style size {size} px, {config.steps} steps")
            if not (folder / "model.safetensors").is_file():
                options = RunOptions(preview_every=config.steps, log_every=min(10, config.steps))
                run(config, [Painting(painting, folder.name)], content, folder, ("instance",), options, start)
            row.append(stylize(picture, at(folder)))
        rows.append(row)
    captions = ["painting", *(f"style weight {weight:g}" for weight in weights)]
    sheet = contact_sheet(rows, captions, f"after {base.steps} steps; rows: style size {', '.join(map(str, sizes))} px")
    return sheet


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.probe", description=__doc__, formatter_class=raw)
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("--content", required=True, metavar="DIR|ARCHIVE|HUB", help="photos to train on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the cells and probe.jpg")
    parser.add_argument(
        "--photo", type=Path, default=PHOTO, metavar="FILE", help="what the cells paint (default: the zoo's photo)"
    )
    parser.add_argument("--recipe", default="laptop", metavar="NAME|FILE", help="what all cells share (default: laptop)")
    begin = "begin each cell from the weights of a trained style: 50 steps then show what 150 do without"
    parser.add_argument("--from", nargs=1, default=[], dest="start", metavar="STYLE", help=begin)
    parser.add_argument("--auto", action="store_true", help="relative losses, see training.train --help")
    parser.add_argument("--steps", type=int, default=150, metavar="N", help="of each cell (default: 150)")
    parser.add_argument("--weights", type=float, nargs="+", metavar="W", help="style weights (default: half, once, twice)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[192, 320], metavar="PX", help="style sizes (default: 192 320)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        start = find_start(args.start, ("instance",), 1)
        recipe = {**load_recipe(args.recipe), **(AUTO if args.auto else {}), "steps": args.steps}
        base = TrainConfig.from_dict(started_recipe(recipe, start, ("instance",)), source=str(args.recipe))
        weights = args.weights or [base.style_weight * factor for factor in (0.5, 1, 2)]
        if not all(weight > 0 for weight in weights):
            raise TrainingError(f"--weights must be above 0, got {weights}")
        if not base.takes_photo:
            raise TrainingError(f"--recipe {args.recipe} paints no photo, which a probe is to show: try it with training.train")
        open_photo(args.style_image)
        check_cells(args.out, base, args.style_image, args.content, start)
        sheet = probe(base, weights, args.sizes, args.style_image, args.content, args.photo, args.out, start)
        save_picture(sheet, args.out / "probe.jpg", quality=88)
        lines = []
        for weight, size in itertools.product(weights, args.sizes):
            words = ["python", "-m", "training.train", "--recipe", args.recipe, *(["--auto"] if args.auto else []), "--pair"]
            words += ["--from", *args.start] if args.start else []
            words += ["--style-image", args.style_image, "--content", args.content, "--style-weight", f"{weight:g}"]
            lines.append(shlex.join(map(str, [*words, "--style-size", size, "--out", f"{args.style_image.stem}-style"])))
        (args.out / "probe.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"\n{args.out / 'probe.jpg'}; train the cell you like to the end:\n" + "\n".join(lines))
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on", file=sys.stderr)
        raise


if __name__ == "__main__":
    sys.exit(main())
