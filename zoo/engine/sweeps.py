"""Going over a map from the top to the bottom, a strip of rows at a time: for its statistics, to keep it, to write it out.

Instance norm needs the statistics of a whole map before a number of the next one is known. So each norm means one sweep over
the map before it, which is kept if it is small or memory allows, and else computed again by the next sweep. The statistics of
strips are put together in float64 (Chan, Golub and LeVeque 1979), each strip's in two passes: exact where contrast is low.
"""

import copy
import weakref
from collections.abc import Callable, Iterator

import torch
from torch import nn

from zoo.conditional import ConditionalNorm
from zoo.engine.convolutions import Conv, UpConv
from zoo.engine.rows import Enlarged, Kept, Lines, Rows, Scaled, empty
from zoo.layers import BatchNorm, ContrastNorm, ConvNorm, InstanceNorm, ResizeConv

STRIP = 8 * 2**20  # bytes that a strip's rows take, over all maps that are computed for it: the processor's cache holds them
PADDED = 63  # rows that a texture network adds to a picture, at most
LEAST = 4  # rows of a strip, however wide
Smooth = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]  # mean and variance of channels, in and out
Take = Callable[[int, torch.Tensor], None]  # is handed the rows of a picture: the number of the first, and 1×C×n×W
Write = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # the second tensor into the first
Tell = Callable[[float], None]  # is told the share of the work that is done, from 0 to 1; what it raises ends the work
KNOWN = (InstanceNorm, BatchNorm, ContrastNorm)  # norms that are a scale and a shift for each channel here
WORKING = 12  # times the bytes of a strip: what a sweep takes besides the maps that are kept, at most (measured)


class Sweeps:
    """The sweeps of one picture of `height` rows. Maps of at most `height` / 2**level rows are kept, and always the sum that a
    residual generator's blocks add to.

    One that is a `plan` computes nothing: it adds up the multiplications, `work`, and the bytes held at once, `most`.
    """

    def __init__(self, height: int, level: int = 0, tell: Tell | None = None, total: float = 0):
        self.seed = 0  # of the noise, where there is some
        self.smooth: Smooth | None = None  # what instance norm uses instead of the picture's own statistics
        self.found: dict[nn.Module, Statistics] = {}  # of the picture, for each norm that has its own
        self.plan, self.work, self.held, self.most, self.strip = not total, 0.0, 0, 0, 0.0
        self._highest_kept, self._tell, self._total = (height + PADDED) // 2**level, tell, total

    def layer(
        self,
        source: Rows,
        layer: ConvNorm[nn.Conv2d] | ConvNorm[ResizeConv],
        slope: float,
        size: tuple[int, int] | None = None,
        over: Rows | None = None,
    ) -> Rows:
        """A convolution of either kind (a ResizeConv to `size`), its norm, and a (leaky) ReLU of that slope (1: none).

        `over` is a map that is kept, read by nobody after this layer, and as large as the result: it may be overwritten.
        """
        conv, norm = layer.conv, layer.norm
        after = slope if isinstance(norm, nn.Identity) else 1.0
        if isinstance(conv, nn.Conv2d):
            over = None if conv.padding_mode == "circular" else over  # whose last rows read the first ones
            found: Rows = Conv(source, conv, after)
        elif size is not None and conv.upsampling == "nearest" and conv.conv.padding_mode == "reflect":
            found = UpConv(source, conv.conv, size, after)
        else:
            found = Conv(Enlarged(source, size or (0, 0), conv.upsampling), conv.conv, after)
        return Lines(found) if isinstance(norm, nn.Identity) else self.norm(found, norm, slope, over)

    def norm(self, source: Rows, norm: nn.Module, slope: float = 1.0, over: Rows | None = None) -> Rows:
        """The norm of a map, with the map kept where it may be, and a (leaky) ReLU."""
        if isinstance(norm, nn.Identity):
            return source
        if isinstance(norm, BatchNorm):
            return Scaled(source, *batch_affine(norm), slope)
        total = self.found[norm] = Statistics(source.channels, isinstance(norm, ContrastNorm))
        if source.height > self._highest_kept:
            self.finish(source, total.add)
            return Lines(Scaled(source, *self._affine(norm), slope))
        kept = self._kept(source, over, total.add)
        return Scaled(Kept(kept), *self._affine(norm), slope)

    def rescale(self, source: Rows, norm: nn.Module, enlarged: tuple[int, int] | None = None) -> Rows:
        """The norm of a map that is cheap to have again; of one that is first enlarged, "nearest", to twice its size."""
        larger = Enlarged(source, enlarged) if enlarged else source
        if isinstance(norm, BatchNorm):
            return Scaled(larger, *batch_affine(norm))
        if isinstance(norm, nn.Identity):
            return larger
        total = self.found[norm] = Statistics(source.channels, isinstance(norm, ContrastNorm))
        self.finish(source, total.add)
        return Scaled(larger, *self._affine(norm, copies=4 if enlarged else 1))

    def _affine(self, norm: nn.Module, copies: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale and shift of the norm of a map whose statistics are found, each of whose numbers is there so many times."""
        return self.found[norm].affine(norm, copies, None if self.plan else self.smooth)

    def keep(self, source: Rows) -> Kept:
        """A map, kept whole whatever its size. One that is kept already but for its scale may be scaled where it lies."""
        return source if isinstance(source, Kept) else Kept(self._kept(source, source))

    def add(self, to: Kept, more: Rows) -> Kept:
        """A map that is kept plus another, which may be computed from it, where it lies."""
        self._over(to.tensor, more, torch.Tensor.add_)
        return to

    def finish(self, source: Rows, take: Take, height: int = 0) -> None:
        """Hand over the rows of a map, or its first `height`: the first row and 1×C×n×W for each strip."""
        for a, b in self._strips(source, height):
            take(a, source.rows(a, b))

    def _kept(self, source: Rows, over: Rows | None = None, take: Take | None = None) -> torch.Tensor:
        """A map in memory, where `over` lies if that is kept and not all rows come at once; `take` is handed its strips."""
        there = over.kept if isinstance(over, Scaled) else None
        whole = self._at_once(source) >= source.height and not isinstance(source, Lines)  # which may be read again
        if there is not None and not whole:
            self._over(there, source, torch.Tensor.copy_, take)
            return there
        kept = empty(source.channels, source.height, source.width, "meta" if self.plan or whole else "cpu")
        for a, b in self._strips(source):
            if whole:
                kept = source.rows(a, b)  # the only strip, as it is, without a copy
            else:
                source.write(a, b, kept[:, :, a:b])
            if take:
                take(a, kept[:, :, a:b])
        self.held += (size := 4 * kept.numel())
        self.most = max(self.most, self.held)
        weakref.finalize(kept, self._let_go, size)
        return kept

    def _over(self, there: torch.Tensor, source: Rows, write: Write, take: Take | None = None) -> None:
        """Write a map over one that it may be computed from: one strip late."""
        late: tuple[torch.Tensor, torch.Tensor] | None = None
        for a, b in self._strips(source):
            x = source.rows(a, b)
            if take:
                take(a, x)
            if late:
                write(*late)
            late = there[:, :, a:b], x
        if late:
            write(*late)

    def _let_go(self, size: int) -> None:
        self.held -= size

    def _at_once(self, source: Rows) -> int:
        """Rows of a strip: all, or a multiple of four, as convolutions may take four at a time."""
        n = max(LEAST, int(STRIP / source.span)) if source.span else source.height
        return n if n >= source.height else n - n % 4

    def _strips(self, source: Rows, height: int = 0) -> Iterator[tuple[int, int]]:
        """The strips to compute a map in, or its first `height` rows: the first row of each and the one after its last."""
        n, height = self._at_once(source), height or source.height
        self.strip = max(self.strip, min(n, height) * source.span)
        if self.plan:
            self.work += height * source.work
            return
        for a in range(0, height, n):
            b = min(a + n, height)
            yield a, b
            self.work += (b - a) * source.work
            if self._tell:
                self._tell(min(1.0, self.work / self._total))


class Statistics:
    """Count, mean and sum of squared deviations of each channel of a map that comes in strips; or the sum of |x|."""

    def __init__(self, channels: int, absolute: bool):
        self._absolute, self._count = absolute, 0
        self._mean, self._squares = torch.zeros(2, channels, dtype=torch.float64)

    def add(self, a: int, x: torch.Tensor) -> None:
        """Add 1×C×n×W."""
        n = x.shape[2] * x.shape[3]
        if self._absolute:
            mean, variance = x.abs().mean((0, 2, 3)).double(), self._squares
        else:
            mean, variance = (s.double() for s in torch.batch_norm_update_stats(x, None, None, 0.0))
        self._count += n
        away = mean - self._mean
        self._mean = self._mean + away * (n / self._count)
        self._squares = self._squares + variance * n + away.square() * (n * (self._count - n) / self._count)

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and (biased) variance of each channel, float64."""
        return self._mean, self._squares / max(1, self._count)

    def affine(self, norm: nn.Module, copies: int, smooth: Smooth | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The norm of that map as a scale and a shift for each channel; instance norm with what `smooth` makes of its own."""
        assert isinstance(norm, (InstanceNorm, ContrastNorm))
        weight, bias = norm.weight.double(), norm.bias.double()
        if self._absolute:
            count = max(1, self._count) * copies
            return (weight * count / (self._mean * count + norm.eps)).float(), norm.bias
        mean, variance = smooth(*self.moments()) if smooth else self.moments()
        scale = weight * (variance + norm.eps).rsqrt()
        return scale.float(), (bias - mean * scale).float()


def batch_affine(norm: BatchNorm) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch norm at test time as a scale and a shift for each channel."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight.double() * (norm.running_var.double() + norm.eps).rsqrt()
    return scale.float(), (norm.bias.double() - norm.running_mean.double() * scale).float()


def fold(generator: nn.Module) -> nn.Module:
    """A copy in the one style that is chosen, whose batch norms are folded into the convolutions before them."""
    folded = copy.deepcopy(generator).requires_grad_(False)
    for module in list(folded.modules()):
        for name, child in module.named_children():
            if isinstance(child, ConditionalNorm):
                setattr(module, name, child.rows[child.chosen])
    for module in folded.modules():
        if isinstance(module, ConvNorm) and isinstance(module.norm, BatchNorm):
            scale, shift = batch_affine(module.norm)
            conv = module.conv.conv if isinstance(module.conv, ResizeConv) else module.conv
            assert isinstance(conv, nn.Conv2d) and conv.bias is not None  # zoo.layers.make_conv gives each one
            conv.weight.mul_(scale.view(-1, 1, 1, 1))
            conv.bias.mul_(scale).add_(shift)
            module.norm = nn.Identity()
    return folded
