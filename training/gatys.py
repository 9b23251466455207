"""The slow way: optimise the pixels of one picture (Gatys et al. 2016), with the very losses that train the generators.

  python -m training.gatys photo.jpg painting.jpg -o painted.png --steps 300
  python -m training.gatys photo.jpg painting.jpg -o painted.png --from noise --optimizer adam --every 50

What the fast generators are measured against: one picture takes minutes here. With --every N the picture is also kept after
every N steps, beside OUT. L-BFGS (learning rate 1, history 100, no line search) needs the fewest steps.
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from tqdm import tqdm

from training.measure.held_out import CONTENT_LAYERS, STYLE_LAYERS
from training.objective.losses import Objective
from training.objective.vgg import load_vgg
from zoo.cli import command
from zoo.device import DEVICES, HELP, pick_device
from zoo.errors import TrainingError
from zoo.images import check_picture_name, fit_long_side, fit_short_side, open_photo, save_picture, to_image, to_tensor
from zoo.painter import check_seed, check_size

OPTIMIZERS, STARTS = ("lbfgs", "adam"), ("photo", "noise")
FIRST_STEPS = 10, 100  # levels of 255 that L-BFGS changes a value by at first; the second where the first diverges


def gatys(
    objective: Objective,
    photo: torch.Tensor,
    steps: int,
    optimizer: str = "lbfgs",
    start: str = "photo",
    seed: int = 0,
    watch: Callable[[int, float, torch.Tensor], None] | None = None,
) -> tuple[torch.Tensor, list[float]]:
    """The picture, 1×3×H×W in [0, 1], that `steps` evaluations of objective and gradient lead to, and the objective at each.

    Begins from the 1×3×H×W `photo` or from noise around its mean. `watch` is called with step, objective and picture
    after every step (from 1 again, where it begins again with another first step). Raises TrainingError when the objective is
    no longer finite.
    """
    noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(seed)).to(photo)
    began = photo if start == "photo" else (photo.mean(dim=(2, 3), keepdim=True) + 0.1 * noise).clamp(0, 1)
    features = objective.photo_features(photo)
    for levels in FIRST_STEPS if optimizer == "lbfgs" else (0,):
        picture, losses = _descend(objective, began.contiguous(), features, steps, levels, watch)
        if math.isfinite(losses[-1]):
            return picture, losses
    raise TrainingError(f"the optimisation diverged at step {len(losses)}: try --optimizer adam, or another seed")


def _descend(
    objective: Objective, began: torch.Tensor, features: dict, steps: int, levels: float, watch: Callable | None
) -> tuple[torch.Tensor, list[float]]:
    """Picture and objectives; ends early at one that is not finite. L-BFGS with a first step of `levels` of 255, or Adam (0).

    L-BFGS does not mind units, but for its first step, which moves all its variables together by 1: in these, by that many
    levels a value. In plain pixels they move by a thousandth of a level, and the curvature learnt from that is rounding.
    """
    unit = 255 / levels / began.numel() if levels else 1.0
    variables, losses = (unit * began).requires_grad_(True), []
    if levels:  # one evaluation a call: max_iter=1 without a line search
        steps_of = torch.optim.LBFGS([variables], lr=1, max_iter=1, history_size=100, tolerance_grad=0, tolerance_change=0)
    else:
        steps_of = torch.optim.Adam([variables], lr=0.02)

    def closure() -> torch.Tensor:
        steps_of.zero_grad()
        loss = objective(variables / unit, features)["total"].sum()
        loss.backward()
        losses.append(loss.item())
        return loss

    for step in range(1, steps + 1):
        steps_of.step(closure)
        if not math.isfinite(losses[-1]):
            break
        if watch:
            watch(step, losses[-1], (variables.detach() / unit).clamp(0, 1))
    return (variables.detach() / unit).clamp(0, 1), losses


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
    painting = to_tensor(fit_short_side(open_photo(args.painting), args.style_size)).to(where)
    objective = Objective(load_vgg().to(where), painting, CONTENT_LAYERS, STYLE_LAYERS, (1.0, args.style_weight, 0.0))
    objective.to(where)
    photo = to_tensor(fit_long_side(open_photo(args.photo), args.size)).to(where)
    bar = tqdm(total=args.steps, unit="step")

    def watch(step: int, loss: float, picture: torch.Tensor) -> None:
        bar.update()
        bar.set_postfix({"objective": f"{loss:,.0f}"})
        if args.every and step % args.every == 0:
            save_picture(to_image(picture), args.out.with_stem(f"{args.out.stem}-{step:05d}"))

    with bar:
        picture, losses = gatys(objective, photo, args.steps, args.optimizer, args.start, args.seed, watch)
    save_picture(to_image(picture), args.out)
    print(f"{args.out}: objective {losses[0]:,.0f} -> {losses[-1]:,.0f} in {args.steps} steps")


if __name__ == "__main__":
    sys.exit(main())
