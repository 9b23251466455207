"""A wider generator that begins with what a narrow one has learnt (Net2Net: Chen, Goodfellow, Shlens 2016)."""

from dataclasses import replace
from typing import cast

import torch
from torch import nn

from zoo.errors import ConfigError
from zoo.johnson import JohnsonGenerator, ResidualBlock
from zoo.layers import ConvNorm
from zoo.registry import Generator, create


@torch.no_grad()
def widen(trained: Generator, width: int, seed: int = 0) -> Generator:
    """A generator of `width` channels in its first layer, all layers wider in proportion, that paints what `trained` paints.

    Channels are doubled, some of them, which leaves their statistics as they are: the equality is exact with any norm. What
    reads a doubled channel takes random shares of the copies, or they would stay alike for ever. Raises ConfigError for
    another architecture than johnson, and when `width` is below that of `trained`.
    """
    narrow = trained.config.width
    if not isinstance(trained, JohnsonGenerator) or width < narrow:
        raise ConfigError(f"a {trained.config.architecture} generator of width {narrow} cannot be widened to {width}")
    wide = cast(JohnsonGenerator, create(replace(trained.config, width=width)))
    random = torch.Generator().manual_seed(seed)
    colours = torch.arange(3)
    full, half, quarter = (_copies(scale * narrow, scale * width, random) for scale in (1, 2, 4))

    def layer(there: ConvNorm, here: ConvNorm, read: torch.Tensor, made: torch.Tensor) -> None:
        convolution(getattr(there.conv, "conv", there.conv), getattr(here.conv, "conv", here.conv), read, made)
        for name, value in here.norm.state_dict().items():
            there.norm.state_dict()[name].copy_(value[made] if value.ndim else value)

    def convolution(there: nn.Conv2d, here: nn.Conv2d, read: torch.Tensor, made: torch.Tensor) -> None:
        there.weight.copy_(_shared(here.weight[made], read, random))
        if there.bias is not None and here.bias is not None:
            there.bias.copy_(here.bias[made])

    layer(wide.enter, trained.enter, colours, full)
    layer(wide.down1, trained.down1, full, half)
    layer(wide.down2, trained.down2, half, quarter)
    for block, other in zip(wide.residual, trained.residual, strict=True):
        there, here, inner = cast(ResidualBlock, block), cast(ResidualBlock, other), _copies(4 * narrow, 4 * width, random)
        layer(there.first, here.first, quarter, inner)
        layer(there.second, here.second, inner, quarter)
    layer(wide.up1, trained.up1, quarter, half)
    layer(wide.up2, trained.up2, half, full)
    convolution(wide.leave, trained.leave, full, colours)
    return wide


def _copies(narrow: int, wide: int, random: torch.Generator) -> torch.Tensor:
    """For each of `wide` channels, which of `narrow` it is a copy of: first all of them, then others at random, evenly."""
    rounds = [torch.randperm(narrow, generator=random) for _ in range(wide // narrow)]
    return torch.cat([torch.arange(narrow), *rounds])[:wide]


def _shared(kernel: torch.Tensor, read: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """An O×I×K×K kernel for inputs that are copies of the I, as `read` says: random shares, which add up to one for each."""
    shares = 0.1 + torch.rand(len(kernel), len(read), generator=random)
    sums = torch.zeros(len(kernel), kernel.shape[1]).index_add_(1, read, shares)
    return kernel[:, read] * (shares / sums[:, read])[:, :, None, None]
