"""Compare stylized pictures of one photo, whoever made them: content and style error at three sizes.

  python -m training.judge photo.jpg painting.jpg mine.png theirs.jpg

Lower is better, in both; training/measure/picture_errors.py says what is measured. The photo itself is the first row: all
content, no style.
"""

import argparse
import sys
from pathlib import Path

from training.measure.picture_errors import SCALES, STYLE_WEIGHT, PictureErrors
from training.objective.vgg import load_vgg
from zoo.cli import command
from zoo.images import open_photo


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.judge", description=__doc__, formatter_class=raw)
    parser.add_argument("photo", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+", metavar="PICTURE")
    sizes = f"short sides in px at which to compare (default: {' '.join(map(str, SCALES))})"
    parser.add_argument("--sizes", type=int, nargs="+", default=SCALES, metavar="N", help=sizes)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0, or 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    photo, pictures = open_photo(args.photo), {str(path): open_photo(path) for path in (args.photo, *args.pictures)}
    found = PictureErrors(load_vgg(), open_photo(args.painting), tuple(args.sizes))(photo, pictures)
    columns = [*(f"{size} px" for size in args.sizes), "mean"]
    print(f"{'content, style at':36}" + "".join(f"{column:>16}" for column in columns) + f"{f'c + {STYLE_WEIGHT:g}·s':>9}")
    for name, errors in found.items():
        mean = errors["mean"]
        figures = "".join(f"{each['content']:9.3f}{each['style']:7.3f}" for each in errors.values())
        print(f"{Path(name).name:36}{figures}{mean['content'] + STYLE_WEIGHT * mean['style']:9.3f}")


if __name__ == "__main__":
    sys.exit(main())
