"""The slow way: optimise the pixels of one picture (Gatys et al. 2016), with the very losses that train the generators."""

import math
from collections.abc import Callable

import torch

from training.objective.losses import Objective
from zoo.errors import TrainingError

OPTIMIZERS, STARTS = ("lbfgs", "adam"), ("photo", "noise")
FIRST_STEPS = 10, 100  # levels of 255 that L-BFGS changes a value by at first; the second where the first diverges


def optimise_pixels(
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
    steps_of: torch.optim.Optimizer
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
