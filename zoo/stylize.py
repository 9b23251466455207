"""Stylize pictures: PIL in, PIL out."""

from pathlib import Path

from PIL import Image

from zoo import memory
from zoo.catalog import find
from zoo.errors import ConfigError
from zoo.painter import check_size, paint, painter
from zoo.style import Style
from zoo.texture_net import RATIOS


def stylize(
    photo: Image.Image | str | Path,
    style: str | Path | Style,
    norm: str = "instance",
    size: int | None = None,
    device: str = "auto",
    seed: int = 0,
) -> Image.Image:
    """The photo, painted. An RGB image, the photo's own size or reduced to a long side of `size` px (never enlarged).

    Batch norm uses its running statistics, the paper's baseline; instance norm the picture's own (eq. 3). `seed` chooses
    among the variations of a generator that has noise.
    Raises ZooError for an unknown style, norm or device, a style that paints no photos, a picture that cannot be used, or one
    that would take more memory than may be had (zoo/memory.py).
    """
    check_size(size)
    return painter(device).paint(photo, find(style), (norm,), size, seed)[norm].image


def texture(
    style: str | Path | Style, size: int = 512, seed: int = 0, norm: str = "instance", device: str = "auto"
) -> Image.Image:
    """A seamless tile of size×size px out of noise alone (Ulyanov et al. 2016), by a style trained for it.

    Another `seed` gives another tile. Raises ConfigError for a style that paints photos, is not padded circularly, or for
    a size that is no multiple of the coarsest scale; other ZooErrors as `stylize`.
    """
    style, step = find(style), RATIOS[0]
    if size < 2 * step or size % step:
        near = max(2 * step, round(size / step) * step)
        raise ConfigError(f"a seamless tile has a multiple of {step} px, at least {2 * step}: {size} is none, {near} is")
    painting = painter(device)
    generator = painting.generator(style, norm, seed)
    if generator.takes_photo or generator.config.padding != "circular":
        raise ConfigError(
            f"{style.slug} is no seamless texture but a {generator.config.architecture} generator with "
            f"{generator.config.padding} padding: train one with python -m training.train --recipe texture"
        )
    memory.check(generator.config, (size, size), painting.device)
    return paint(generator, Image.new("RGB", (size, size)))
