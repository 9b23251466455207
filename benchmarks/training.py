"""Minutes of training until photos never trained on are painted well: a textbook loop beside this project's recipe.

  python -m benchmarks.training --style-image painting.jpg --content photos/ --held-out other_photos/ --minutes 30

Both train a pair, batch norm and instance norm, of the same width, in one process, in turns of a minute, so that a change of
the machine's mood hits both. Measuring does not count. Textbook: Adam, batch 4, 256 px, one size (benchmarks/textbook.py), for
--minutes. Ours: the recipe, its rates falling to zero over a share of them (--share, a fifth). The error is content + 4·style
of training/measure/picture_errors.py, batch norm in eval mode. Printed, and saved with --out: both curves, and when ours
passed where the textbook loop ended.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from PIL import Image

from benchmarks.textbook import Textbook
from training.config import TrainConfig, load_recipe
from training.data.crops import PhotoFolder
from training.data.paintings import Painting
from training.measure.picture_errors import SCALES, STYLE_WEIGHT, PictureErrors, painters_errors
from training.objective.pyramid import make_objectives
from training.objective.vgg import load_vgg
from training.records import machine, write_json
from training.running.optimizers import rate_factor
from training.running.twins import Twin, train_step
from zoo.cli import command
from zoo.device import DEVICES, HELP, pick_device, synchronize
from zoo.images import fit_short_side, list_photos, open_photo, to_tensor

TURN = 60.0  # seconds of one contender before it is the other's turn
NORMS = ("instance", "batch")


@dataclass
class Contender:
    """One way to train a pair: how it steps, what it paints with, its own clock, what was measured."""

    device: torch.device
    photos: PhotoFolder
    batch: int
    seconds: float  # it has
    step: Callable[[torch.Tensor, float], None]  # photos, the share of its time that is over
    painters: Callable
    spent: float = 0.0
    steps: int = 0
    curve: list[dict] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether its time is over."""
        return self.spent >= self.seconds

    def train(self, seconds: float) -> None:
        """Train for so many seconds of its own time, or to its end."""
        until = min(self.seconds, self.spent + seconds)
        while self.spent < until:
            began = time.perf_counter()
            places = range(self.steps * self.batch, (self.steps + 1) * self.batch)
            self.step(torch.stack([self.photos[k] for k in places]).to(self.device), self.spent / self.seconds)
            synchronize(self.device)
            self.spent, self.steps = self.spent + time.perf_counter() - began, self.steps + 1

    @torch.no_grad()
    def measure(self, errors: PictureErrors, photos: list[Image.Image]) -> None:
        """Add a point to the curve."""
        painters = self.painters()
        found = painters_errors(errors, {norm: net.eval() for norm, net in painters.items()}, photos)
        for net in painters.values():
            net.train()
        means = {norm: each["mean"] for norm, each in found.items()}
        self.curve.append({"minutes": self.spent / 60, "steps": self.steps, **means})


def textbook(content: Path, painting: Image.Image, seconds: float, width: int, device: torch.device) -> Contender:
    """The textbook loop, with the weights of Johnson et al. 2016."""
    config = TrainConfig(width=width)
    loop = Textbook(config, to_tensor(fit_short_side(painting, config.style_size)), device)
    photos = PhotoFolder(content, config.crop_size)
    return Contender(device, photos, config.batch_size, seconds, lambda batch, share: loop.step(batch), lambda: loop.nets)


def ours(content: Path, painting: Path, seconds: float, width: int, recipe: str, device: torch.device) -> Contender:
    """This project's recipe, whose rates follow the share of its time."""
    config = replace(TrainConfig.from_dict(load_recipe(recipe)), width=width, steps=10**6)
    accelerator = Accelerator(cpu=device.type == "cpu")
    (objective,) = make_objectives(config, [Painting(painting, "it")], load_vgg().to(device))
    twins = [Twin(norm, config, 1, accelerator) for norm in NORMS]

    def step(batch: torch.Tensor, share: float) -> None:
        warm = min(1.0, (twins[0].steps + 1) / config.warmup if config.warmup else 1.0)
        factor = warm * rate_factor(replace(config, warmup=0), 1 + round(share * config.steps))
        train_step(twins, objective, batch.to(memory_format=torch.channels_last), 0, factor, seed=twins[0].steps + 1)

    photos = PhotoFolder(content, config.crop_size, zoom=config.zoom)
    return Contender(device, photos, config.batch_size, seconds, step, lambda: {twin.norm: twin.painter for twin in twins})


def error(point: dict, norm: str) -> float:
    """The one figure of a point of a curve."""
    return point[norm]["content"] + STYLE_WEIGHT * point[norm]["style"]


def passed(curve: list[dict], norm: str, goal: float) -> float | None:
    """Minutes after which a curve is at or below a goal; None when it never is."""
    return next((point["minutes"] for point in curve if error(point, norm) <= goal), None)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("--content", type=Path, required=True, metavar="DIR", help="photos to train on")
    parser.add_argument("--held-out", type=Path, required=True, metavar="DIR", help="photos never trained on")
    parser.add_argument("--photos", type=int, default=8, metavar="N", help="of them to measure on (default: 8)")
    parser.add_argument("--minutes", type=float, default=30, help="of the textbook loop (default: 30)")
    parser.add_argument("--share", type=float, default=0.2, help="of these that ours gets (default: 0.2)")
    parser.add_argument(
        "--every",
        type=float,
        default=2,
        metavar="MINUTES",
        help="between measures of the textbook loop (default: 2)",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SCALES, metavar="N", help="px at which errors are taken")
    parser.add_argument("--recipe", default="laptop", help="ours (default: laptop)")
    parser.add_argument("--width", type=int, default=16, help="of all generators (default: 16)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON file for the curves")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    args = make_parser().parse_args(argv)
    device = pick_device(args.device)
    painting, seconds = open_photo(args.style_image), 60 * args.minutes
    held_out = [open_photo(path) for path in list_photos(args.held_out)[: args.photos]]
    errors = PictureErrors(load_vgg().to(device), painting, tuple(args.sizes))
    contenders = {
        "textbook": textbook(args.content, painting, seconds, args.width, device),
        "ours": ours(args.content, args.style_image, seconds * args.share, args.width, args.recipe, device),
    }
    points = max(1, round(args.minutes / args.every))  # of each curve
    due = dict.fromkeys(contenders, 1)
    while not all(each.done for each in contenders.values()):
        for name, each in contenders.items():
            each.train(min(TURN, each.seconds / points))
            if each.spent < due[name] / points * each.seconds or due[name] > points:
                continue
            due[name] = 1 + int(each.spent / each.seconds * points)
            each.measure(errors, held_out)
            point = each.curve[-1]
            figures = "  ".join(f"{norm} {error(point, norm):.3f}" for norm in NORMS)
            print(f"{name:9} {point['minutes']:6.1f} min {point['steps']:6} steps  {figures}", flush=True)
    print(f"\nwidth {args.width}, {len(held_out)} photos, content + {STYLE_WEIGHT:g}·style; {machine(device)}")
    found: dict = {}
    for norm in NORMS:
        goal = error(contenders["textbook"].curve[-1], norm)
        minutes = passed(contenders["ours"].curve, norm, goal)
        found[norm] = {"goal": goal, "minutes": minutes}
        when = f"after {minutes:.1f} ({args.minutes / minutes:.1f} times faster)" if minutes else "never"
        print(f"{norm} norm: textbook {goal:.3f} after {args.minutes:g} minutes; ours is there {when}")
    if args.out:
        curves = {name: each.curve for name, each in contenders.items()}
        write_json(args.out, {"curves": curves, "reached": found, "machine": machine(device)})


if __name__ == "__main__":
    sys.exit(main())
