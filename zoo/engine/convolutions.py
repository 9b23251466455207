"""Convolutions of maps that come a few rows at a time, in the forms that a processor computes fastest.

All are exact but for rounding: float32's (that of `by_fours` is about twice a plain convolution's), or, where the kernel is in
bfloat16, that of what goes into it and comes out; it adds up in float32.
"""

import weakref
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from zoo.engine.rows import GROUP, Rows, activate, empty

# Taps of a 3-tap kernel after nearest x2, as taps on the small map, for either parity: 2×2×3 (parity, small tap, tap).
_UP = torch.tensor([[[1.0, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])
# The filters of Winograd's F(4, 3), at the points 0, 1, -1, 2, -2 and infinity.
_FILTERS = torch.tensor([[6.0, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], dtype=torch.float64) / 24
# Where fewer multiplications pay for the additions around them: measured where vectors have 256 bits. Wider ones multiply twice
# as fast; it has not been tried with them.
VECTORS = torch.backends.cpu.get_cpu_capability()
WIDE, LARGE = 64, 2**19  # channels, and numbers of a map, from which on


class Conv(Rows):
    """A convolution with the padding of `make_conv`, then a (leaky) ReLU of that slope (1: none)."""

    def __init__(self, source: Rows, layer: nn.Conv2d, slope: float = 1.0):
        self._source, self._layer, self._slope = source, layer, slope
        self._pad, self._stride, self._mode = layer.kernel_size[0] // 2, layer.stride[0], layer.padding_mode
        self.channels = layer.out_channels
        self.height, self.width = (-(-side // self._stride) for side in (source.height, source.width))
        self._made_from(source, self._stride, layer.weight[0].numel())  # whatever the processor, as the page's limits are
        self._by_fours = is_by_fours(layer, self.height * self.width)

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        first, last = a * self._stride - self._pad, (b - 1) * self._stride + self._pad + 1
        x = padded(self._source, first, last, self._pad, self._mode, dtype=self._layer.weight.dtype)
        if self._by_fours and b - a >= 4:
            return activate(by_fours(x, self._layer), self._slope)
        return activate(_convolve(x, self._layer.weight, self._layer.bias, self._stride), self._slope)


class ConvToFew(Rows):
    """A k×k convolution to few channels (3, of a picture): a GROUP of pixels at once, or the lanes of the processor's vectors
    would be empty for the most part. In channels-last memory those of a row are a view of the map, and rows are strides, with
    the taps shifted in a kernel that is large enough for all of them."""

    def __init__(self, source: Rows, layer: nn.Conv2d):
        self._source, self._mode, self._bias = source, layer.padding_mode, layer.bias
        self.channels, self.height, self.width = layer.out_channels, source.height, source.width
        self._layer, k = layer, layer.kernel_size[0]
        self._pad, reach = k // 2, _reach(k)
        self._groups = -(-self.width // GROUP[1]) + reach - 1
        self._made_from(source, 1, layer.weight[0].numel())

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        down, across = GROUP
        n, pad, c = -(-(b - a) // down) * down, self._pad, self._source.channels
        x = padded(self._source, a - pad, a + n + pad, pad, self._mode, across * self._groups)
        grouped = x.permute(0, 2, 3, 1).reshape(1, n + 2 * pad, self._groups, across * c).permute(0, 3, 1, 2)
        bias = None if self._bias is None else self._bias.repeat(down * across)
        out = F.conv2d(grouped, kernels(self._layer, _grouped)[0], bias, (down, 1))
        each = out.permute(0, 2, 3, 1).reshape(1, n // down, out.shape[3], down, -1).transpose(2, 3)
        lines = each.reshape(1, n, -1, self.channels)
        return lines[:, : b - a, : self.width].permute(0, 3, 1, 2)


class UpConv(Rows):
    """Nearest x2, crop to `size`, reflect padding, 3×3: as four 2×2 convolutions on the small map, one for each parity of row
    and column: 4 multiplications instead of 9. Where a side is odd, the last row or column is computed as it is written."""

    def __init__(self, source: Rows, layer: nn.Conv2d, size: tuple[int, int], slope: float = 1.0):
        self._source, self._layer, self._slope = source, layer, slope
        self.channels, (self.height, self.width) = layer.out_channels, size
        self._made_from(source, 0.5, 4 * source.channels)

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        out = empty(self.channels, b - a, self.width)
        self.write(a, b, out)
        return out

    def write(self, a: int, b: int, out: torch.Tensor) -> None:
        """See Rows."""
        first = a // 2
        x = padded(self._source, first - 1, (b + 1) // 2 + 1, 1, "replicate", dtype=self._layer.weight.dtype)
        small = kernels(self._layer, _four)
        for p in (0, 1):
            above, below = (a - p + 1) // 2, (b - p + 1) // 2  # rows of the small map that make rows of that parity
            for q in (0, 1):
                found = _convolve(x, small[2 * p + q], self._layer.bias)  # one row and one column more than is needed
                there = out[:, :, 2 * above + p - a :: 2, q::2]
                there.copy_(found[:, :, above - first + p : below - first + p, q : q + there.shape[3]])
        rows, columns = range(a, b), range(self.width)
        if self.width % 2:
            out[:, :, :, -1:] = self._as_written(x, first, rows, columns[-1:])
        if self.height % 2 and b == self.height:
            out[:, :, -1:] = self._as_written(x, first, rows[-1:], columns)
        activate(out, self._slope)

    def _as_written(self, x: torch.Tensor, first: int, rows: range, columns: range) -> torch.Tensor:
        """Those rows and columns of the result, from the padded rows of the small map that begin before row `first`."""

        def taps(wanted: range, length: int) -> torch.Tensor:
            there = torch.arange(wanted[0] - 1, wanted[-1] + 2).abs()
            return torch.minimum(there, 2 * (length - 1) - there) // 2

        x = x.index_select(2, taps(rows, self.height) - first + 1).index_select(3, taps(columns, self.width) + 1)
        return _convolve(x, self._layer.weight, self._layer.bias)


def is_wide(layer: nn.Conv2d) -> bool:
    """Whether half precision pays in that convolution: narrow kernels have nothing to win, and the first and the last, which
    read the photo's own contrast and make the result, are narrow."""
    return min(layer.weight.shape[:2]) >= 16


def is_by_fours(layer: nn.Conv2d, pixels: int) -> bool:
    """Whether that convolution, of a map of so many pixels, is faster by four rows at a time."""
    plain = (layer.kernel_size, layer.stride, layer.weight.dtype) == ((3, 3), (1, 1), torch.float32)
    channels = min(layer.weight.shape[:2])
    return VECTORS == "AVX2" and plain and channels >= WIDE and channels * pixels >= LARGE


def by_fours(x: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
    """A 3×3 convolution of padded rows, four or more of the result, each four from six of theirs: Winograd's minimal filtering
    F(4, 3) down the columns, in which six 1×3 convolutions stand for twelve (Lavin and Gray 2016, section 4.1). Rows that are
    left over are computed as written."""
    n, w = x.shape[2] - 2, x.shape[3] - 2
    out, whole = empty(layer.out_channels, n, w), n // 4 * 4
    d0, d1, d2, d3, d4, d5 = (x[:, :, i : i + whole - 3 : 4] for i in range(6))
    y0, y1, y2, y3 = (out[:, :, i:whole:4] for i in range(4))
    k0, k1, k2, k3, k4, k5 = kernels(layer, _down_columns)
    # Each is convolved as soon as it is there, while the cache holds it.
    m0 = F.conv2d(torch.sub(d4, d2, alpha=5).add_(d0, alpha=4), k0)
    even, odd = torch.sub(d4, d2, alpha=4), torch.sub(d3, d1, alpha=4)
    m1 = F.conv2d(even + odd, k1, layer.bias)  # it stands in all four rows with the factor one, and brings them the bias
    m2 = F.conv2d(even.sub_(odd), k2)
    even, odd = torch.sub(d4, d2, out=even), torch.sub(d3, d1, out=odd)
    m3, m4 = F.conv2d(torch.add(even, odd, alpha=2), k3), F.conv2d(even.sub_(odd, alpha=2), k4)
    m5 = F.conv2d(torch.sub(d5, d3, alpha=5).add_(d1, alpha=4), k5)
    near, far = m1 + m2, m3 + m4
    torch.add(m0.add_(near), far, out=y0)
    torch.add(near, far, alpha=4, out=y2)
    near, far = m1.sub_(m2), m3.sub_(m4)
    torch.add(near, far, alpha=2, out=y1)
    torch.add(near.add_(far, alpha=8), m5, out=y3)
    if whole < n:
        out[:, :, whole:] = F.conv2d(x[:, :, whole:], layer.weight, layer.bias)
    return out


def _down_columns(weight: torch.Tensor) -> list[torch.Tensor]:
    """The 1×3 kernels of `by_fours`."""
    return [k.float().unsqueeze(2) for k in torch.einsum("pt,oitv->poiv", _FILTERS, weight.double())]


def _convolve(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, stride: int = 1) -> torch.Tensor:
    if weight.dtype is torch.float32:
        return F.conv2d(x, weight, bias, stride)
    found = F.conv2d(x, weight, None, stride)
    return found.float() if bias is None else found + bias.view(1, -1, 1, 1)  # float32, as the bias


_made: "weakref.WeakKeyDictionary[nn.Module, list[torch.Tensor]]" = weakref.WeakKeyDictionary()


def kernels(layer: nn.Conv2d, make: Callable[[torch.Tensor], list[torch.Tensor]]) -> list[torch.Tensor]:
    """What `make` makes of the weights of a layer, which no longer change: once, as long as there is the layer."""
    found = _made.get(layer)
    if found is None:
        found = _made[layer] = [k.contiguous(memory_format=torch.channels_last) for k in make(layer.weight)]
    return found


def _grouped(weight: torch.Tensor) -> list[torch.Tensor]:
    """The kernel of ConvToFew."""
    (o, i, k), (down, across), reach = weight.shape[:3], GROUP, _reach(weight.shape[2])
    shifts = [(row, column) for row in range(down) for column in range(across)]
    shifted = [F.pad(weight, (column, reach * across - k - column, row, down - 1 - row)) for row, column in shifts]
    kernel = torch.stack(shifted).view(len(shifts) * o, i, k + down - 1, reach, across).permute(0, 4, 1, 2, 3)
    return [kernel.reshape(len(shifts) * o, across * i, k + down - 1, reach)]


def _reach(k: int) -> int:
    """Groups of columns that k taps of each column of a group reach over."""
    return -(-(GROUP[1] + k - 1) // GROUP[1])


def _four(weight: torch.Tensor) -> list[torch.Tensor]:
    """The kernels of UpConv, by parity of row and column."""
    return list(torch.einsum("oist,pus,qvt->pqoiuv", weight.float(), _UP, _UP).flatten(0, 1).to(weight))


def padded(
    source: Rows, a: int, b: int, pad: int, mode: str, width: int = 0, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Rows a to b of a map and `pad` columns more at either side, where rows and columns beyond it are made as `mode` says.

    At least `width` columns; what more there are is zero.
    """
    if not pad and not width:
        return source.rows(a, b).to(dtype)
    h, w = source.height, source.width
    top, bottom = max(0, -a), max(0, b - h)
    x = empty(source.channels, b - a, max(width, w + 2 * pad), dtype=dtype)
    inner = x[:, :, top : b - a - bottom, pad : pad + w]
    if mode == "circular" and top:
        source.write(h - top, h, x[:, :, :top, pad : pad + w])
    if mode == "circular" and bottom:
        source.write(0, bottom, x[:, :, b - a - bottom :, pad : pad + w])
    source.write(max(a, 0), min(b, h), inner)
    _edges(x[:, :, :, pad : pad + w], 2, top, bottom, mode)
    _edges(x[:, :, :, : w + 2 * pad], 3, pad, pad, "wrap" if mode == "circular" else mode)
    x[:, :, :, w + 2 * pad :] = 0
    return x


def _edges(x: torch.Tensor, dim: int, before: int, after: int, mode: str) -> None:
    """Fill the first and the last rows (dim 2) or columns (dim 3) from those between; "circular" rows are there already."""
    n = x.shape[dim] - before - after
    if mode == "circular":
        return
    for i in range(before):
        from_ = {"reflect": before + (before - i), "replicate": before, "wrap": i + n}.get(mode)
        x.select(dim, i).copy_(x.select(dim, from_)) if from_ is not None else x.select(dim, i).zero_()
    for i in range(after):
        at, last = before + n + i, before + n - 1
        from_ = {"reflect": last - 1 - i, "replicate": last, "wrap": before + i}.get(mode)
        x.select(dim, at).copy_(x.select(dim, from_)) if from_ is not None else x.select(dim, at).zero_()
