"""The torch engine: a generator's pictures with less work and in bounded memory, at any size.

What a generator's own `forward` computes map by map is computed here in strips of rows that fit the processor's cache; batch
norm lies in the convolutions, the other norms are one scale and shift, enlarging and 3×3 are four 2×2 convolutions, nothing is
padded by a copy of its own. The same weights, the same picture within rounding: float32's, or that of bfloat16, in which wide
convolutions may compute (all but the first and the last of a residual generator); they add up in float32.
"""

import weakref
from typing import Any, cast

import torch
from PIL import Image
from torch import nn

from zoo.engine.convolutions import is_wide
from zoo.engine.programs import PROGRAMS
from zoo.engine.sweeps import KNOWN, STRIP, WORKING, Smooth, Statistics, Sweeps, Take, Tell, fold
from zoo.frozen import with_statistics
from zoo.layers import NORMS, InstanceNorm
from zoo.registry import Generator

LEVELS = (0, 1, 2, 3)  # keep every map, those of half the height, those of a quarter, none but a residual generator's sum


class TorchEngine:
    """Paints what `generator` would, on the processor, with wide kernels of that dtype. Its weights are those of now: a copy is
    made."""

    def __init__(self, generator: Generator, dtype: torch.dtype = torch.float32):
        self._generator = cast(Generator, fold(generator))
        for module in self._generator.modules():
            if isinstance(module, nn.Conv2d) and is_wide(module):
                module.weight.data = module.weight.data.to(dtype)
        self._program = PROGRAMS[type(generator)]
        self._plans: dict[tuple[tuple[int, int], int], tuple[float, int]] = {}

    @staticmethod
    def knows(generator: Generator) -> bool:
        """Whether it can paint as this generator does."""
        norms = [module for module in generator.modules() if isinstance(module, NORMS)]
        here = all(p.device.type == "cpu" for p in generator.parameters())
        return here and type(generator) in PROGRAMS and all(isinstance(norm, KNOWN) for norm in norms)

    def plan(self, size: tuple[int, int], level: int) -> tuple[float, int]:
        """Multiplications, and bytes of memory with image and result, for a picture of width×height px at that level."""
        if (size, level) in self._plans:
            return self._plans[size, level]
        sweeps = Sweeps(size[1], level)
        end = self._program(self._generator, _Blank(size), sweeps)
        sweeps.finish(end, lambda a, x: None, size[1])
        # Pillow's pixels take 4 bytes; the result is an array of 3 at the last sweep, then copied.
        pixels, last = size[0] * size[1], sweeps.held
        most = max(sweeps.most + 4 * pixels, last + 7 * pixels, 12 * pixels) + int(WORKING * max(STRIP, sweeps.strip))
        if len(self._plans) > 100:
            self._plans.clear()
        self._plans[size, level] = sweeps.work, most
        return sweeps.work, most

    def costs(self, size: tuple[int, int]) -> list[int]:
        """Bytes that a picture of width×height px takes at each level."""
        return [self.plan(size, level)[1] for level in LEVELS]

    def paint(
        self,
        image: Image.Image,
        take: Take,
        level: int = 0,
        tell: Tell | None = None,
        seed: int = 0,
        smooth: Smooth | None = None,
    ) -> dict[nn.Module, Statistics]:
        """Hand over the picture of an RGB image in strips: the first row and 1×3×n×W in [0, 1]. Returns the statistics of each
        norm that takes the picture's own."""
        with torch.inference_mode():
            work, _ = self.plan(image.size, level)
            sweeps = Sweeps(image.height, level, tell, work)
            sweeps.seed, sweeps.smooth = seed, smooth
            last = self._program(self._generator, image, sweeps)
            sweeps.finish(last, lambda a, x: take(a, torch.sigmoid(x[..., : image.width])), image.height)
        return sweeps.found

    def frozen(self, image: Image.Image, take: Take = lambda a, x: None, level: int = 0, seed: int = 0) -> Generator:
        """A copy of the generator whose instance norms have the statistics of this RGB image, which is painted for them."""
        found = self.paint(image, take, level, seed=seed)
        norms = {name: m for name, m in self._generator.named_modules() if isinstance(m, InstanceNorm)}
        return with_statistics(self._generator, {name: found[norm].moments() for name, norm in norms.items()})


_made: "weakref.WeakKeyDictionary[Generator, tuple[object, dict[object, Any]]]" = weakref.WeakKeyDictionary()


def kept_engines(generator: Generator) -> dict[object, Any]:
    """The engines made of a generator, as long as neither its weights change nor the style that is chosen among its own."""
    state = [(t.data_ptr(), 0 if t.is_inference() else t._version) for t in (*generator.parameters(), *generator.buffers())]
    state += [(getattr(module, "chosen", 0), 0) for module in generator.modules()]
    found = _made.get(generator)
    if found is None or found[0] != state:
        found = _made[generator] = state, {}
    return found[1]


def torch_engine(generator: Generator, dtype: torch.dtype = torch.float32) -> TorchEngine:
    """The engine of a generator, made anew when its weights have changed, or the style that is chosen among its own."""
    engines = kept_engines(generator)
    if dtype not in engines:
        engines[dtype] = TorchEngine(generator, dtype)
    return cast(TorchEngine, engines[dtype])


class _Blank(Image.Image):
    """A picture that has a size and nothing else."""

    def __init__(self, size: tuple[int, int]):
        super().__init__()
        self._size = size
