"""Optimisers of a generator: Adam, or Muon for its convolution kernels and Adam for the rest."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from training.config import TrainConfig
from zoo.layers import norm_parameters

ADAPTER_SCALES = {True: 10, False: 3}  # of norms, of convolutions
BETAS = {"adam": (0.9, 0.999), "muon": (0.9, 0.99)}  # Adam beside Muon has few weights and short runs


class KernelMuon(torch.optim.Muon):
    """Muon (Jordan et al. 2024), momentum whose direction is made orthogonal, for O×I×H×W convolution kernels.

    torch.optim.Muon takes matrices: each kernel is one of O rows, a view of its memory. To be made where the kernels will stay,
    as a copy to another device would leave the views behind. It makes them orthogonal one by one, in some fifty small
    operations each, which a GPU starts more slowly than it computes them: here all are made so at once.
    """

    def __init__(self, kernels: list[nn.Parameter], momentum: float):
        self.kernels = kernels
        rows = [nn.Parameter(_dense(kernel.detach(), kernel).view(len(kernel), -1)) for kernel in kernels]
        super().__init__(rows, weight_decay=0.0, momentum=momentum)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step along the kernels' gradients."""
        group, rows, gradients, buffers = self.param_groups[0], [], [], []
        for row, kernel in zip(group["params"], self.kernels, strict=True):
            if kernel.grad is not None:
                rows.append(row)
                gradients.append(_dense(kernel.grad, kernel).flatten(1))
                if not self.state[row]:
                    self.state[row]["momentum_buffer"] = torch.zeros_like(row)
                buffers.append(self.state[row]["momentum_buffer"])
        torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, buffers, group["momentum"])  # Nesterov's
        directions = orthogonal(ahead, group["ns_coefficients"], group["ns_steps"], group["eps"])
        scales = [-group["lr"] * math.sqrt(max(1, row.shape[0] / row.shape[1])) for row in rows]
        torch._foreach_mul_(directions, scales)
        torch._foreach_add_(rows, directions)


def orthogonal(matrices: Sequence[torch.Tensor], coefficients: tuple, steps: int, eps: float) -> list[torch.Tensor]:
    """Matrices with the singular vectors of those given and singular values near 1, by Newton and Schulz's iteration in
    bfloat16, of all at once: each in a corner of one as large as the largest, whose other places stay 0.
    """
    flat = [matrix.T if matrix.shape[0] > matrix.shape[1] else matrix for matrix in matrices]
    high, wide = (max(matrix.shape[axis] for matrix in flat) for axis in (0, 1))
    x = torch.stack([F.pad(m, (0, wide - m.shape[1], 0, high - m.shape[0])) for m in flat]).bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    a, b, c = coefficients
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    found = [each[: m.shape[0], : m.shape[1]].to(m.dtype) for each, m in zip(x, flat, strict=True)]
    return [each.T if each.shape != m.shape else each for each, m in zip(found, matrices, strict=True)]


def _dense(tensor: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """A tensor of the kernel's shape, its axes in the order in which they lie in the kernel's memory."""
    return tensor if kernel.is_contiguous() else tensor.permute(0, 2, 3, 1)


def make_optimizers(generator: nn.Module, config: TrainConfig, styles: int) -> list[torch.optim.Optimizer]:
    """What trains a channels-last generator that stays on its device; each group has its `rate` and its `scale` of that.

    Adapters (frozen weights) have Adam alone. So has the last convolution, whose three rows are colours.
    """
    kernels: list = []
    if config.optimizer == "muon" and all(p.requires_grad for p in generator.parameters()):
        kernels = [m.weight for m in generator.modules() if isinstance(m, nn.Conv2d)][:-1]
    groups = parameter_groups(generator, styles, kernels)
    fused = {p.device.type for p in generator.parameters()} <= {"cpu", "cuda", "mps"}
    adam = torch.optim.Adam(groups, betas=BETAS[config.optimizer], fused=fused)
    for group in adam.param_groups:
        group["rate"] = config.learning_rate
    if not kernels:
        return [adam]
    muon = KernelMuon(kernels, config.muon_momentum)
    muon.param_groups[0].update(rate=config.muon_rate, scale=1)
    return [adam, muon]


def parameter_groups(generator: nn.Module, styles: int, without: list[nn.Parameter] | None = None) -> list[dict]:
    """Adam's groups of the weights that are trained, each with its `scale` of the learning rate.

    Rows of a conditional generator: the number of styles. A row trains in one step of so many, and Adam moves a parameter by
    about the rate a step: at the common rate the rows would lag behind the convolutions they share, and all styles look
    alike for thousands of steps. On a frozen base (`training.running.start.freeze`) the few weights have all the way to go
    alone: ADAPTER_SCALES, found by trial (docs/TRAINING.md, a new style in minutes).
    """
    frozen, norms = not all(p.requires_grad for p in generator.parameters()), norm_parameters(generator)
    left_out = {id(p) for p in without or []}
    groups: dict[float, list] = {}
    for name, p in generator.named_parameters():
        scale = (styles if name in norms else 1) * (ADAPTER_SCALES[name in norms] if frozen else 1)
        if p.requires_grad and id(p) not in left_out:
            groups.setdefault(scale, []).append(p)
    return [{"params": params, "scale": scale} for scale, params in groups.items()]


def rate_factor(config: TrainConfig, step: int) -> float:
    """The share of the recipe's rates at step 1 ... config.steps: of the step alone, so that a resumed run repeats it."""
    factor = min(1.0, step / config.warmup if config.warmup else 1.0)
    return factor if config.decay == "constant" else factor * 0.5 * (1 + math.cos(math.pi * (step - 1) / config.steps))
