"""Contact sheets: a grid of pictures under captions."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from zoo.errors import ConfigError
from zoo.images import fit_long_side
from zoo.painter import stylize
from zoo.style import Style

LONGEST = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}  # px that a side of such a file may have
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


def _shortened(words: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: float) -> str:
    """The words, cut to what fits into `width` px."""
    short = words
    while font.getlength(short) > width and len(short) > 1:
        short = short[:-2].rstrip() + "…"
    return short


def check_sheet(styles: list[Style], photos: list[Image.Image], cell: int, file: Path) -> None:
    """Raise ConfigError, before anything is painted, for a sheet that is too long or too wide for the kind of `file`."""
    most = LONGEST.get(file.suffix.lower())
    sizes = [reduced(photo.size, cell) for photo in photos]
    length = sum(height + MARGIN for _, height in sizes) + MARGIN + LABEL
    if len(styles) > 1:
        length = sum(len(shared_norms(styles)) * (width + MARGIN) for width, _ in sizes) + MARGIN
    if most and length > most:
        fit = int(len(photos) * most / length)
        raise ConfigError(
            f"a sheet of {len(photos)} photos at {cell} px would be {length:,} px long, and {file.suffix} ends at {most:,}: "
            f"give {fit} photos or a smaller --cell"
        )


def reduced(size: tuple[int, int], cell: int) -> tuple[int, int]:
    """Width and height of a picture that is reduced to a long side of `cell` px, never enlarged."""
    scale = min(1.0, cell / max(size))
    return round(size[0] * scale), round(size[1] * scale)


def shared_norms(styles: list[Style]) -> list[str]:
    """The norms that all of the styles have, batch norm first. Raises ConfigError when there is none."""
    norms = [norm for norm in ("batch", "instance") if all(norm in style.norms for style in styles)]
    if not norms:
        raise ConfigError("a sheet compares styles in a norm that all of them have: these have none in common")
    return norms


def draw_sheet(styles: list[Style], photos: list[Image.Image], cell: int) -> Image.Image:
    """The sheet: for one style a row a photo, for several a row a style with all photos; pictures reduced to `cell` px. It
    shows the norms that all of the styles have."""
    norms = shared_norms(styles)

    def painted(style: Style, photo: Image.Image) -> list[Image.Image]:
        return [fit_long_side(stylize(photo, style, norm), cell) for norm in norms]

    captions = [f"{norm} norm" for norm in norms]
    if len(styles) == 1:
        rows = [[fit_long_side(p, cell), *painted(styles[0], p)] for p in tqdm(photos, unit="row", leave=False, disable=None)]
        return contact_sheet(rows, ["photo", *captions])
    rows = [[picture for p in photos for picture in painted(style, p)] for style in tqdm(styles, leave=False, disable=None)]
    return contact_sheet(rows, captions * len(photos), labels=[style.title for style in styles])
