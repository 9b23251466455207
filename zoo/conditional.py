"""Many styles in one generator: conditional normalization (Dumoulin et al. 2017, A learned representation for artistic
style).

All styles share the convolutions; each has its own row of every norm: gamma, beta, and with batch norm its own running
statistics, so that the twin is treated fairly. A way to train styles, not to store them: a row exports exactly to a plain
generator of one style.
"""

import copy

import torch
from torch import nn

from zoo.layers import BatchNorm, ContrastNorm, InstanceNorm

_NORMS = (InstanceNorm, BatchNorm, ContrastNorm)


class ConditionalNorm(nn.Module):
    """N norms of one kind, of which `chosen` is applied; B×C×H×W in and out, all pictures of a batch in one style.

    Unlike a matrix of rows, separate parameters leave the optimiser's state of the other styles alone.
    """

    def __init__(self, norm: nn.Module, styles: int):
        super().__init__()
        self.rows = nn.ModuleList(copy.deepcopy(norm) for _ in range(styles))
        self.chosen = 0

    def forward(self, x):
        return self.rows[self.chosen](x)


def make_conditional(generator: nn.Module, styles: int) -> nn.Module:
    """Give a plain generator `styles` rows in every norm, all starting from its own; in place, returned for convenience."""
    for module in list(generator.modules()):
        for name, child in module.named_children():
            if isinstance(child, _NORMS):
                setattr(module, name, ConditionalNorm(child, styles))
    return generator


def choose(generator: nn.Module, style: int) -> nn.Module:
    """Paint in that style from now on; does nothing to a plain generator. Returns the generator."""
    for module in generator.modules():
        if isinstance(module, ConditionalNorm):
            module.chosen = style
    return generator


def export(generator: nn.Module, style: int) -> nn.Module:
    """A plain generator with exactly the output of row `style`; a copy, so training can go on."""
    return blend(generator, {style: 1.0})


@torch.no_grad()
def blend(generator: nn.Module, weights: dict[int, float]) -> nn.Module:
    """A plain generator whose norm rows are the weighted sum of those of several styles (weights should add up to 1).

    Dumoulin et al. 2017, section 3.2. Running variances are blended as they are.
    """
    plain = copy.deepcopy(generator)
    for module in list(plain.modules()):
        for name, child in module.named_children():
            if isinstance(child, ConditionalNorm):
                setattr(module, name, _blended([(child.rows[style], w) for style, w in weights.items()]))
    return plain


def _blended(rows: list[tuple[nn.Module, float]]) -> nn.Module:
    norm = copy.deepcopy(rows[0][0])
    for key, value in norm.state_dict(keep_vars=True).items():
        if value.is_floating_point():
            value.data = sum(w * row.state_dict()[key] for row, w in rows)
    return norm
