"""The GPU engine: the residual generator's pictures in half precision, and with one call where a size comes again.

Wide convolutions compute in float16, whose maps are half as large; the first and the last, and with them the photo's own
contrast and the result, stay float32, and so do the statistics of norms. A narrow generator's picture of a few hundred px takes
a GPU less time than the processor takes to start its operations, one by one: they are recorded when a size comes for the second
time (a CUDA graph), and started at once from then on. What it paints is compared with the module's picture before it paints
anything else.
"""

import threading
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from zoo.engine.choice import GPU
from zoo.engine.convolutions import is_wide
from zoo.engine.sweeps import fold
from zoo.engine.torch_engine import kept_engines
from zoo.johnson import JohnsonGenerator
from zoo.layers import NORMS, ContrastNorm, InstanceNorm
from zoo.registry import Generator

RECORDS = 4  # sizes that are recorded, those that came last
REMEMBERED = 1000  # sizes of which it is known that they have come
LARGEST = 2**20  # pixels of a picture that is recorded: what is larger computes for longer, and a record keeps its maps
TRIAL = 96, 128  # height and width of what is compared, in px
LEVELS, SHARE = 2, 0.999  # of 255 that a value may be off, and how many values must not be more


class GpuEngine:
    """Paints what `generator` would, where it is. Its weights are those of now: a copy is made."""

    def __init__(self, generator: Generator):
        self._generator = fold(generator)
        for name, module in list(self._generator.named_modules()):
            if isinstance(module, InstanceNorm):
                parent, _, last = name.rpartition(".")
                setattr(self._generator.get_submodule(parent), last, _OneNorm(module))
            elif isinstance(module, nn.Conv2d):
                if is_wide(module):
                    module.half()
                module.register_forward_pre_hook(lambda conv, x: (x[0].to(conv.weight.dtype),))
        self._lock, self._records_more = threading.Lock(), True
        self._seen: set[torch.Size] = set()
        self._records: dict[torch.Size, _Record] = {}

    @staticmethod
    def knows(generator: Generator) -> bool:
        """Whether it can paint as this generator does, faster than its `forward`."""
        norms = [module for module in generator.modules() if isinstance(module, NORMS)]
        there = next(generator.parameters()).device.type == "cuda"
        return there and isinstance(generator, JohnsonGenerator) and not any(isinstance(norm, ContrastNorm) for norm in norms)

    @torch.inference_mode()
    def paint(self, photo: torch.Tensor) -> torch.Tensor:
        """1×3×H×W float32 in [0, 1], in and out, on the generator's device; does not wait for it."""
        if photo[0, 0].numel() <= LARGEST:
            with self._lock:  # a record has one photo and one picture
                if record := self._record_for(photo):
                    return record.paint(photo)
        return cast(torch.Tensor, self._generator(photo))

    def _record_for(self, photo: torch.Tensor) -> "_Record | None":
        """The record for pictures of that size; None for one that comes for the first time, or cannot be recorded."""
        size = photo.shape
        record = self._records.pop(size, None)
        if record is None and self._records_more and size in self._seen:
            try:
                record = _Record(self._generator, photo)
            except (RuntimeError, ValueError):  # memory that ran out, or what cannot be recorded: so it would be again
                self._records_more = False
                self._records.clear()
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen.add(size)
        if record:
            self._records[size] = record  # now the last
            if len(self._records) > RECORDS:
                del self._records[next(iter(self._records))]
        return record


class _Record:
    """All operations of one picture, recorded."""

    def __init__(self, generator: nn.Module, photo: torch.Tensor):
        self._photo, aside = photo.clone(), torch.cuda.Stream(photo.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(photo.device))
        with torch.cuda.stream(aside):  # libraries set themselves up at the first pictures, which cannot be recorded
            for _ in range(2):
                generator(self._photo)
        self._graph = torch.cuda.CUDAGraph()
        # On the stream that they were set up on. "thread_local": what other threads do meanwhile is their own matter.
        with torch.cuda.graph(self._graph, stream=aside, capture_error_mode="thread_local"):
            self._picture = generator(self._photo)
        torch.cuda.current_stream(photo.device).wait_stream(aside)

    def paint(self, photo: torch.Tensor) -> torch.Tensor:
        self._photo.copy_(photo)
        self._graph.replay()
        return self._picture.clone()


class _OneNorm(nn.Module):
    """Instance norm of one picture, as a kernel that takes float16 and gathers its statistics in float32, in two passes or
    Welford's way: exact where contrast is low."""

    def __init__(self, norm: InstanceNorm):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """1×C×H×W features; the same shape and type."""
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def gpu_engine(generator: Generator) -> GpuEngine | None:
    """The engine of a generator, made anew when its weights have changed; None where its pictures would be others."""
    engines = kept_engines(generator)
    if GPU not in engines:
        made = GpuEngine(generator)
        engines[GPU] = made if paints_alike(generator, made) else None
    return engines[GPU]


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
