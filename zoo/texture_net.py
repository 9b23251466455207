"""The multi-scale generator of Ulyanov et al. 2016 (Texture Networks), the paper's first one (section 2, figures 1 to 3)."""

import torch
import torch.nn.functional as F
from torch import nn

from zoo.config import GeneratorConfig
from zoo.layers import ConvNorm, make_conv, make_norm
from zoo.registry import Generator, register

RATIOS = (32, 16, 8, 4, 2, 1)  # of the picture pyramid, coarsest first
NOISE = 3  # channels of z at each scale


class ConvBlock(nn.Module):
    """Convolutions of 3×3, 3×3 and 1×1, each with its norm and a leaky ReLU."""

    def __init__(self, c_in: int, c_out: int, config: GeneratorConfig):
        super().__init__()
        layers: list[nn.Module] = []
        for kernel in (3, 3, 1):
            conv = make_conv(c_in, c_out, kernel, padding=config.padding)
            layers += [ConvNorm(conv, c_out, config.norm, config.eps), nn.LeakyReLU(0.01)]
            c_in = c_out
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features; B×C'×H×W."""
        return self.layers(x)


class Scaled(nn.Module):
    """A norm alone, which brings a branch to the scale of the one it is joined with."""

    def __init__(self, channels: int, config: GeneratorConfig):
        super().__init__()
        self.norm = make_norm(config.norm, channels, config.eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features; the same shape."""
        return self.norm(x)


class Join(nn.Module):
    """Enlarge the coarser branch twice, put it beside the finer one, each normalised, and mix them."""

    def __init__(self, coarse: int, fine: int, config: GeneratorConfig):
        super().__init__()
        self.coarse, self.fine = Scaled(coarse, config), Scaled(fine, config)
        self.mix = ConvBlock(coarse + fine, coarse + fine, config)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        """B×C×H×W and B×C'×2H×2W features; B×(C + C')×2H×2W."""
        coarse = F.interpolate(coarse, scale_factor=2.0, mode="nearest")
        return self.mix(torch.cat([self.coarse(coarse), self.fine(fine)], dim=1))


@register("texture")
class TextureGenerator(Generator):
    """A pyramid of the photo, coarsest scale first, with noise z ~ N(0, 1) beside it at each scale.

    `width` channels a scale (8 in the paper's code), so that the finest map has 6 times as many. A seed decides z: another
    seed gives a variation, the same one the same picture; all pictures of a batch share it, but in training mode, where
    each has its own. Sizes are padded to a multiple of 32 px, at least 64, so that the coarsest map is 2×2 or larger, and
    cropped again. Keeps the tensor contract of zoo/registry.py; `residual_blocks` and `upsampling` of the config do not apply.
    """

    tile_step = RATIOS[0]
    has_noise = True
    colours = 3  # channels of the photo that are looked at
    floats_a_pixel = (42, 60)  # see zoo/memory.py

    def __init__(self, config: GeneratorConfig):
        super().__init__(config)
        w = config.width
        self.padding = {"zero": "constant", "circular": "circular"}.get(config.padding, "replicate")
        self.blocks = nn.ModuleList(ConvBlock(self.colours + NOISE, w, config) for _ in RATIOS)
        self.joins = nn.ModuleList(Join(i * w, w, config) for i in range(1, len(RATIOS)))
        self.leave = make_conv(len(RATIOS) * w, 3, 1)

    def forward(self, x: torch.Tensor, seed: int = 0, margin: int = 0) -> torch.Tensor:
        """B×3×H×W pictures in [0, 1], H, W >= 32; the same, painted, with the noise of `seed`.

        The inside of a larger picture, cut by a `margin` of px (a multiple of 32), has that part of the larger one's noise.
        """
        h, w = x.shape[2:]
        size = [max(2 * RATIOS[0], -(-side // RATIOS[0]) * RATIOS[0]) for side in (h, w)]
        x = F.pad(2 * x - 1, (0, size[1] - w, 0, size[0] - h), mode=self.padding)
        random, mixed, own = torch.Generator().manual_seed(seed), None, len(x) if self.training else 1
        for i, ratio in enumerate(RATIOS):
            photo = F.avg_pool2d(x, ratio)[:, : self.colours]
            edge, (rows, columns) = margin // ratio, photo.shape[2:]
            z = torch.randn(own, NOISE, rows + 2 * edge, columns + 2 * edge, generator=random).to(photo)
            z = z[..., edge : edge + rows, edge : edge + columns]
            branch = self.blocks[i](torch.cat([photo, z.expand(len(x), -1, -1, -1)], dim=1))
            mixed = branch if mixed is None else self.joins[i - 1](mixed, branch)
        return torch.sigmoid(self.leave(mixed))[:, :, :h, :w]


@register("synthesis")
class SynthesisGenerator(TextureGenerator):
    """The same without a photo: a texture out of noise alone, whose place in the tensor contract decides its size.

    Padded circularly, at multiples of 32 px from 64 on, it is seamless: tiles of it side by side show no border.
    """

    takes_photo = False
    colours = 0
