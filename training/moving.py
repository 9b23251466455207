"""A moving picture for a README or a card: batch norm against instance norm on a photo, then on the photo as it fades.

python -m training.moving photo.jpg --style the-scream --out the-scream.webp
"""

import argparse
import sys
from pathlib import Path

from training.drawing.moving import moving_picture
from zoo.catalog import find
from zoo.cli import command
from zoo.errors import ConfigError
from zoo.images import open_photo, save_picture
from zoo.painter import check_size


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.moving", description=__doc__, formatter_class=raw)
    parser.add_argument("photo", metavar="PHOTO")
    parser.add_argument("-s", "--style", required=True, metavar="STYLE", help="slug or style folder, with both norms")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.webp", help="animated WebP (or GIF) to write")
    parser.add_argument("--size", type=int, default=480, metavar="N", help="long side of the pictures (default: 480)")
    parser.add_argument("--quality", type=int, default=60, metavar="Q", help="of WebP, 1 to 100 (default: 60)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when drawn, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    check_size(args.size)
    if args.out.suffix.lower() not in (".webp", ".gif"):
        raise ConfigError(f"--out must end with .webp or .gif, which can move, got {args.out}")
    first, *others = moving_picture(find(args.style), open_photo(args.photo), args.size)
    save_picture(first, args.out, args.quality, append_images=others, save_all=True, duration=120, loop=0)


if __name__ == "__main__":
    sys.exit(main())
