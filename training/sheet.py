"""Contact sheets of a style: photo | batch norm | instance norm, one row a photo.

  python -m training.sheet starry-night photos/*.jpg --out sheet.jpg
  python -m training.sheet starry-night photo.jpg --contrast 1 0.5 0.25 --out contrast.jpg

With several values of --contrast each photo has one row for each: faded about its mean colour, as in the paper's figure 2.
"""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from training.figures import contact_sheet
from zoo.__main__ import save_picture
from zoo.catalog import Style, find
from zoo.errors import ConfigError, ZooError, fail
from zoo.images import fade, fit_long_side, open_photo
from zoo.stylize import check_size, stylize


def sheet_rows(style: Style, photos: list[Path], size: int, contrasts: list[float]) -> list[list]:
    """Rows of RGB images: the photo, then each norm of the style, batch first; long sides `size` px at most."""
    if not all(0 < contrast <= 1 for contrast in contrasts):
        raise ConfigError(f"contrast must lie in 0..1 (1 is the photo as it is), got {contrasts}")
    rows = []
    for photo, contrast in tqdm([(p, c) for p in photos for c in contrasts], unit="row", leave=False, disable=None):
        image = fade(fit_long_side(open_photo(photo), size), contrast)
        rows.append([image, *(stylize(image, style, norm) for norm in sorted(style.norms))])
    return rows


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.sheet", description=__doc__, formatter_class=raw)
    parser.add_argument("style", metavar="STYLE", help="slug or style folder")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="picture to write")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="long side the photos are painted at (default: 512)")
    parser.add_argument("--cell", type=int, default=400, metavar="N", help="long side they are shown at (default: 400)")
    parser.add_argument("--contrast", nargs="+", type=float, default=[1.0], metavar="C", help="1 as it is, 0.25 a quarter")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when drawn, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        check_size(args.size)
        check_size(args.cell)
        style = find(args.style)
        rows = sheet_rows(style, args.photos, args.size, args.contrast)
        rows = [[fit_long_side(picture, args.cell) for picture in row] for row in rows]
        captions = ["photo", *(f"{norm} norm" for norm in sorted(style.norms))]
        save_picture(contact_sheet(rows, captions), args.out, quality=85)
    except ZooError as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
