"""Stylize pictures from the command line.

  python -m zoo list                                            which styles there are
  python -m zoo info starry-night                               what one is, who painted it, how well it does
  python -m zoo stylize photo.jpg -s starry-night -o out.png    paint a photo
  python -m zoo stylize holiday/ -s starry-night -o painted/ --size 1024    paint a folder of them
  python -m zoo video film.mp4 -s starry-night -o painted.mp4   paint a film, and go on where that was interrupted
  python -m zoo export starry-night --onnx starry-night.onnx    a file for other programs
  python -m zoo texture starry-night-texture -o tile.png        a seamless tile, by a style trained for textures
  python -m zoo find van gogh --sort likes                      styles that others share on the Hub
  python -m zoo pull owner/name --to name                       take one with you
  python -m zoo publish ./my-painting --to me/my-painting       share yours (--onnx: with the page in a browser, too)

STYLE is a slug of the list, the path of a style folder, or owner/name[@revision] of a style on the Hub.
"""

import argparse
import sys

from zoo.cli import above, command
from zoo.commands import painting, styles, video


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m zoo", description=__doc__, formatter_class=raw)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for room in (styles, painting, video):
        room.add(commands)
    for one in above().values():
        commands.add_parser(one.name, help=f"the same as python -m {one.module}", add_help=False)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run a command; exit code 0 when done, 2 with one plain line for a user's mistake, 3 when some of many photos failed."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in above():
        sys.exit(above()[words[0]].load()(words[1:]))
    args = make_parser().parse_args(argv)
    args.run(args)


if __name__ == "__main__":
    sys.exit(main())
