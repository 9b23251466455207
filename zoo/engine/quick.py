"""Large pictures with the statistics of a thumbnail: every strip is painted once, instead of one sweep a layer.

After Chen et al. 2022, "Towards Ultra-Resolution Neural Style Transfer via Thumbnail Instance Normalization" (URST): instance
norm (paper, eq. 3) takes mean and variance of each channel from the photo made small. Each norm is then fixed, lies in the
convolution before it as batch norm's does, and nothing of the picture is kept. It is not the same picture: fine texture that a
thumbnail lacks has a share in the statistics of the whole. How far it is off is measured on a picture as much smaller than the
thumbnail's size as the thumbnail is smaller than the photo.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from zoo.engine.sweeps import Take
from zoo.engine.torch_engine import torch_engine
from zoo.images import scale
from zoo.layers import InstanceNorm
from zoo.registry import Generator

THUMBNAIL = 2**20  # pixels


@dataclass(frozen=True)
class Away:
    """How far a quick picture of width×height px is from the exact one, in levels of 255: the mean over all values, and what
    999 of 1,000 stay within."""

    size: tuple[int, int]
    mean: float
    most: float

    def __str__(self) -> str:
        w, h = self.size
        away = f"{self.mean:.1f} of 255 levels in the mean, 99.9% within {self.most:.0f}"
        return f"{away} (estimated at {w}×{h} px)"


def thumbnail_of(generator: Generator, image: Image.Image) -> Image.Image | None:
    """An RGB image at THUMBNAIL pixels; None where that helps nothing: the image is no larger, or no norm is instance."""
    large = math.prod(image.size) > THUMBNAIL and any(isinstance(m, InstanceNorm) for m in generator.modules())
    return scale(image, math.sqrt(THUMBNAIL / math.prod(image.size))) if large else None


def freeze(generator: Generator, thumbnail: Image.Image, factor: float, level: int, seed: int) -> tuple[Generator, Away]:
    """The generator with the statistics of a thumbnail, the photo times `factor`; and how far it then is off: as far as the
    thumbnail painted with the statistics of itself times `factor` is from the thumbnail painted exactly."""
    engine = torch_engine(generator)
    exact, quick = torch.empty(2, 3, thumbnail.height, thumbnail.width)

    def into(picture: torch.Tensor) -> Take:
        def take(row: int, x: torch.Tensor) -> None:
            picture[:, row : row + x.shape[2]] = x[0]

        return take

    found = engine.frozen(thumbnail, into(exact), level, seed)
    rough = engine.frozen(scale(thumbnail, factor), level=level, seed=seed)
    torch_engine(rough).paint(thumbnail, into(quick), seed=seed)
    return found, away(exact, quick)


def away(exact: torch.Tensor, quick: torch.Tensor) -> Away:
    """How far one 3×H×W picture in [0, 1] is from another."""
    levels = 255 * (quick - exact).abs().flatten()
    height, width = exact.shape[1:]
    return Away((width, height), levels.mean().item(), float(np.quantile(levels.numpy(), 0.999)))
