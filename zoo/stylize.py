"""Stylize pictures: PIL in, PIL out. Generators load once a process and are shared between threads."""

import copy
import threading
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from zoo import folder
from zoo.catalog import Style, find, load
from zoo.errors import ConfigError, DeviceError, PhotoError, WeightsError
from zoo.images import fit_long_side, open_photo, to_image, to_tensor
from zoo.registry import MIN_SIDE
from zoo.texture_net import RATIOS

DEVICES = ("auto", "cpu", "cuda")

KEPT = 32  # generators in memory, those used last

_generators: dict[tuple, nn.Module] = {}
_loading: dict[tuple, threading.Lock] = {}
_lock = threading.Lock()


def pick_device(device: str = "auto") -> torch.device:
    """The torch device of "auto" (CUDA where present), "cpu" or "cuda". Raises DeviceError when there is no such."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device not in DEVICES:
        raise DeviceError(f"unknown device {device!r}: choose from {', '.join(DEVICES)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceError("device cuda was asked for, but torch sees no CUDA GPU here: use --device cpu or auto")
    return torch.device(device)


def shared_generator(style: Style, norm: str, device: torch.device) -> nn.Module:
    """The generator of a style on a device, loaded at its first use; again only when its weights file has changed."""
    where = folder.twin_folder(style.folder, norm).resolve()
    changed = tuple(path.stat().st_mtime_ns for path in sorted(where.glob("*.safetensors")))
    key = (where, changed, str(device))
    with _lock:
        own = _loading.setdefault(key, threading.Lock())
    with own:  # one thread loads a generator, which may mean downloading; the others paint on with theirs
        found = _generators.get(key)
        if found is None:
            found = _generators[key] = load(style, norm).to(device)
    with _lock:
        _generators[key] = _generators.pop(key, found)  # now the last that was used
        while len(_generators) > KEPT:
            oldest = next(iter(_generators))
            _loading.pop(oldest, None)
            del _generators[oldest]
    return found


def check_size(size: int | None) -> None:
    """Raise ConfigError unless a long side of `size` px (None: the photo's own) can be asked for."""
    if size is not None and size < MIN_SIDE:
        raise ConfigError(f"size must be at least {MIN_SIDE} px (the long side), got {size}")


def check_seed(seed: int) -> None:
    """Raise ConfigError unless noise can be drawn from that seed."""
    if not 0 <= seed < 2**63:
        raise ConfigError(f"a seed is a whole number from 0 to 2**63 - 1, got {seed}")


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
    Raises ZooError for an unknown style, norm or device, a style that paints no photos, or a picture that cannot be used.
    """
    check_size(size)
    style = find(style)
    generator = seeded(shared_generator(style, norm, pick_device(device)), seed)
    if generator.config.needs_no_photo:
        raise ConfigError(f"{style.slug} paints no photos, it makes tiles: python -m zoo texture {style.slug} -o tile.png")
    return paint(generator, photo, size)


def seeded(generator: nn.Module, seed: int) -> nn.Module:
    """The generator with another noise: one that shares its weights, as others may be painting with it.

    Raises ConfigError for a generator that has no noise.
    """
    check_seed(seed)
    if not seed:
        return generator
    if not hasattr(type(generator), "seed"):
        raise ConfigError(f"a {generator.config.architecture} generator has no noise to vary: leave the seed out")
    generator = copy.copy(generator)
    generator.seed = seed
    return generator


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
    generator = seeded(shared_generator(style, norm, pick_device(device)), seed)
    if not generator.config.needs_no_photo or generator.config.padding != "circular":
        raise ConfigError(
            f"{style.slug} is no seamless texture but a {generator.config.architecture} generator with "
            f"{generator.config.padding} padding: train one with python -m training.train --recipe texture"
        )
    return paint(generator, Image.new("RGB", (size, size)))


def paint(generator: nn.Module, photo: Image.Image | str | Path, size: int | None = None) -> Image.Image:
    """The photo as that generator paints it, wherever it is; size and errors as in `stylize`.

    Raises WeightsError when what it paints is not finite.
    """
    check_size(size)
    where = next(generator.parameters()).device
    image = fit_long_side(open_photo(photo), size)
    try:
        with torch.inference_mode():
            painted = generator(to_tensor(image).to(where, memory_format=torch.channels_last))
            finite = painted.isfinite().all().item()
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError) and "memory" not in str(error):
            raise
        w, h = image.size
        raise PhotoError(f"{w}×{h} px need more memory than there is: choose a smaller size, 2048 say") from error
    if not finite:
        raise WeightsError("what the generator paints is not finite, no picture: its weights are damaged, get the style anew")
    return to_image(painted)
