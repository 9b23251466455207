"""Make the page that paints in the visitor's own browser: a folder of files for any static host.

  python -m space.static browser/                                    all styles of the zoo
  python -m space.static browser/ --styles starry-night --serve      one style, and look at it
  python -m space.static browser/ --ort DIR                          where there is no npm: see docs/BROWSER.md

The styles become ONNX files (pip install 'missing-ingredient[export]'); onnxruntime-web comes from npm, once, now: the page
asks nobody but its own host for anything, unless its visitor names a style of the Hub (of another one by HF_ENDPOINT, now).
`make demo` serves the folder browser/ of a clone below /browser; python -m space.deploy --static puts it on a Space.
"""

import argparse
import sys
from pathlib import Path

from space.browser.folder import build
from space.browser.server import make_server
from space.words import as_hung
from zoo.catalog import find, photo_styles
from zoo.cli import command, say
from zoo.errors import ConfigError
from zoo.style import Style


def add_build(parser: argparse.ArgumentParser) -> None:
    """The flags of what is built."""
    parser.add_argument("--styles", nargs="+", metavar="STYLE", help="slugs, folders, owner/name of the Hub (default: the zoo)")
    parser.add_argument(
        "--ort", type=Path, metavar="DIR", help="folder of npm's package onnxruntime-web (default: npm gets it)"
    )


def chosen(names: list[str] | None) -> list[Style]:
    """The styles of these names in their order, or those of the zoo as the page hangs them. Raises ZooError."""
    return [find(name) for name in names] if names else as_hung(photo_styles())


def make_parser() -> argparse.ArgumentParser:
    """The flags, with help that teaches."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m space.static", description=__doc__, formatter_class=raw)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write; one that was built before is built anew")
    add_build(parser)
    parser.add_argument("--serve", action="store_true", help="then serve it at 127.0.0.1, with the headers for threads")
    parser.add_argument("--port", type=int, default=0, help="(default: a free one)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    if not 0 <= args.port < 2**16:
        raise ConfigError(f"--port is a number from 1 to 65535, got {args.port}")
    built = build(args.out, chosen(args.styles), args.ort)
    sizes = f"{built.first / 1e6:.1f} MB to begin with, at most {built.further / 1e6:.2f} MB for each further style"
    say(f"{args.out}: {built.total / 1e6:.1f} MB; a visitor loads {sizes}")
    if args.serve:
        try:
            server = make_server(args.out, args.port)
        except OSError as error:
            raise ConfigError(f"the page cannot be served at port {args.port}: {error.strerror}") from error
        with server:
            print(f"http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
