"""The architectures as sweeps over maps: what `forward` of each says, a few rows at a time."""

from collections.abc import Callable, Iterable
from typing import cast

import torch
from PIL import Image
from torch import nn

from zoo.engine.convolutions import Conv, ConvToFew
from zoo.engine.rows import Beside, Kept, Lines, Photo, Pooled, Rows, Sum
from zoo.engine.sweeps import Sweeps
from zoo.johnson import JohnsonGenerator, ResidualBlock
from zoo.layers import ConvNorm
from zoo.registry import Generator
from zoo.texture_net import NOISE, RATIOS, ConvBlock, Join, TextureGenerator

Program = Callable[[Generator, Image.Image, Sweeps], Rows]  # the last map, before its sigmoid


def johnson(generator: Generator, image: Image.Image, sweeps: Sweeps) -> Rows:
    """See JohnsonGenerator.forward."""
    g = cast(JohnsonGenerator, generator)
    photo = Photo(image)
    full = sweeps.layer(photo, g.enter, 0)
    half = sweeps.layer(full, g.down1, 0)
    sizes = [(half.height, half.width), (photo.height, photo.width)]
    x = sweeps.layer(half, g.down2, 0)
    del full, half
    for block in cast(Iterable[ResidualBlock], g.residual):
        whole = isinstance(block.second.norm, nn.Identity)  # no statistics are needed: it is computed at the last sweep
        x = x if whole else sweeps.keep(x)
        inside = sweeps.layer(x, block.first, 0)
        if isinstance(inside, Lines) and g.config.padding == "circular" and not whole:
            inside = sweeps.keep(inside)  # whose last rows read the first ones of x, to which will have been added by then
        added = sweeps.layer(inside, block.second, 1, over=inside)
        x = Lines(Sum(added, x)) if whole else sweeps.add(cast(Kept, x), added)
        del inside, added
    for layer, size in zip((g.up1, g.up2), sizes, strict=True):
        x = sweeps.layer(x, layer, 0, size)
    return ConvToFew(x, g.leave)


def texture(generator: Generator, image: Image.Image, sweeps: Sweeps) -> Rows:
    """See TextureGenerator.forward."""
    g = cast(TextureGenerator, generator)
    photo = Photo(image, texture_size(image.size), g.padding)
    random, mixed = torch.Generator().manual_seed(sweeps.seed), None
    for i, ratio in enumerate(RATIOS):
        size = photo.height // ratio, photo.width // ratio
        shape = 1, NOISE, *size
        z: Rows = Kept(torch.empty(shape, device="meta") if sweeps.plan else torch.randn(shape, generator=random))
        if g.colours:
            pooled = Pooled(photo, ratio, g.colours)
            z = Beside(pooled if ratio == 1 else sweeps.keep(pooled), z)
        branch = _block(sweeps, z, cast(ConvBlock, g.blocks[i]))
        if mixed is not None:
            join = cast(Join, g.joins[i - 1])
            coarse = sweeps.rescale(mixed, join.coarse.norm, size)
            fine = sweeps.rescale(branch, join.fine.norm)
            branch = _block(sweeps, Beside(coarse, fine), join.mix)
            del coarse, fine
        mixed = branch
        del branch, z
    assert mixed is not None
    return Conv(mixed, g.leave)


def texture_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height that the texture network pads to."""
    w, h = (max(2 * RATIOS[0], -(-side // RATIOS[0]) * RATIOS[0]) for side in size)
    return w, h


def _block(sweeps: Sweeps, x: Rows, block: ConvBlock) -> Rows:
    for layer in block.layers:
        if isinstance(layer, ConvNorm):
            x = sweeps.layer(x, layer, 0.01)
    return x


PROGRAMS: dict[type[Generator], Program] = {JohnsonGenerator: johnson, TextureGenerator: texture}
