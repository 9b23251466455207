"""Open the page on this machine.

python -m space.serve                          at http://127.0.0.1:7860, or the next free port
python -m space.serve --host 0.0.0.0           for everybody who reaches this machine: read SECURITY.md first
python -m space.serve --train                  with a button that trains styles on this machine, for whoever opens the page
"""

import argparse
import os
import sys

from space import build_demo, launch_options
from space.train import job
from zoo.cli import command
from zoo.errors import ConfigError


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m space.serve", description=__doc__, formatter_class=raw)
    parser.add_argument("--host", help="address to listen at (default: 127.0.0.1, or GRADIO_SERVER_NAME)")
    parser.add_argument("--port", type=int, help="(default: the first free one from 7860 on, or GRADIO_SERVER_PORT)")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    here = "let visitors train styles on this machine, one at a time, on photos in DIR (default: the page's few)"
    parser.add_argument("--train", nargs="?", const="1", metavar="DIR", help=here)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; Ctrl-C ends it, exit code 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    if args.port is not None and not 0 < args.port < 2**16:
        raise ConfigError(f"--port is a number from 1 to 65535, got {args.port}")
    if args.train:
        os.environ[job.VARIABLE] = args.train
    try:
        build_demo().launch(server_name=args.host, server_port=args.port, inbrowser=args.open, **launch_options())
    except OSError as error:
        raise ConfigError(f"the page cannot listen at {args.host or ''}:{args.port or ''}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
