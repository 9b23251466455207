"""The residual generator computed without a single full-resolution feature map: exact, faster on a processor, differentiable.

A map of C channels at full resolution is kept as 4C channels at half of it, one for each parity of row and column. Then a
9×9 convolution is a 5×5 one between parity channels (zero-embedded: 1.23 times the multiplications, but the three-channel
ends of the generator fill the vector lanes), the strided 3×3 a 2×2, and "nearest x2, reflect pad, 3×3" a 3×3 on the small map
that gives the four parities at once. The 4C channels are in the order parity first: in channels-last memory they are then at
the same time a map of C channels, four times as wide: norms see what they would see at full resolution, without a copy.
"""

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from zoo.johnson import JohnsonGenerator, ResidualBlock
from zoo.layers import BatchNorm, ConvNorm, InstanceNorm, ResizeConv

# Tap of a 3-tap kernel after nearest x2, as a tap on the small map, for either parity: 2×3×3 (parity, small tap, tap).
_UP = torch.zeros(2, 3, 3)
for _parity, _small, _tap in ((0, 0, 0), (0, 1, 1), (0, 1, 2), (1, 1, 0), (1, 1, 1), (1, 2, 2)):
    _UP[_parity, _small, _tap] = 1


def fits(generator: nn.Module, height: int, width: int) -> bool:
    """Whether `forward` can paint H×W pictures as this generator would."""
    return height % 4 == 0 and width % 4 == 0 and _is_plain(generator)


def forward(generator: JohnsonGenerator, x: torch.Tensor, inner: torch.dtype | None = None) -> torch.Tensor:
    """What generator(x) gives for B×3×H×W pictures in [0, 1] that `fits`, within rounding; trains what generator(x) would.

    `inner` is the precision in which all convolutions but the first and the last compute (they make the statistics of the
    photo and the picture itself); None: the tensors' own.
    """

    def conv(layer: nn.Conv2d, x: torch.Tensor, weight: torch.Tensor, stride: int = 1) -> torch.Tensor:
        bias = _bias(layer, weight.shape[0] // layer.out_channels)
        kind = inner or x.dtype
        return F.conv2d(x.to(kind), weight.to(kind), bias.to(kind), stride).to(layer.weight.dtype)

    def ends(layer: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, _parity_kernel(layer.weight), _bias(layer, 4))

    def up(layer: ConvNorm[ResizeConv], x: torch.Tensor) -> torch.Tensor:
        kernel = layer.conv.conv
        x = conv(kernel, F.pad(x, (1, 1, 1, 1), mode="replicate"), _up_kernel(kernel.weight))
        return torch.relu(_on_full(layer.norm, x))

    g = generator
    x = _pad_parity(_split(2 * x - 1))
    x = torch.relu(_on_full(g.enter.norm, ends(g.enter.conv, x)))
    # The row and the column before the first are the reflections of the third: odd parities of the first parity row.
    x = conv(g.down1.conv, F.pad(x, (1, 0, 1, 0), mode="replicate"), _down_kernel(g.down1.conv.weight))
    x = torch.relu(_normalize(g.down1.norm, x))
    x = torch.relu(_normalize(g.down2.norm, conv(g.down2.conv, _reflect(x), g.down2.conv.weight, 2)))
    for block in cast(Iterable[ResidualBlock], g.residual):
        first, second = block.first, block.second
        inside = torch.relu(_normalize(first.norm, conv(first.conv, _reflect(x), first.conv.weight)))
        x = x + _normalize(second.norm, conv(second.conv, _reflect(inside), second.conv.weight))
    x = _join(up(g.up1, x))
    return torch.sigmoid(_join(ends(g.leave, _pad_parity(up(g.up2, x)))))


def _is_plain(generator: nn.Module) -> bool:
    """A residual generator with the padding and enlarging that `forward` knows, and a norm of one row."""
    if not isinstance(generator, JohnsonGenerator):
        return False
    config, norms = generator.config, {type(layer.norm) for layer in (generator.enter, generator.up2)}
    return config.padding == "reflect" and config.upsampling == "nearest" and norms <= {InstanceNorm, BatchNorm}


def _bias(layer: nn.Conv2d, times: int) -> torch.Tensor:
    """The bias, for each of so many parities."""
    assert layer.bias is not None  # zoo.layers.make_conv gives each convolution one
    return layer.bias.repeat(times)


def _split(x: torch.Tensor) -> torch.Tensor:
    """B×C×2H×2W as B×4C×H×W, parity first, channels-last."""
    b, c, h, w = x.shape
    parts = x.permute(0, 2, 3, 1).reshape(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5)
    return parts.reshape(b, h // 2, w // 2, 4 * c).permute(0, 3, 1, 2)


def _join(x: torch.Tensor) -> torch.Tensor:
    """B×4C×H×W, parity first, as B×C×2H×2W, channels-last."""
    b, c, h, w = x.shape
    parts = x.permute(0, 2, 3, 1).reshape(b, h, w, 2, 2, c // 4).permute(0, 1, 3, 2, 4, 5)
    return parts.reshape(b, 2 * h, 2 * w, c // 4).permute(0, 3, 1, 2)


def _parity_kernel(weight: torch.Tensor) -> torch.Tensor:
    """O×I×9×9, stride 1, as 4O×4I×5×5 between parity channels."""
    o, i = weight.shape[:2]
    parts = [F.pad(weight, (c, 1 - c, r, 1 - r)).view(o, i, 5, 2, 5, 2) for r in (0, 1) for c in (0, 1)]
    return torch.stack([part.permute(0, 3, 5, 1, 2, 4).reshape(o, 4 * i, 5, 5) for part in parts]).flatten(0, 1)


def _down_kernel(weight: torch.Tensor) -> torch.Tensor:
    """O×I×3×3, stride 2, as O×4I×2×2 on parity channels."""
    o, i = weight.shape[:2]
    return F.pad(weight, (1, 0, 1, 0)).view(o, i, 2, 2, 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(o, 4 * i, 2, 2)


def _up_kernel(weight: torch.Tensor) -> torch.Tensor:
    """Nearest x2, then O×I×3×3, as 4O×I×3×3 on the small map with parity outputs."""
    up = _UP.to(weight)
    return torch.einsum("oist,pus,qvt->pqoiuv", weight, up, up).flatten(0, 2)


def _reflect(x: torch.Tensor) -> torch.Tensor:
    return F.pad(x, (1, 1, 1, 1), mode="reflect")


def _pad_parity(x: torch.Tensor) -> torch.Tensor:
    """Reflect padding by 4 of the full-resolution map, on its parity channels: by 2, rows and columns by their parity."""
    b, c, h, w = x.shape
    v = x.permute(0, 2, 3, 1).reshape(b, h, w, 2, 2, c // 4)
    top = torch.stack([v[:, [2, 1], :, 0], v[:, [1, 0], :, 1]], 3)
    bottom = torch.stack([v[:, [h - 1, h - 2], :, 0], v[:, [h - 2, h - 3], :, 1]], 3)
    v = torch.cat([top, v, bottom], 1)
    left = torch.stack([v[:, :, [2, 1], :, 0], v[:, :, [1, 0], :, 1]], 4)
    right = torch.stack([v[:, :, [w - 1, w - 2], :, 0], v[:, :, [w - 2, w - 3], :, 1]], 4)
    return torch.cat([left, v, right], 2).reshape(b, h + 4, w + 4, c).permute(0, 3, 1, 2)


def _on_full(norm: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The norm of a full-resolution map, given as B×4C×H×W parity channels."""
    b, c, h, w = x.shape
    wide = x.permute(0, 2, 3, 1).reshape(b, h, 4 * w, c // 4).permute(0, 3, 1, 2)
    return _normalize(norm, wide).permute(0, 2, 3, 1).reshape(b, h, w, c).permute(0, 3, 1, 2)


def _normalize(norm: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The norm; instance norm as batch norm of one picture at a time, whose kernel is twice as fast on a processor and exact
    where contrast is low."""
    if not isinstance(norm, InstanceNorm):
        return norm(x)
    return torch.cat([F.batch_norm(one[None], None, None, norm.weight, norm.bias, True, 0.0, norm.eps) for one in x])
