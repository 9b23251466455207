"""Many styles in one generator: conditional normalization (Dumoulin et al. 2017, A learned representation for artistic
style).

All styles share the convolutions; each has its own row of every norm: gamma, beta, and with batch norm its own running
statistics, so that the twin is treated fairly. A way to train styles, not to store them: a row exports exactly to a plain
generator of one style.
"""

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import nn

from zoo.errors import ConfigError, WeightsError
from zoo.layers import NORMS, norm_parameters

G = TypeVar("G", bound=nn.Module)


class ConditionalNorm(nn.Module):
    """N norms of one kind, of which `chosen` is applied; B×C×H×W in and out, all pictures of a batch in one style.

    Unlike a matrix of rows, separate parameters leave the optimiser's state of the other styles alone.
    """

    def __init__(self, norm: nn.Module, styles: int):
        super().__init__()
        self.rows = nn.ModuleList(copy.deepcopy(norm) for _ in range(styles))
        self.chosen = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features, by the norm of the chosen style; the same shape."""
        return self.rows[self.chosen](x)


def make_conditional(generator: G, styles: int) -> G:
    """Give a plain generator `styles` rows in every norm, all starting from its own; in place, returned for convenience."""
    for module in list(generator.modules()):
        for name, child in module.named_children():
            if isinstance(child, NORMS):
                setattr(module, name, ConditionalNorm(child, styles))
    return generator


def choose(generator: G, style: int) -> G:
    """Paint in that style from now on; does nothing to a plain generator. Returns the generator."""
    for module in generator.modules():
        if isinstance(module, ConditionalNorm):
            module.chosen = style
    return generator


def export(generator: G, style: int) -> G:
    """A plain generator with exactly the output of row `style`; a copy, so training can go on."""
    plain = copy.deepcopy(generator)
    for module in list(plain.modules()):
        for name, child in module.named_children():
            if isinstance(child, ConditionalNorm):
                setattr(module, name, child.rows[style])
    return plain


def share_convolutions(generators: Sequence[nn.Module]) -> bool:
    """Whether plain generators differ in their norms alone, as those of styles trained together do."""
    first, norms = generators[0].state_dict(), norm_parameters(generators[0])
    others = [other.state_dict() for other in generators[1:]]
    return all(
        first.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in first.items() if key not in norms)
        for other in others
    )


def mix(generators: list[G], weights: list[float]) -> G:
    """A new generator between plain ones that share their convolutions: its norms are the weighted sum of theirs.

    Dumoulin et al. 2017, section 3.2; running variances are mixed as they are. With the generator that gives the photo back
    (training's identity row) among them, this sets the strength of a style.
    Raises WeightsError when they do not share their convolutions, ConfigError unless the weights add up to 1.
    """
    if abs(sum(weights) - 1) > 1e-6 or len(weights) != len(generators):
        raise ConfigError(f"blending {len(generators)} styles needs as many weights that add up to 1, got {list(weights)}")
    if not share_convolutions(generators):
        raise WeightsError("only styles that were trained together blend: these do not share their convolutions")
    plain, norms = copy.deepcopy(generators[0]), norm_parameters(generators[0])
    states = [generator.state_dict() for generator in generators]
    for key, value in plain.state_dict().items():
        if key in norms and value.is_floating_point():
            value.copy_(sum(w * state[key] for w, state in zip(weights, states, strict=True)))
    return plain
