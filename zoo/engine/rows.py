"""Maps of a network that are computed a few rows at a time, each from rows of the one before it.

A `Rows` knows its size and answers `rows(a, b)` with rows a to b (without b) as 1×C×(b - a)×W float32, channels-last, which are
only to be read. Nothing is computed before it is asked for; what lies beyond a picture's edge is padded as in the module, from
rows of the picture. Whoever asks from the top to the bottom has nothing computed twice: `Lines` keeps what is asked again.
"""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from PIL import Image

from zoo.images import to_tensor

GROUP = 2, 4  # rows and columns of pixels that a convolution to few channels computes as one: they fill the vector lanes


def empty(
    channels: int, height: int, width: int, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """1×C×H×W, channels-last, not initialised."""
    return torch.empty((1, channels, height, width), dtype=dtype, device=device, memory_format=torch.channels_last)


class Rows(ABC):
    """A map of `channels`×`height`×`width` of which rows can be had."""

    channels: int
    height: int
    width: int
    work = 0.0  # multiplications that a row costs, those of the maps it is made from included
    span = 0.0  # bytes that lie in memory for each row that is asked for at once

    def _like(self, other: "Rows") -> None:
        self.channels, self.height, self.width = other.channels, other.height, other.width
        self.work, self.span = other.work, other.span

    def _made_from(self, other: "Rows", each: float, taps: int = 0) -> None:
        """Say what a row costs that is made of `each` rows of another map, with so many multiplications a number."""
        numbers = self.channels * self.width
        self.work, self.span = each * other.work + numbers * taps, each * other.span + 4 * numbers

    @abstractmethod
    def rows(self, a: int, b: int) -> torch.Tensor:
        """Rows a to b, 0 <= a < b <= height, as 1×C×(b - a)×W; to be read only."""

    def write(self, a: int, b: int, out: torch.Tensor) -> None:
        """Write rows a to b into `out`."""
        out.copy_(self.rows(a, b))


class Photo(Rows):
    """An RGB image in network units, -1 to 1, with columns and rows added at its right and bottom edge up to `size`, W×H."""

    def __init__(self, image: Image.Image, size: tuple[int, int] | None = None, mode: str = "replicate"):
        self._image, self._mode = image, mode
        self.channels = 3
        self.width, self.height = size or image.size
        self.span = 4 * 3 * 3 * self.width

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        w, h = self._image.size
        x = self._read(min(a, h - 1), min(b, h))
        if (self.width, b) == (w, min(b, h)):
            return x
        if self._mode == "circular" and b > h:
            x = torch.cat([x, self._read(0, b - h)], 2)
        below = 0 if self._mode == "circular" else max(0, b - h)
        return F.pad(x, (0, self.width - w, 0, below), mode=self._mode)[:, :, a - b :]

    def _read(self, a: int, b: int) -> torch.Tensor:
        return 2 * to_tensor(self._image.crop((0, a, self._image.width, b))) - 1


class Kept(Rows):
    """A map that lies in memory, whole."""

    def __init__(self, tensor: torch.Tensor):
        self.tensor = tensor
        self.channels, self.height, self.width = tensor.shape[1:]

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        return self.tensor[:, :, a:b]


class Lines(Rows):
    """The rows of another map, of which the last ones computed are kept for whoever asks for them again."""

    def __init__(self, source: Rows):
        self._like(source)
        self._source, self._from, self._to = source, 0, 0
        self._there: torch.Tensor | None = None

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        if self._there is None or not self._from <= a <= self._to:
            self._there, self._from, self._to = self._source.rows(a, b), a, b
        elif b > self._to:
            more = self._source.rows(self._to, b)
            left = self._there[:, :, a - self._from :]
            self._there = torch.cat([left, more], 2) if a < self._to else more
            self._from, self._to = a, b
        return self._there[:, :, a - self._from : b - self._from]


class Scaled(Rows):
    """Another map times a number a channel, plus one, then a (leaky) ReLU: what any norm is once its statistics are known."""

    def __init__(self, source: Rows, scale: torch.Tensor, shift: torch.Tensor, slope: float = 1.0):
        self._like(source)
        self._source, self._slope = source, slope
        self._made_from(source, 1, 1)
        self._scale, self._shift = scale.view(1, -1, 1, 1), shift.view(1, -1, 1, 1)

    @property
    def kept(self) -> torch.Tensor | None:
        """The map before it was scaled, if that is kept."""
        return self._source.tensor if isinstance(self._source, Kept) else None

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        out = empty(self.channels, b - a, self.width)
        self.write(a, b, out)
        return out

    def write(self, a: int, b: int, out: torch.Tensor) -> None:
        """See Rows."""
        x = out if out.dtype is torch.float32 else empty(self.channels, b - a, self.width)
        torch.addcmul(self._shift, self._source.rows(a, b), self._scale, out=x)
        activate(x, self._slope)
        if x is not out:
            out.copy_(x)


def activate(x: torch.Tensor, slope: float) -> torch.Tensor:
    """ReLU (slope 0), leaky ReLU, or nothing (slope 1), in place."""
    return x if slope == 1 else torch.relu_(x) if slope == 0 else F.leaky_relu_(x, slope)


class Sum(Rows):
    """Two maps added; the first is asked first, and the second should keep its `Lines`."""

    def __init__(self, first: Rows, second: Rows):
        self._like(first)
        self._first, self._second = first, second
        self._made_from(first, 1)

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        return self._first.rows(a, b) + self._second.rows(a, b)


class Beside(Rows):
    """The channels of two maps one after the other."""

    def __init__(self, first: Rows, second: Rows):
        self._like(first)
        self.channels = first.channels + second.channels
        self._parts = first, second
        self.work, self.span = first.work + second.work, first.span + second.span + 4 * self.channels * self.width

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        out = empty(self.channels, b - a, self.width)
        self.write(a, b, out)
        return out

    def write(self, a: int, b: int, out: torch.Tensor) -> None:
        """See Rows."""
        first, second = self._parts
        first.write(a, b, out[:, : first.channels])
        second.write(a, b, out[:, first.channels :])


class Pooled(Rows):
    """The means of ratio×ratio pixels of a map whose sides it divides; its first `channels`."""

    def __init__(self, source: Rows, ratio: int, channels: int):
        self.channels, self.height, self.width = channels, source.height // ratio, source.width // ratio
        self._source, self._ratio = source, ratio
        self._made_from(source, ratio)

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        return F.avg_pool2d(self._source.rows(a * self._ratio, b * self._ratio), self._ratio)[:, : self.channels]


class Enlarged(Rows):
    """A map enlarged twice, "nearest" or "bilinear", and cropped to `size` (H, W)."""

    def __init__(self, source: Rows, size: tuple[int, int], mode: str = "nearest"):
        self._source, self._mode = source, mode
        self.channels, (self.height, self.width) = source.channels, size
        self._made_from(source, 0.5)

    def rows(self, a: int, b: int) -> torch.Tensor:
        """See Rows."""
        more = 0 if self._mode == "nearest" else 1
        first, last = max(0, a // 2 - more), min(self._source.height, (b + 1) // 2 + more)
        smooth = {} if self._mode == "nearest" else {"align_corners": False}
        x = F.interpolate(self._source.rows(first, last), scale_factor=2.0, mode=self._mode, **smooth)
        return x[:, :, a - 2 * first : b - 2 * first, : self.width]
