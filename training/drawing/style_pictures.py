"""The pictures of a style folder, painted by the generators as they are stored."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from training.drawing.sheet import contact_sheet
from zoo.errors import PhotoError
from zoo.images import fade, fit_long_side, fit_short_side, list_photos, open_photo, save_picture
from zoo.painter import paint, painter, stylize
from zoo.style import PHOTO, Style

PICTURE_SIZE = 560  # px, long side of the style's own pictures
PREVIEW_SIZE, PREVIEW_PHOTOS = 208, 5  # px, short side; pictures, and one more that is faded
TILE_SIZE, SEEDS = 256, (0, 1)  # px; of the tiles shown of a texture
FADED = 0.3  # contrast of that one
SIZES, CROP = (256, 512, 1080), (256, 170)  # px, long side; px of what is shown of it


def preview_photos(folder: Path | None, others: Sequence[Path] = ()) -> list[Image.Image]:
    """The zoo's photo and the first of a folder (or of `others`), reduced; then the last of them faded.

    Unreadable ones are left out.
    """
    photos = []
    for path in [PHOTO, *(list_photos(folder) if folder else others)]:
        try:
            photos.append(fit_short_side(open_photo(path), PREVIEW_SIZE))
        except PhotoError:
            continue
        if len(photos) == PREVIEW_PHOTOS:
            break
    return [*photos, fade(photos[-1], FADED)]


def size_sheet(style: Style, photo: Image.Image, device: str = "auto") -> Image.Image:
    """The middle of a photo as instance norm paints it at each of SIZES, a pixel of it for a pixel of the sheet."""
    row = []
    for size in SIZES:
        scale = size / max(photo.size)
        resized = photo.resize([round(side * scale) for side in photo.size], Image.Resampling.LANCZOS)
        painted = stylize(resized, style, device=device)
        w, h = (min(a, b) for a, b in zip(painted.size, CROP, strict=True))
        left, top = (painted.width - w) // 2, (painted.height - h) // 2
        row.append(painted.crop((left, top, left + w, top + h)))
    return contact_sheet([row], [f"{size} px" for size in SIZES])


def draw_tiles(style: Style, device: str = "auto") -> None:
    """Write the pictures of a style that makes textures."""
    images, norms = style.folder / "images", sorted(style.norms)

    def tile(norm: str, seed: int) -> Image.Image:
        return paint(painter(device).generator(style, norm), Image.new("RGB", (TILE_SIZE, TILE_SIZE)), seed=seed)

    for norm in norms:
        save_picture(tile(norm, 0), images / f"{norm}.jpg", quality=80)
    sheet = contact_sheet([[tile(norm, seed) for norm in norms] for seed in SEEDS], [f"{norm} norm" for norm in norms])
    save_picture(sheet, images / "preview.jpg", quality=74)


def draw_pictures(style: Style, photos: list[Image.Image], device: str = "auto") -> None:
    """Write the pictures named above. Raises ZooError when the folder holds no generator or cannot be written."""
    images, norms = style.folder / "images", sorted(style.norms)
    if not style.takes_photo:
        return draw_tiles(style, device)
    photo = fit_long_side(open_photo(PHOTO), PICTURE_SIZE)
    save_picture(photo, images / "photo.jpg", quality=80)
    for norm in norms:
        save_picture(stylize(photo, style, norm, device=device), images / f"{norm}.jpg", quality=80)
    rows = [[photo, *(stylize(photo, style, norm, device=device) for norm in norms)] for photo in photos]
    sheet = contact_sheet(rows, ["photo", *(f"{norm} norm" for norm in norms)])
    save_picture(sheet, images / "preview.jpg", quality=74)
    if "instance" in norms:
        save_picture(size_sheet(style, open_photo(PHOTO), device), images / "sizes.jpg", quality=80)
