"""The slow way: optimise the pixels of one picture (Gatys et al. 2016), with the very losses that train the generators.

  python -m training.gatys photo.jpg painting.jpg -o painted.png --steps 300
  python -m training.gatys photo.jpg painting.jpg -o painted.png --from noise --optimizer adam --every 50

What the fast generators are measured against: one picture takes minutes here. With --every N the picture is also kept after
every N steps, beside OUT. L-BFGS (learning rate 1, history 100, no line search) needs the fewest steps.
"""

import argparse
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from training.measure.held_out import CONTENT_LAYERS, STYLE_LAYERS
from training.objective.gatys import OPTIMIZERS, STARTS, optimise_pixels
from training.objective.losses import Objective
from training.objective.vgg import load_vgg
from zoo.cli import command
from zoo.device import DEVICES, HELP, pick_device
from zoo.engine.painting import check_seed
from zoo.errors import TrainingError
from zoo.images import check_picture_name, fit_long_side, fit_short_side, open_photo, save_picture, to_image, to_tensor
from zoo.painter import check_size


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.gatys", description=__doc__, formatter_class=raw)
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    parser.add_argument("painting", type=Path, metavar="PAINTING")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="picture to write")
    parser.add_argument("--steps", type=int, default=300, metavar="N", help="(default: 300)")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="lbfgs", help="(default: lbfgs)")
    parser.add_argument("--from", choices=STARTS, default="photo", dest="start", help="where it begins (default: photo)")
    parser.add_argument("--size", type=int, default=384, metavar="N", help="long side in px (default: 384)")
    parser.add_argument("--style-size", type=int, default=256, metavar="N", help="short side of the painting (default: 256)")
    parser.add_argument("--style-weight", type=float, default=5.0, metavar="W", help="content weighs 1 (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default: 0)")
    parser.add_argument("--every", type=int, metavar="N", help="keep the picture after every N steps, too")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when painted, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    check_picture_name(args.out)
    check_size(args.size)
    check_size(args.style_size)
    if args.steps < 1 or (args.every is not None and args.every < 1):
        raise TrainingError("--steps and --every count steps and must be at least 1")
    check_seed(args.seed)
    if not 0 <= args.style_weight < float("inf"):
        raise TrainingError(f"--style-weight must be 0 or more, got {args.style_weight}")
    where = pick_device(args.device)
    painting = to_tensor(fit_short_side(open_photo(args.painting), args.style_size), where)
    objective = Objective(load_vgg().to(where), painting, CONTENT_LAYERS, STYLE_LAYERS, (1.0, args.style_weight, 0.0))
    objective.to(where)
    photo = to_tensor(fit_long_side(open_photo(args.photo), args.size), where)
    bar = tqdm(total=args.steps, unit="step")

    def watch(step: int, loss: float, picture: torch.Tensor) -> None:
        bar.update()
        bar.set_postfix({"objective": f"{loss:,.0f}"})
        if args.every and step % args.every == 0:
            save_picture(to_image(picture), args.out.with_stem(f"{args.out.stem}-{step:05d}"))

    with bar:
        picture, losses = optimise_pixels(objective, photo, args.steps, args.optimizer, args.start, args.seed, watch)
    save_picture(to_image(picture), args.out)
    print(f"{args.out}: objective {losses[0]:,.0f} -> {losses[-1]:,.0f} in {args.steps} steps")


if __name__ == "__main__":
    sys.exit(main())
