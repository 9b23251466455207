"""The layers generators are made of: the paper's three norms, paddings, and resize-convolution."""

from typing import Generic, Literal, TypeVar

import torch
import torch.nn.functional as F
from torch import nn

C = TypeVar("C", bound=nn.Module)
_PADDING_MODES: dict[str, Literal["zeros", "reflect", "replicate", "circular"]] = {
    "zero": "zeros", "reflect": "reflect", "replicate": "replicate", "circular": "circular",
}  # fmt: skip


class _AffineNorm(nn.Module):
    """Gamma and beta for each channel, named as in torch's own norms."""

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))


class InstanceNorm(_AffineNorm):
    """Instance normalization, paper eq. 3: each channel of each image by its own mean and (biased) variance.

    The statistics are always the picture's own, also at test time. B×C×H×W in and out; affine.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features; the same shape. Exact where contrast is low, in either memory format."""
        # Group norm with one channel a group is eq. 3, and unlike F.instance_norm keeps channels-last as it is. But torch
        # computes its variance there as E[x²] - E[x]², which drowns in rounding where the mean is large beside the
        # deviation: in a photo of low contrast. Eq. 3 does not change when a constant is subtracted first, so subtract
        # roughly the mean, taken from every 64th pixel: exact again, and still the fastest.
        shift = x.detach()[:, :, ::8, ::8].mean(dim=(2, 3), keepdim=True)
        return F.group_norm(x - shift, x.shape[1], self.weight, self.bias, self.eps)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization, paper eq. 2: each channel by the mean and variance of the whole batch.

    In training mode the batch's own statistics, gathered into running ones; in eval mode the running ones (the
    paper's baseline). B×C×H×W in and out; affine.
    """


class ContrastNorm(_AffineNorm):
    """Contrast normalization, paper eq. 1, as H·W·x / (Σ|x| + eps) over each channel of each image; affine.

    For the non-negative x of eq. 1 this is eq. 1 times H·W: the factor keeps the output independent of the picture's
    size, the absolute value keeps the sum away from zero for signed features. B×C×H×W in and out.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features; the same shape."""
        h, w = x.shape[2:]
        scale = h * w / (x.abs().sum(dim=(2, 3), keepdim=True) + self.eps)
        return x * (scale * self.weight.view(1, -1, 1, 1)) + self.bias.view(1, -1, 1, 1)


NORMS = (InstanceNorm, BatchNorm, ContrastNorm)


def norm_parameters(generator: nn.Module) -> set[str]:
    """Names, as in the state dict, of everything that belongs to norms: gammas, betas, running statistics."""
    norms = {name: module for name, module in generator.named_modules() if isinstance(module, NORMS)}
    return {f"{name}.{key}" for name, module in norms.items() for key in module.state_dict()}


def make_norm(norm: str, channels: int, eps: float) -> nn.Module:
    """The normalization layer `norm` (instance, batch, contrast, none) for that many channels."""
    if norm == "none":
        return nn.Identity()
    return {"instance": InstanceNorm, "batch": BatchNorm, "contrast": ContrastNorm}[norm](channels, eps=eps)


def make_conv(c_in: int, c_out: int, kernel: int, stride: int = 1, padding: str = "reflect") -> nn.Conv2d:
    """A convolution padded by kernel // 2, so that stride 1 keeps H×W and stride 2 gives ceil(H/2)×ceil(W/2)."""
    return nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, padding_mode=_PADDING_MODES[padding])


class ResizeConv(nn.Module):
    """Enlarge twice, crop to the size asked for, then convolve 3×3 (Odena et al. 2016: no checkerboard).

    `size` is the H×W of the encoder level being returned to, 2n or 2n - 1 for an input of n: cropping brings an odd
    size back exactly and leaves every pixel where it was.
    """

    def __init__(self, c_in: int, c_out: int, padding: str = "reflect", upsampling: str = "nearest"):
        super().__init__()
        self.conv = make_conv(c_in, c_out, 3, padding=padding)
        self.upsampling = upsampling

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """B×C×H×W features; B×C'×size, `size` at most twice H×W."""
        smooth = {"align_corners": False} if self.upsampling == "bilinear" else {}
        x = F.interpolate(x, scale_factor=2.0, mode=self.upsampling, **smooth)
        return self.conv(x[:, :, : size[0], : size[1]])


class ConvNorm(nn.Module, Generic[C]):
    """Convolution, of either kind, then the norm under study."""

    def __init__(self, conv: C, channels: int, norm: str, eps: float):
        super().__init__()
        self.conv = conv
        self.norm = make_norm(norm, channels, eps)

    def forward(self, x: torch.Tensor, *size: tuple[int, int]) -> torch.Tensor:
        """B×C×H×W features, with `size` where the convolution is a ResizeConv; B×C'×H'×W', before any ReLU."""
        return self.norm(self.conv(x, *size))
