"""The command that paints films."""

import argparse
import sys
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from zoo.calm import Calm
from zoo.catalog import find
from zoo.cli import Commands, say
from zoo.device import DEVICES, HELP
from zoo.engine.choice import ENGINES
from zoo.engine.choice import HELP as ENGINE
from zoo.engine.painting import Manner
from zoo.errors import ConfigError
from zoo.film import CODECS, Film
from zoo.finish import check_strength, finish
from zoo.folder import tensors_sha256
from zoo.memory import keep_freed
from zoo.painter import check_size, painter


def add(commands: Commands) -> None:
    """Add it to the command line."""
    about = """Paint a film frame by frame. Its sound is copied, frames keep their times, colour range and which way is up.
    After an interruption the same command goes on: what is done lies beside OUT until all is."""
    sub = commands.add_parser("video", help="paint a film", description=about)
    sub.add_argument("film", type=Path, metavar="IN", help="film to paint")
    sub.add_argument("-s", "--style", required=True, help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.add_argument("-o", "--out", required=True, type=Path, help=f"file to write: {', '.join(CODECS)}")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin paints (default: instance)")
    sub.add_argument("--size", type=int, metavar="N", help="long side of the result in px (default: the film's own)")
    sub.add_argument(
        "--still", type=float, default=0.0, metavar="F", help="average what does not move over frames, with this share of what "
        "was before: against noise, 0.9 say (default: 0)"
    )  # fmt: skip
    sub.add_argument(
        "--calm", type=float, default=0.0, metavar="F", help="average instance norm's statistics likewise; 1: all frames of a "
        "scene have those of its first (default: 0, each its own)"
    )  # fmt: skip
    sub.add_argument("--strength", type=float, default=1.0, metavar="F", help="0: the film, 1: all paint (default: 1)")
    sub.add_argument("--keep-colours", action="store_true", help="light and dark as painted, colours of the film")
    sub.add_argument("--seed", type=int, default=0, metavar="S", help="variation of a generator that has noise (default: 0)")
    sub.add_argument("--crf", type=int, default=18, metavar="Q", help="the encoder's rate factor: 0 no loss (default: 18)")
    sub.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    sub.add_argument("--engine", choices=ENGINES, default="auto", help=ENGINE)
    sub.set_defaults(run=video_command)


def video_command(args: argparse.Namespace) -> None:
    """Paint a film."""
    try:
        from zoo.video import paint_film
    except ImportError as error:
        raise ConfigError("painting a film needs PyAV: pip install 'missing-ingredient[video]'") from error
    check_size(args.size)
    check_strength(args.strength)
    calm = Calm(args.calm, args.still)
    if args.calm and args.norm != "instance":
        raise ConfigError(f"--calm averages instance norm's statistics, and {args.norm} norm has none of a frame: leave it out")
    manner = Manner(args.engine, seed=args.seed, smooth=calm.smooth if args.calm else None)
    style, painting = find(args.style), painter(args.device)
    generator = painting.generator(style, args.norm)
    looks = {key: getattr(args, key) for key in ("norm", "seed", "strength", "keep_colours", "calm", "still")}
    film = Film(args.film, args.out, args.size, args.crf, {**looks, "style": tensors_sha256(generator.state_dict())})

    keep_freed()  # for the next frame, of the same size

    def paint(frame: Image.Image) -> Image.Image:
        painted = painting.paint(calm.look(frame), style, (args.norm,), manner=manner)[args.norm].image
        return finish(painted, frame, args.strength, args.keep_colours)

    with tqdm(unit="frame", disable=None, smoothing=0) as bar:

        def watch(done: int, total: int) -> None:
            if not bar.disable:
                new = done - bar.n
                bar.initial += new if new > 1 else 0  # segments that were there already took no time
                bar.total = max(done, total)
                bar.update(new)

        try:
            frames = paint_film(film, paint, calm, watch)
        except (KeyboardInterrupt, SystemExit):
            say(f"stopped: the same command goes on with what is in {film.folder}", sys.stderr)
            raise
    say(f"{args.out}: {frames} frames")
