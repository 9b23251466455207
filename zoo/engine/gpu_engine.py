"""The GPU engine: the residual generator's pictures in half precision, and with one call where a size comes again.

Wide convolutions compute in float16, whose maps are half as large; the first and the last, and with them the photo's own
contrast and the result, stay float32, and so do the statistics of norms. A narrow generator's picture of a few hundred px takes
a GPU less time than the processor takes to start its operations, one by one: when two pictures of a size come one after the
other, as a camera's and a film's do, they are recorded (a CUDA graph), and started at once from then on. What it paints is
compared with the module's picture before it paints anything else.
"""

import threading
from collections import OrderedDict
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn

from zoo.engine.choice import GPU
from zoo.engine.convolutions import is_wide
from zoo.engine.sweeps import fold
from zoo.engine.torch_engine import kept_engines
from zoo.johnson import JohnsonGenerator
from zoo.layers import NORMS, ContrastNorm, ConvNorm, InstanceNorm
from zoo.registry import Generator

RECORDS = 8  # kept of all engines, those used last
LARGEST = 2**20  # pixels of a picture that is recorded: what is larger computes for longer than it takes to start
TRIAL = 96, 128  # height and width of what is compared, in px
LEVELS, SHARE = 2, 0.999  # of 255 that a value may be off, and how many values must not be more
_making = threading.Lock()


class GpuEngine:
    """Paints what `generator` would, where it is. Its weights are those of now: a copy is made."""

    def __init__(self, generator: Generator):
        self.generator = fold(generator)
        for module in list(self.generator.modules()):
            if isinstance(module, ConvNorm) and isinstance(module.norm, InstanceNorm):
                module.norm = _OneNorm(module.norm)
            elif isinstance(module, nn.Conv2d):
                _narrow(module)
        self._last = torch.Size()

    @staticmethod
    def knows(generator: Generator) -> bool:
        """Whether it can paint as this generator does, faster than its `forward`."""
        norms = [module for module in generator.modules() if isinstance(module, NORMS)]
        there = next(generator.parameters()).device.type == "cuda"
        return there and isinstance(generator, JohnsonGenerator) and not any(isinstance(norm, ContrastNorm) for norm in norms)

    @torch.inference_mode()
    def paint(self, photo: torch.Tensor) -> torch.Tensor:
        """1×3×H×W float32 in [0, 1], in and out, on the generator's device; does not wait for it."""
        again, self._last = photo.shape == self._last, photo.shape
        if photo[0, 0].numel() <= LARGEST:
            painted = RECORDER.paint(self, photo, again)
            if painted is not None:
                return painted
        try:
            return cast(torch.Tensor, self.generator(photo))
        except torch.OutOfMemoryError:  # what records keep is nobody else's
            RECORDER.forget()
            return cast(torch.Tensor, self.generator(photo))


class Recorder:
    """What engines have recorded: one at a time records or paints, as all use the same memory."""

    def __init__(self) -> None:
        self._lock, self._works = threading.Lock(), True
        self._pool: Any = None
        self._kept: OrderedDict[tuple[GpuEngine, torch.Size], _Record] = OrderedDict()

    def paint(self, engine: GpuEngine, photo: torch.Tensor, again: bool) -> torch.Tensor | None:
        """The picture by a record, which is made where that size comes `again`; None where there is none."""
        key = engine, photo.shape
        with self._lock:
            if key not in self._kept:
                if not (again and self._works):
                    return None
                try:
                    self._pool = self._pool or torch.cuda.graph_pool_handle()
                    self._kept[key] = _Record(engine.generator, photo, self._pool)
                except torch.OutOfMemoryError:
                    self._forget()
                    return None
                except (RuntimeError, ValueError):  # so it would be the next time, and it may have cost torch its order
                    self._works = False
                    self._forget()
                    return None
                if len(self._kept) > RECORDS:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key].paint(photo)

    def forget(self) -> None:
        """Give back the memory of all records."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._kept.clear()
        self._pool = None
        torch.cuda.empty_cache()


RECORDER = Recorder()


class _Record:
    """All operations of one picture, recorded with maps of that pool: what they leave there is copied before others paint."""

    def __init__(self, generator: nn.Module, photo: torch.Tensor, pool: Any):
        self._photo, aside = photo.clone(), _aside(photo.device)
        aside.wait_stream(torch.cuda.current_stream(photo.device))
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(aside):
            for _ in range(2):  # libraries set themselves up at the first pictures, which cannot be recorded
                generator(self._photo)
            # "thread_local": what other threads do meanwhile is their own matter
            with torch.cuda.graph(self._graph, pool, aside, capture_error_mode="thread_local"):
                self._picture = generator(self._photo)
        torch.cuda.current_stream(photo.device).wait_stream(aside)

    def paint(self, photo: torch.Tensor) -> torch.Tensor:
        self._photo.copy_(photo)
        self._graph.replay()
        return self._picture.clone()


_streams: dict[torch.device, torch.cuda.Stream] = {}


def _aside(device: torch.device) -> torch.cuda.Stream:
    """The stream of all records of a device, as those with the same pool must have the same."""
    if device not in _streams:
        _streams[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return _streams[device]


def _narrow(conv: nn.Conv2d) -> None:
    """Have a convolution compute in float16 where that pays, and keep channels-last: reflection padding on a GPU does not."""
    if is_wide(conv):
        conv.half()
    pad = conv.kernel_size[0] // 2 if conv.padding_mode == "reflect" else 0
    if pad:
        conv.padding, conv.padding_mode = (0, 0), "zeros"

    def before(conv: nn.Conv2d, x: tuple[torch.Tensor]) -> torch.Tensor:
        there = x[0].to(conv.weight.dtype)
        if not pad:
            return there
        lines = F.pad(there.permute(0, 2, 3, 1).unsqueeze(1), (0, 0, pad, pad, pad, pad), mode="reflect")
        return lines.squeeze(1).permute(0, 3, 1, 2)

    conv.register_forward_pre_hook(before)


class _OneNorm(nn.Module):
    """Instance norm of one picture, by torch's own kernel for batch norm, whatever else there is: it takes float16 and gathers
    its statistics in float32 by Welford's method, exact where contrast is low."""

    def __init__(self, norm: InstanceNorm):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """1×C×H×W features; the same shape and type."""
        return torch.native_batch_norm(x, self.weight, self.bias, None, None, True, 0.0, self.eps)[0]


def gpu_engine(generator: Generator) -> GpuEngine | None:
    """The engine of a generator, made anew when its weights have changed; None where its pictures would be others."""
    with _making:
        engines = kept_engines(generator)
        if GPU not in engines:
            made = GpuEngine(generator)
            engines[GPU] = made if paints_alike(generator, made) else None
        return cast(GpuEngine | None, engines[GPU])


@torch.inference_mode()
def paints_alike(generator: Generator, engine: GpuEngine) -> bool:
    """Whether the engine's pictures are the generator's within rounding, at full contrast and at a tenth of it."""
    where, noise = next(generator.parameters()).device, torch.Generator().manual_seed(0)
    photo = torch.rand(1, 3, *TRIAL, generator=noise).to(where, memory_format=torch.channels_last)
    for contrast in (1.0, 0.1):
        faded = 0.5 + contrast * (photo - 0.5)
        off = (engine.paint(faded) - generator(faded)).abs()
        if not (off <= LEVELS / 255).float().mean() >= SHARE:  # one that is not finite is no picture either
            return False
    return True
