"""Contact sheets: photo | batch norm | instance norm.

  python -m training.sheet photos/*.jpg --styles starry-night --out sheet.jpg                  a row a photo
  python -m training.sheet a.jpg a.jpg@0.5 a.jpg@0.2 --styles starry-night --out c.jpg         a photo, faded
  python -m training.sheet a.jpg b.jpg --styles starry-night great-wave --out zoo.jpg          a row a style, then a photo

PHOTO@CONTRAST is the photo faded about its mean colour, as in the paper's figure 2: 1 as it is, 0.25 a quarter.
"""

import argparse
import re
import sys
from pathlib import Path

from PIL import Image

from training.drawing.sheet import check_sheet, draw_sheet
from zoo.catalog import find
from zoo.cli import command
from zoo.errors import ConfigError
from zoo.images import fade, fit_long_side, open_photo, save_picture
from zoo.painter import check_size


def read_photo(name: str, size: int) -> Image.Image:
    """The picture PHOTO or PHOTO@CONTRAST, its long side `size` px at most. Raises ConfigError for a contrast outside 0..1."""
    found = re.fullmatch(r"(.+)@([\d.]+)", name)
    if not found:
        return fit_long_side(open_photo(name), size)
    if found[2].count(".") > 1 or not 0 < float(found[2]) <= 1:
        raise ConfigError(f"contrast must lie in 0..1 (1 is the photo as it is), got {name}")
    return fade(fit_long_side(open_photo(found[1]), size), float(found[2]))


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.sheet", description=__doc__, formatter_class=raw)
    parser.add_argument("photos", nargs="+", metavar="PHOTO[@CONTRAST]")
    parser.add_argument(
        "-s", "--styles", nargs="+", required=True, metavar="STYLE", help="slugs or style folders; norms that all of them have"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="picture to write")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="long side the photos are painted at (default: 512)")
    parser.add_argument("--cell", type=int, default=400, metavar="N", help="long side they are shown at (default: 400)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when drawn, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    check_size(args.size)
    check_size(args.cell)
    photos, styles = [read_photo(name, args.size) for name in args.photos], [find(name) for name in args.styles]
    check_sheet(styles, photos, args.cell, args.out)
    save_picture(draw_sheet(styles, photos, args.cell), args.out, quality=85)


if __name__ == "__main__":
    sys.exit(main())
