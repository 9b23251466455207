"""A Painter paints: it owns a device and the generators it has loaded, which threads and forked processes share."""

import copy
import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral
from pathlib import Path

import torch
from PIL import Image

from zoo import folder, memory
from zoo.catalog import find, load, sound_styles, with_weights
from zoo.device import CPU, pick_device
from zoo.engine.painting import ANY, Manner, Painted, paint_fast, paint_plainly
from zoo.errors import ConfigError, shorten
from zoo.images import open_photo, scale
from zoo.registry import MIN_SIDE, Generator
from zoo.style import Style

KEPT = 32  # generators in memory, those used last


def check_size(size: int | None) -> None:
    """Raise ConfigError unless a long side of `size` px (None: the photo's own) can be asked for."""
    if size is not None and not (isinstance(size, Integral) and size >= MIN_SIDE):
        raise ConfigError(f"size is a whole number of at least {MIN_SIDE} px (the long side), got {shorten(size)}")


class Painter:
    """Paints photos in styles on one device ("auto": a GPU where there is one). Raises DeviceError when there is no such."""

    def __init__(self, device: str = "auto"):
        self.device = pick_device(device)
        self._kept: dict[tuple[Path, tuple[int, ...], str], Generator] = {}
        self.renew_locks()

    def renew_locks(self) -> None:
        """Let go of every lock: in a forked process, where the thread that held one does not exist."""
        self._lock = threading.Lock()
        self._loading: dict[tuple[Path, tuple[int, ...], str], threading.Lock] = {}

    def paint(
        self,
        photo: Image.Image | str | Path,
        style: Style,
        norms: tuple[str, ...] = ("instance",),
        size: int | None = None,
        manner: Manner = ANY,
    ) -> dict[str, Painted]:
        """The photo painted with each of the norms, by norm; sizes and errors as in `zoo.stylize`.

        A stroke keeps its length in pixels: for another, as a share of it, `manner.strokes`, the photo is painted larger or
        smaller by so much, and brought back.
        """
        check_size(size)
        generators = {norm: self.generator(style, norm) for norm in norms}
        for generator in generators.values():
            if not generator.takes_photo:
                slug = style.slug
                raise ConfigError(f"{slug} paints no photos, it makes tiles: python -m zoo texture {slug} -o tile.png")
        image = open_photo(photo, size)
        canvas = image if manner.strokes == 1 else scale(image, 1 / manner.strokes)
        painted = {
            norm: paint_fast(each, canvas, replace(manner, name=f"{style.slug} ({norm} norm)"))
            for norm, each in generators.items()
        }
        if canvas is image:
            return painted
        lanczos = Image.Resampling.LANCZOS
        return {norm: replace(one, image=one.image.resize(image.size, lanczos)) for norm, one in painted.items()}

    def generator(self, style: Style, norm: str) -> Generator:
        """The generator of a style, loaded at its first use, and again only when its weights file has changed."""
        return self._load(style, norm, self.device)

    def load(self, style: Style, norms: Iterable[str], **limits: float) -> dict[str, Generator]:
        """The generators of those norms in main memory, by norm, downloading what is missing within the limits of hub.pull:
        from now on they are there, for processes forked meanwhile, too."""
        return {norm: self._load(with_weights(style, norm, **limits), norm, CPU, **limits) for norm in norms}

    def _load(self, style: Style, norm: str, device: torch.device, **limits: float) -> Generator:
        where = folder.twin_folder(style.folder, norm).resolve()
        changed = tuple(path.stat().st_mtime_ns for path in sorted(where.glob("*.safetensors")) if os.path.isfile(path))
        key = (where, changed, str(device))
        with self._lock:
            own = self._loading.setdefault(key, threading.Lock())
        with own:  # one thread loads a generator, which may mean downloading; the others paint on with theirs
            found = self._kept.get(key)
            if found is None:
                found = load(style, norm, **limits) if device == CPU else copy.deepcopy(self._load(style, norm, CPU)).to(device)
                self._kept[key] = found
        with self._lock:
            self._kept[key] = self._kept.pop(key, found)  # now the last that was used
            while len(self._kept) > KEPT:
                oldest = next(iter(self._kept))
                self._loading.pop(oldest, None)
                del self._kept[oldest]
        return found


_painters: dict[str, Painter] = {}


def painter(device: str = "auto") -> Painter:
    """The one Painter of a device in this process. Raises DeviceError when there is no such device."""
    where = str(pick_device(device))
    return _painters.get(where) or _painters.setdefault(where, Painter(where))


def _after_fork() -> None:
    memory.forget()
    for one in _painters.values():
        one.renew_locks()
    if _painters:  # OpenMP's threads did not come along: to work with more than one would be to wait for them forever
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def stylize(
    photo: Image.Image | str | Path,
    style: str | Path | Style,
    norm: str = "instance",
    size: int | None = None,
    device: str = "auto",
    seed: int = 0,
    engine: str = "auto",
) -> Image.Image:
    """The photo, painted. An RGB image, the photo's own size or reduced to a long side of `size` px (never enlarged).

    Batch norm uses its running statistics, the paper's baseline; instance norm the picture's own (eq. 3). `seed` chooses
    among the variations of a generator that has noise. `engine` computes it, on a processor: see zoo/engine; the picture is the
    same within rounding.
    Raises ZooError for an unknown style, norm or device, a style that paints no photos, a picture that cannot be used, or one
    that would take more memory than may be had (zoo/memory.py).
    """
    check_size(size)
    return painter(device).paint(photo, find(style), (norm,), size, Manner(engine, seed=seed))[norm].image


def texture(
    style: str | Path | Style, size: int = 512, seed: int = 0, norm: str = "instance", device: str = "auto"
) -> Image.Image:
    """A seamless tile of size×size px out of noise alone (Ulyanov et al. 2016), by a style trained for it.

    Another `seed` gives another tile. Raises ConfigError for a style that paints photos, is not padded circularly, or for
    a size that is no multiple of the coarsest scale; other ZooErrors as `stylize`.
    """
    style, painting = find(style), painter(device)
    generator = painting.generator(style, norm)
    if generator.takes_photo or generator.config.padding != "circular":
        there = ", ".join(one.slug for one in sound_styles()[0] if not one.takes_photo)
        raise ConfigError(
            f"{style.slug} is no seamless texture but a {generator.config.architecture} generator with "
            f"{generator.config.padding} padding: {there and f'try {there}, or '}train one with "
            "python -m training.train --recipe texture"
        )
    step = generator.tile_step
    if size < 2 * step or size % step:
        near = max(2 * step, round(size / step) * step)
        raise ConfigError(f"a seamless tile has a multiple of {step} px, at least {2 * step}: {size} is none, {near} is")
    memory.check(memory.whole(generator.config), (size, size), memory.allowance(painting.device))
    return paint(generator, Image.new("RGB", (size, size)), seed=seed)


def paint(generator: Generator, photo: Image.Image | str | Path, size: int | None = None, seed: int = 0) -> Image.Image:
    """The photo as that generator paints it, wherever it is; size, seed and errors as in `zoo.stylize`."""
    check_size(size)
    return paint_plainly(generator, open_photo(photo, size), Manner(seed=seed)).image
