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

from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from zoo.catalog import find
from zoo.cli import command
from zoo.errors import ConfigError
from zoo.images import fade, fit_long_side, open_photo, save_picture
from zoo.painter import check_size, stylize
from zoo.style import Style

MARGIN, LABEL, INK, PAPER = 8, 24, "#222222", "white"


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
        draw.text((x + width / 2, top - 20), _shortened(caption, font, width), INK, font, anchor="ma")
        x += width + MARGIN
    return sheet


def _shortened(words: str, font: ImageFont.ImageFont, width: float) -> str:
    """The words, cut to what fits into `width` px."""
    short = words
    while font.getlength(short) > width and len(short) > 1:
        short = short[:-2].rstrip() + "…"
    return short


def read_photo(name: str, size: int) -> Image.Image:
    """The picture PHOTO or PHOTO@CONTRAST, its long side `size` px at most. Raises ConfigError for a contrast outside 0..1."""
    found = re.fullmatch(r"(.+)@([\d.]+)", name)
    if not found:
        return fit_long_side(open_photo(name), size)
    if found[2].count(".") > 1 or not 0 < float(found[2]) <= 1:
        raise ConfigError(f"contrast must lie in 0..1 (1 is the photo as it is), got {name}")
    return fade(fit_long_side(open_photo(found[1]), size), float(found[2]))


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
    parser.add_argument("photos", nargs="+", metavar="PHOTO[@CONTRAST]")
    parser.add_argument(
        "-s", "--styles", nargs="+", required=True, metavar="STYLE", help="slugs or style folders, with both norms"
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
    photos = [read_photo(name, args.size) for name in args.photos]
    save_picture(draw_sheet([find(name) for name in args.styles], photos, args.cell), args.out, quality=85)


if __name__ == "__main__":
    sys.exit(main())
