"""Contact sheets: photo | batch norm | instance norm.

  python -m training.sheet photos/*.jpg --styles starry-night --out sheet.jpg                  a row a photo
  python -m training.sheet photo.jpg --styles starry-night --contrast 1 0.5 0.2 --out c.jpg    a row a contrast
  python -m training.sheet a.jpg b.jpg --styles starry-night great-wave --out zoo.jpg          a row a style, then a photo

With several values of --contrast each photo is shown at each: faded about its mean colour, as in the paper's figure 2.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from training.figures import contact_sheet
from zoo.catalog import Style, find
from zoo.errors import ConfigError, ZooError, fail
from zoo.images import fade, fit_long_side, open_photo, save_picture
from zoo.stylize import check_size, stylize


def faded_photos(photos: list[Path], size: int, contrasts: list[float]) -> list[Image.Image]:
    """Every photo at every contrast, long sides `size` px at most. Raises ConfigError for a contrast outside 0..1."""
    if not all(0 < contrast <= 1 for contrast in contrasts):
        raise ConfigError(f"contrast must lie in 0..1 (1 is the photo as it is), got {contrasts}")
    return [fade(fit_long_side(open_photo(photo), size), contrast) for photo in photos for contrast in contrasts]


def draw_sheet(styles: list[Style], photos: list[Image.Image], cell: int) -> Image.Image:
    """The sheet: for one style a row a photo, for several a row a style with all photos; pictures reduced to `cell` px."""

    def painted(style: Style, photo: Image.Image) -> list[Image.Image]:
        return [fit_long_side(stylize(photo, style, norm), cell) for norm in ("batch", "instance")]

    captions = ["batch norm", "instance norm"]
    if len(styles) == 1:
        rows = [[fit_long_side(p, cell), *painted(styles[0], p)] for p in tqdm(photos, unit="row", leave=False, disable=None)]
        return contact_sheet(rows, ["photo", *captions])
    rows = [[picture for p in photos for picture in painted(style, p)] for style in tqdm(styles, leave=False, disable=None)]
    return contact_sheet(rows, captions * len(photos), labels=[style.title for style in styles])


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.sheet", description=__doc__, formatter_class=raw)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument(
        "-s", "--styles", nargs="+", required=True, metavar="STYLE", help="slugs or style folders, with both norms"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="picture to write")
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
        photos = faded_photos(args.photos, args.size, args.contrast)
        save_picture(draw_sheet([find(name) for name in args.styles], photos, args.cell), args.out, quality=85)
    except ZooError as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
