"""What a visitor sees first: a photo on a hazy day in both norms, painted in advance.

  python -c "from space import opening; opening.paint()"

paints it anew, in the first style of the gallery. On photos like those of its training batch norm paints well, too; where
contrast is low it fails, which is the paper's point.
"""

from pathlib import Path

from PIL import Image

from space.words import GALLERY, NORMS
from zoo.images import fade, open_photo, save_picture
from zoo.painter import stylize
from zoo.style import PHOTO

STYLE, SIZE, CONTRAST = GALLERY[0], 512, 30  # px of the long side; % of the photo's own
PICTURES = {norm: Path(__file__).parent / "hazy" / f"{norm}.jpg" for norm in NORMS}


def hazy_photo() -> Image.Image:
    """The zoo's photo as it is painted: what the page makes of it at SIZE and CONTRAST."""
    return fade(open_photo(PHOTO, SIZE), CONTRAST / 100)


def paint() -> None:
    """Write PICTURES."""
    for norm, path in PICTURES.items():
        save_picture(stylize(hazy_photo(), STYLE, norm), path, quality=90)
