"""One picture by the fastest engine that is there, within the memory that may be had."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from numbers import Integral
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from zoo import memory
from zoo.device import CPU, is_out_of_memory
from zoo.engine.choice import GPU, MODULE, TORCH, candidates, check_engine, fastest_engine
from zoo.engine.gpu_engine import GpuEngine, gpu_engine
from zoo.engine.quick import Away, freeze, thumbnail_of
from zoo.engine.runtimes import RUNTIMES, runtime
from zoo.engine.sweeps import Smooth, Tell
from zoo.engine.torch_engine import TorchEngine, torch_engine
from zoo.errors import ConfigError, PhotoError, WeightsError, shorten
from zoo.images import to_image, to_tensor
from zoo.layers import InstanceNorm
from zoo.registry import Generator

STROKES = 0.25, 4.0  # shares of the usual length that may be asked for


def check_seed(seed: object) -> int:
    """The same, a seed that noise can be drawn from. Raises ConfigError for another."""
    # torch's generator looks at no more bits: seeds beyond would draw what others draw
    if not (isinstance(seed, Integral) and 0 <= int(seed) < 2**32):
        raise ConfigError(f"a seed is a whole number from 0 to 2**32 - 1, got {shorten(seed)}")
    return int(seed)


def check_strokes(strokes: object) -> float:
    """The same, a share of the usual length. Raises ConfigError unless it lies in STROKES."""
    low, high = STROKES
    if isinstance(strokes, bool) or not isinstance(strokes, (int, float)) or not low <= strokes <= high:
        raise ConfigError(f"strokes are a share of the usual length, {low:g} to {high:g}, got {shorten(strokes)}")
    return strokes


@dataclass(frozen=True)
class Manner:
    """How to paint: by which engine ("auto": the fastest there is), whom to tell how far it is, with the noise of which seed,
    as whose work, for an error, what becomes of instance norm's statistics (see zoo/calm.py), how long strokes are, as a share
    of the usual (of `Painter.paint` alone), and whether large pictures take a thumbnail's statistics (zoo/engine/quick.py).

    Raises ConfigError for values out of range, and what does not go together.
    """

    engine: str = "auto"
    tell: Tell | None = None
    seed: int = 0
    name: str = "the generator"
    smooth: Smooth | None = None
    strokes: float = 1.0
    quick: bool = False

    def __post_init__(self) -> None:
        check_engine(self.engine)
        check_strokes(self.strokes)
        if self.fixes and self.engine in RUNTIMES:
            how = "smoothed" if self.smooth else "a thumbnail's"
            raise ConfigError(f"the engine {self.engine} gives no access to statistics, which are to be {how}: choose torch")
        if self.smooth and self.quick:
            raise ConfigError("statistics are smoothed over frames or a thumbnail's, not both: leave out one")
        check_seed(self.seed)

    @property
    def fixes(self) -> bool:
        """Whether statistics are others than a norm's own."""
        return bool(self.smooth or self.quick)


ANY = Manner()


@dataclass(frozen=True)
class Painted:
    """One result: an RGB image, the seconds that painting it took, loading and waiting left out, the engine's name, and of one
    with a thumbnail's statistics how far it is from the exact one."""

    image: Image.Image
    seconds: float
    engine: str = MODULE
    away: Away | None = None


def costs(generator: Generator) -> memory.Costs:
    """Bytes that painting takes, by the ways in which `paint_fast` may do it."""
    if not TorchEngine.knows(generator):
        return memory.whole(generator.config)
    return torch_engine(generator).costs


def paint_fast(generator: Generator, image: Image.Image, manner: Manner = ANY) -> Painted:
    """An RGB image as that generator paints it, the same within rounding as its own `forward`; at any size, if need be slower.

    Raises ConfigError for a seed where there is no noise, WeightsError when what it paints is no picture, PhotoError when not
    even the way that takes the least memory fits.
    """
    engine = _engine(generator, manner)
    if engine == MODULE:
        return paint_plainly(generator, image, manner)
    _check_noise(generator, manner)
    if engine == GPU:
        with _enough_memory(image):
            half = gpu_engine(generator)
        with suppress(WeightsError):  # numbers beyond float16's largest: the module says whether they are the weights' fault
            if half:
                return _paint_whole(half.paint, engine, generator, image, manner)
        return paint_plainly(generator, image, manner)
    if manner.quick and (thumbnail := thumbnail_of(generator, image)):
        return _paint_quickly(generator, image, thumbnail, replace(manner, engine=engine, quick=False))
    if engine in RUNTIMES and (other := runtime(engine, generator)) is not None:
        needed = memory.peak_bytes(generator.config, image.size)
        if needed <= memory.allowance(CPU, needed):  # else in strips

            def forward(photo: torch.Tensor) -> torch.Tensor:
                return torch.from_numpy(other.paint(photo.contiguous().numpy()))

            return _paint_whole(forward, other.name, generator, image, manner)
    computing = torch_engine(generator, torch.bfloat16 if engine == "bfloat16" else torch.float32)
    with _enough_memory(image), memory.budget(CPU).spend(computing.costs, image.size) as level:
        started, pixels, verdict = time.perf_counter(), np.empty((image.height, image.width, 3), np.uint8), Verdict()

        def take(row: int, x: torch.Tensor) -> None:
            verdict.add(x)
            if verdict.finite:
                pixels[row : row + x.shape[2]] = np.rint(255 * x[0].permute(1, 2, 0).numpy())  # a fifth of torch's time

        computing.paint(image, take, level, manner.tell, manner.seed, manner.smooth)
        seconds = time.perf_counter() - started
        verdict.give(image, manner.name)
        return Painted(Image.fromarray(pixels), seconds, engine if engine in TORCH else TORCH[0])


def _paint_quickly(generator: Generator, image: Image.Image, thumbnail: Image.Image, manner: Manner) -> Painted:
    with _enough_memory(image), memory.budget(CPU).spend(costs(generator), thumbnail.size) as level:
        started, factor = time.perf_counter(), thumbnail.width / image.width
        fixed, away = freeze(generator, thumbnail, factor, level, manner.seed)
        seconds = time.perf_counter() - started
    painted = paint_fast(fixed, image, manner)
    return replace(painted, seconds=painted.seconds + seconds, away=away)


def _engine(generator: Generator, manner: Manner) -> str:
    """The engine to paint with in that manner."""
    where = next(generator.parameters()).device
    if not TorchEngine.knows(generator) and (manner.fixes or not GpuEngine.knows(generator)):
        return MODULE

    def paint(engine: str, side: int) -> bool:
        trial = Image.effect_noise((side, side), 64).convert("RGB")
        return paint_fast(generator, trial, Manner(engine, name=manner.name)).engine == engine

    config, engine = generator.config, manner.engine
    if engine == "auto":
        engine = fastest_engine(f"{config.architecture} of width {config.width}, {config.norm} norm", paint, where)
    if (engine == GPU) != (where.type == "cuda"):
        engine = candidates(where.type)[0]  # what the device has instead
    return TORCH[0] if manner.fixes and engine in RUNTIMES else engine


def paint_plainly(generator: Generator, image: Image.Image, manner: Manner = ANY) -> Painted:
    """An RGB image as that generator's own `forward` paints it, wherever it is; errors as of `paint_fast`."""
    _check_noise(generator, manner)
    noise = generator.noise(manner.seed)

    def forward(photo: torch.Tensor) -> torch.Tensor:
        with _smoothed(generator, manner.smooth) if manner.smooth else nullcontext():
            return cast(torch.Tensor, generator(photo, **noise))

    return _paint_whole(forward, Painted.engine, generator, image, manner)


def _paint_whole(
    forward: Callable[[torch.Tensor], torch.Tensor], engine: str, generator: Generator, image: Image.Image, manner: Manner
) -> Painted:
    """An RGB image by a `forward` like that generator's, from 1×3×H×W to the same, all of it at once."""
    where, verdict = next(generator.parameters()).device, Verdict()
    costs = memory.whole(generator.config)
    with _enough_memory(image), memory.budget(where).spend(costs, image.size), torch.inference_mode():
        started = time.perf_counter()
        painted = forward(to_tensor(image, where))
        verdict.add(painted)  # which waits for a GPU
        seconds = time.perf_counter() - started
    verdict.give(image, manner.name)
    return Painted(to_image(painted), seconds, engine)


@contextmanager
def _smoothed(generator: Generator, smooth: Smooth) -> Iterator[None]:
    """Inside, instance norm uses what `smooth` makes of a picture's statistics."""

    def again(norm: nn.Module, x: tuple[torch.Tensor], normalized: torch.Tensor) -> torch.Tensor:
        assert isinstance(norm, InstanceNorm)
        variance, mean = torch.var_mean(x[0], (0, 2, 3), correction=0)
        return F.batch_norm(x[0], *smooth(mean, variance), norm.weight, norm.bias, eps=norm.eps)

    handles = [norm.register_forward_hook(again) for norm in generator.modules() if isinstance(norm, InstanceNorm)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _check_noise(generator: Generator, manner: Manner) -> None:
    if manner.seed and not generator.has_noise:
        raise ConfigError(f"a {generator.config.architecture} generator has no noise to vary: leave the seed out")


class Verdict:
    """Whether what is painted, strip by strip, is a picture."""

    def __init__(self) -> None:
        self.finite, self._grey = True, False

    def add(self, painted: torch.Tensor) -> None:
        """Look at 1×3×n×W that should lie in [0, 1]."""
        self.finite = self.finite and all(bool(end.isfinite()) for end in painted.aminmax())  # a NaN makes both ends NaN
        self._grey = self._grey or bool(((painted - 0.5).abs() <= 0.5 - 0.5 / 255).any())

    def give(self, photo: Image.Image, name: str) -> None:
        """Raise WeightsError when what the generator of that name painted of a photo is none."""
        problem = None if self.finite else "not finite"
        # what weights that are far too large paint; of a photo of a single colour it may be right
        if (
            self.finite
            and not self._grey
            and any(low != high for low, high in cast(tuple[tuple[int, int], ...], photo.getextrema()))
        ):
            problem = "white or black everywhere"
        if problem:
            raise WeightsError(f"what {name} paints is {problem}, no picture: its weights are damaged, get the style anew")


@contextmanager
def _enough_memory(image: Image.Image) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        w, h = image.size
        raise PhotoError(f"{w}×{h} px need more memory than there is: choose a smaller size, 2048 say") from error
