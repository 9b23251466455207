"""How much of a painted film flickers where it should not, by what is done against that.

  python -m benchmarks.flicker --styles starry-night great-wave udnie --out flicker.json

Films are made of one photo, so that it is known where each point of a frame was in the frame before; what is measured is the
mean absolute difference between what is painted there, in levels of 255, over pairs of frames and the three colours.

  still      the photo, with other sensor noise in each frame
  pan        a window that moves 4 px a frame over it
  crossing   something bright passes through its upper part; measured in its lower part, out of the reach of any convolution
  lamp       its brightness goes up and down by 5%

There is noise in all of them.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import zoo
from training.records import machine, write_json
from zoo.calm import Calm
from zoo.cli import command
from zoo.engine.painting import Manner, paint_fast
from zoo.frozen import freeze_statistics
from zoo.images import fit_short_side, list_photos, open_photo, to_tensor
from zoo.registry import Generator

PHOTOS = Path(__file__).parent.parent / "space" / "examples"
SIDE, BORDER, OBJECT = 256, 16, 128  # px
STEP = 4  # px of a pan, one of the generator's smallest maps; between these it paints otherwise
NOISE, FRAMES = 2.0, 8  # levels of 255, standard deviation


@dataclass(frozen=True)
class Clip:
    """A film: its frames without noise, of a photo and a number, how far left of the one before each is, and the rows that are
    measured."""

    frame: Callable[[np.ndarray, int], np.ndarray]
    step: int = 0
    rows: tuple[int, int] = (BORDER, SIDE - BORDER)

    def frames(self, photo: np.ndarray, count: int, noise: float) -> Iterator[Image.Image]:
        """The frames of a photo, H×W×3 in [0, 255]."""
        random = np.random.default_rng(0)
        for t in range(count):
            frame = self.frame(photo, t)
            yield Image.fromarray(np.uint8(np.clip(frame + random.normal(0, noise, frame.shape) + 0.5, 0, 255)))

    def flicker(self, before: Image.Image, now: Image.Image) -> float:
        """The mean absolute difference where both show the same."""
        a, b = (np.asarray(image, float)[slice(*self.rows), BORDER:-BORDER] for image in (before, now))
        return float(np.abs(a[:, self.step :] - b[:, : b.shape[1] - self.step]).mean())


def _crossing(photo: np.ndarray, t: int) -> np.ndarray:
    frame, left = photo[:, :SIDE].copy(), 24 * t - OBJECT
    frame[BORDER : BORDER + OBJECT, max(0, left) : max(0, left + OBJECT)] = 250, 240, 80
    return frame


CLIPS = {
    "still": Clip(lambda photo, t: photo[:SIDE, :SIDE]),
    "pan": Clip(lambda photo, t: photo[:SIDE, STEP * t : STEP * t + SIDE], STEP),
    "crossing": Clip(_crossing, rows=(2 * SIDE - SIDE // 4, 2 * SIDE - BORDER)),
    "lamp": Clip(lambda photo, t: photo[:SIDE, :SIDE] * (1 + 0.05 * math.sin(2.3 * t))),
}


@dataclass(frozen=True)
class Option:
    """What is done against flicker: see Calm; `frozen`: statistics of other photos, for good."""

    norm: str = "instance"
    calm: float = 0.0
    still: float = 0.0
    frozen: bool = False

    def generator(self, style: str, photos: list[torch.Tensor]) -> Generator:
        """What paints; `photos` are those that statistics are frozen at."""
        generator = zoo.load(style, self.norm)
        return freeze_statistics(generator, photos) if self.frozen else generator

    def paint(self, generator: Generator, frames: Iterable[Image.Image]) -> Iterator[Image.Image]:
        """The frames, painted."""
        calm = Calm(self.calm, self.still)
        manner = Manner(smooth=calm.smooth if self.calm else None)
        return (paint_fast(generator, calm.look(frame), manner).image for frame in frames)


OPTIONS = {
    "nothing": Option(),
    "--still 0.9": Option(still=0.9),
    "--calm 0.9": Option(calm=0.9),
    "--calm 1 (statistics of the first frame)": Option(calm=1.0),
    "--still 0.9 --calm 1": Option(calm=1.0, still=0.9),
    "statistics of other photos": Option(frozen=True),
    "batch norm": Option(norm="batch"),
    "batch norm, --still 0.9": Option(norm="batch", still=0.9),
}


def mean_flicker(clip: Clip, frames: Iterator[Image.Image]) -> float:
    """The mean over pairs of frames."""
    found, before = [], next(frames)
    for now in frames:
        found.append(clip.flicker(before, now))
        before = now
    return sum(found) / len(found)


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--styles", nargs="+", default=["starry-night"], metavar="STYLE", help="(default: starry-night)")
    parser.add_argument("--photo", default="astronaut.jpg", metavar="F", help="of space/examples (default: astronaut.jpg)")
    parser.add_argument("--frames", type=int, default=FRAMES, metavar="N", help=f"of each film (default: {FRAMES})")
    parser.add_argument(
        "--noise", type=float, default=NOISE, metavar="S", help=f"its deviation, in levels (default: {NOISE:g})"
    )
    parser.add_argument("--out", type=Path, metavar="F", help="JSON file to write: every figure, by style")
    args = parser.parse_args(argv)
    photo = np.asarray(fit_short_side(open_photo(PHOTOS / args.photo), 2 * SIDE), float)
    others = [to_tensor(fit_short_side(open_photo(path), SIDE)) for path in list_photos(PHOTOS) if path.name != args.photo]
    films = {clip: list(clip.frames(photo, args.frames, args.noise)) for clip in CLIPS.values()}
    own = {name: mean_flicker(clip, iter(films[clip])) for name, clip in CLIPS.items()}
    found: dict[str, dict[str, dict[str, float]]] = {"the film itself": {"": own}}
    print(f"{machine(torch.device('cpu'))}; {', '.join(args.styles)}")
    print(f"| | {' | '.join(CLIPS)} |\n|---|{'---:|' * len(CLIPS)}")
    print(_row("the film itself", found["the film itself"]), flush=True)
    for option, how in OPTIONS.items():
        found[option] = {}
        for style in args.styles:
            generator = how.generator(style, others)
            found[option][style] = {n: mean_flicker(clip, how.paint(generator, films[clip])) for n, clip in CLIPS.items()}
        print(_row(option, found[option]), flush=True)
    if args.out:
        write_json(args.out, {"levels": found, "machine": machine(torch.device("cpu"))})


def _row(name: str, by_style: dict[str, dict[str, float]]) -> str:
    means = [sum(each[clip] for each in by_style.values()) / len(by_style) for clip in CLIPS]
    return f"| {name} | {' | '.join(f'{mean:.2f}' for mean in means)} |"


if __name__ == "__main__":
    sys.exit(main())
