"""What a visitor sees first: a photo on a hazy day in both norms, painted in advance.

  python -c "from space import opening; opening.paint()"

paints it anew, in the first style of the gallery. On photos like those of its training batch norm paints well, too; where
contrast is low it fails, which is the paper's point.
"""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from space.words import GALLERY, NORMS
from zoo.images import fade, open_photo, save_picture
from zoo.painter import stylize
from zoo.style import PHOTO, Style

STYLE, SIZE, CONTRAST = GALLERY[0], 512, 30  # px of the long side; % of the photo's own
PICTURES = {norm: Path(__file__).parent / "hazy" / f"{norm}.jpg" for norm in NORMS}


@dataclass(frozen=True)
class Opening:
    """What the page shows of its first style: a picture by norm, at a contrast in %, and what it says of them."""

    pictures: dict[str, Path | None]
    contrast: int
    words: str

    @property
    def is_hazy(self) -> bool:
        """Whether it is the photo that was painted in advance."""
        return self.contrast != 100


def of(style: Style) -> Opening:
    """The hazy day where it was painted in that style, else the pictures that the style brings with it."""
    hazy = style.slug == STYLE and style.source == "bundled"
    pictures = {norm: PICTURES[norm] if hazy else style.picture(norm) for norm in NORMS}
    what = "A hazy day" if hazy else "An example"
    words = f"{what}, painted in advance; to download, pick a style or your own photo."
    return Opening(pictures, CONTRAST if hazy else 100, words)


def hazy_photo() -> Image.Image:
    """The zoo's photo as it is painted: what the page makes of it at SIZE and CONTRAST."""
    return fade(open_photo(PHOTO, SIZE), CONTRAST / 100)


def paint() -> None:
    """Write PICTURES."""
    for norm, path in PICTURES.items():
        save_picture(stylize(hazy_photo(), STYLE, norm), path, quality=90)
