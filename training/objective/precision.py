"""Which precision computes faster here: bfloat16 where the processor or the GPU has instructions for it, float32 elsewhere."""

import time
from functools import cache

import torch
import torch.nn.functional as F

PRECISIONS = ("auto", "float32", "bfloat16")


def resolve(precision: str, device: torch.device | str) -> torch.dtype:
    """The dtype that a recipe's precision means on that device; "auto" is whichever computes a convolution faster."""
    return fastest(torch.device(device).type) if precision == "auto" else getattr(torch, precision)


@cache
def fastest(kind: str) -> torch.dtype:
    """bfloat16 or float32, by a trial of a few milliseconds on a processor, by what a GPU says of itself elsewhere.

    A processor without bfloat16 instructions emulates it, some ten times slower.
    """
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if kind != "cpu":
        return torch.float32
    seconds = {dtype: _seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    return torch.bfloat16 if seconds[torch.bfloat16] < 0.8 * seconds[torch.float32] else torch.float32


@torch.no_grad()
def _seconds(dtype: torch.dtype) -> float:
    """The least of five times of one 3×3 convolution, 64 channels at 64 px."""
    x = torch.rand(1, 64, 64, 64, dtype=dtype).to(memory_format=torch.channels_last)
    kernel = torch.rand(64, 64, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        F.conv2d(x, kernel, padding=1)
        times.append(time.perf_counter() - began)
    return min(times)
