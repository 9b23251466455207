"""Paint the pictures of a style folder, with the generators as they are stored.

  python -m training.pictures my-painting --photos photos/

images/photo.jpg, batch.jpg, instance.jpg   the zoo's photo, and how each norm paints it
images/preview.jpg                          photo | batch norm | instance norm on several photos, the last once more, faded
images/sizes.jpg                            instance norm at several resolutions, pixel for pixel

Of a style that makes textures: a tile by each norm, and a preview of several seeds.
"""

import argparse
import sys
from pathlib import Path

from training.drawing.style_pictures import (
    draw_pictures,
    preview_photos,
)
from training.records import why_not_write
from zoo.catalog import find
from zoo.cli import command
from zoo.device import DEVICES, HELP
from zoo.errors import TrainingError


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.pictures", description=__doc__, formatter_class=raw)
    parser.add_argument("styles", nargs="+", metavar="STYLE", help="slugs or style folders")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photos of the preview")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when painted, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    photos = preview_photos(args.photos)
    styles = [find(name) for name in args.styles]
    if why := next(filter(None, map(why_not_write, styles)), None):
        raise TrainingError(why)
    for style in styles:
        draw_pictures(style, photos, args.device)


if __name__ == "__main__":
    sys.exit(main())
