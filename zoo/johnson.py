"""The residual generator of Johnson et al. 2016, the paper's choice for its results (section 3, figures 4 to 6)."""

import torch
from torch import nn

from zoo.config import GeneratorConfig
from zoo.layers import ResizeConv, make_conv, make_norm
from zoo.registry import register


class ConvNorm(nn.Module):
    """Convolution, then the norm under study."""

    def __init__(self, conv: nn.Module, channels: int, config: GeneratorConfig):
        super().__init__()
        self.conv = conv
        self.norm = make_norm(config.norm, channels, config.eps)

    def forward(self, x, *size):
        return self.norm(self.conv(x, *size))


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside the identity; no ReLU after the sum (Johnson et al. 2016, following Gross and Wilber)."""

    def __init__(self, channels: int, config: GeneratorConfig):
        super().__init__()
        self.first = ConvNorm(make_conv(channels, channels, 3, padding=config.padding), channels, config)
        self.second = ConvNorm(make_conv(channels, channels, 3, padding=config.padding), channels, config)

    def forward(self, x):
        return x + self.second(torch.relu(self.first(x)))


@register("johnson")
class JohnsonGenerator(nn.Module):
    """9×9 convolution, two strided ones, residual blocks, two resize-convolutions, 9×9 convolution, sigmoid.

    The norm follows every convolution but the last ("everywhere in the generator network", section 2). Keeps the
    tensor contract of zoo/registry.py. 424,899 parameters at width 16, 1,679,235 at width 32 (5 blocks, affine norm).
    Departures from Johnson et al.: padding inside the residual blocks instead of cropping, resize-convolution instead
    of transposed convolution, sigmoid instead of a scaled tanh.
    """

    def __init__(self, config: GeneratorConfig):
        super().__init__()
        w, pad = config.width, config.padding
        self.enter = ConvNorm(make_conv(3, w, 9, padding=pad), w, config)
        self.down1 = ConvNorm(make_conv(w, 2 * w, 3, 2, pad), 2 * w, config)
        self.down2 = ConvNorm(make_conv(2 * w, 4 * w, 3, 2, pad), 4 * w, config)
        self.residual = nn.Sequential(*(ResidualBlock(4 * w, config) for _ in range(config.residual_blocks)))
        self.up1 = ConvNorm(ResizeConv(4 * w, 2 * w, pad, config.upsampling), 2 * w, config)
        self.up2 = ConvNorm(ResizeConv(2 * w, w, pad, config.upsampling), w, config)
        self.leave = make_conv(w, 3, 9, padding=pad)

    def forward(self, x):
        full = torch.relu(self.enter(2 * x - 1))
        half = torch.relu(self.down1(full))
        x = self.residual(torch.relu(self.down2(half)))
        x = torch.relu(self.up1(x, half.shape[2:]))
        x = torch.relu(self.up2(x, full.shape[2:]))
        return torch.sigmoid(self.leave(x))
