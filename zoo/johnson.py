"""The residual generator of Johnson et al. 2016, the paper's choice for its results (section 3, figures 4 to 6)."""

import torch
from torch import nn

from zoo.config import GeneratorConfig
from zoo.layers import ConvNorm, ResizeConv, make_conv
from zoo.registry import Generator, register


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside the identity; no ReLU after the sum (Johnson et al. 2016, following Gross and Wilber)."""

    def __init__(self, channels: int, config: GeneratorConfig):
        super().__init__()
        norm = config.norm, config.eps
        self.first = ConvNorm(make_conv(channels, channels, 3, padding=config.padding), channels, *norm)
        self.second = ConvNorm(make_conv(channels, channels, 3, padding=config.padding), channels, *norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features; the same shape, and no ReLU after."""
        return x + self.second(torch.relu(self.first(x)))


@register("johnson")
class JohnsonGenerator(Generator):
    """9×9 convolution, two strided ones, residual blocks, two resize-convolutions, 9×9 convolution, sigmoid.

    The norm follows every convolution but the last ("everywhere in the generator network", section 2). Keeps the
    tensor contract of zoo/registry.py. 424,899 parameters at width 16, 1,679,235 at width 32 (5 blocks, affine norm).
    Departures from Johnson et al.: padding inside the residual blocks instead of cropping, resize-convolution instead
    of transposed convolution, sigmoid instead of a scaled tanh.
    """

    floats_a_pixel = (8, 12)  # see zoo/memory.py

    def __init__(self, config: GeneratorConfig):
        super().__init__(config)
        w, pad, norm = config.width, config.padding, (config.norm, config.eps)
        self.enter = ConvNorm(make_conv(3, w, 9, padding=pad), w, *norm)
        self.down1 = ConvNorm(make_conv(w, 2 * w, 3, 2, pad), 2 * w, *norm)
        self.down2 = ConvNorm(make_conv(2 * w, 4 * w, 3, 2, pad), 4 * w, *norm)
        self.residual = nn.Sequential(*(ResidualBlock(4 * w, config) for _ in range(config.residual_blocks)))
        self.up1 = ConvNorm(ResizeConv(4 * w, 2 * w, pad, config.upsampling), 2 * w, *norm)
        self.up2 = ConvNorm(ResizeConv(2 * w, w, pad, config.upsampling), w, *norm)
        self.leave = make_conv(w, 3, 9, padding=pad)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×3×H×W pictures in [0, 1], H, W >= 32; the same, painted."""
        full = torch.relu(self.enter(2 * x - 1))
        half = torch.relu(self.down1(full))
        x = self.residual(torch.relu(self.down2(half)))
        x = torch.relu(self.up1(x, half.shape[2:]))
        x = torch.relu(self.up2(x, full.shape[2:]))
        return torch.sigmoid(self.leave(x))
