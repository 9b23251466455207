"""Where tensors are computed: which devices there are, what is said to each of them differently, what they compute fastest."""

import errno
import time
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F

from zoo.errors import DeviceError, shorten

CPU = torch.device("cpu")
DEVICES = ("auto", "cpu", "cuda", "mps")
HELP = "auto takes a GPU where there is one, NVIDIA's (cuda) or Apple's (mps) (default: auto)"
_MISSING = {"cuda": "torch sees no CUDA GPU here", "mps": "torch sees no GPU of Apple's here"}
# What torch says of memory on other devices than NVIDIA's, and libraries beneath it; of errors that are plain RuntimeErrors.
_OUT_OF_MEMORY = (
    "out of memory", "can't allocate memory", "Cannot allocate memory", "not enough memory", "std::bad_alloc",
    "Invalid buffer size",  # Apple's, of one that is larger than the GPU may have
    "_STATUS_ALLOC_FAILED", "_ALLOCATION_FAILED",  # cuBLAS and cuDNN; cuDNN 9, of the host and of the device
)  # fmt: skip


def pick_device(device: str = "auto") -> torch.device:
    """The torch device of "auto" (a GPU where there is one), "cpu", "cuda" or "mps". Raises DeviceError where it is missing."""
    if device not in DEVICES:
        raise DeviceError(f"unknown device {shorten(device)}: choose from {', '.join(DEVICES)}")
    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True,
    }  # fmt: skip
    if device == "auto":
        device = next(kind for kind, is_there in there.items() if is_there())
    if not there[device]():
        raise DeviceError(f"device {device} was asked for, but {_MISSING[device]}: use --device cpu or auto")
    return torch.device(device)


def device_name(device: torch.device) -> str:
    """What computes there, in words: the GPU's name, or how many threads of the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else f"{torch.get_num_threads()} CPU threads"


def synchronize(device: torch.device) -> None:
    """Wait until what was asked of the device is done: before a clock is read."""
    torch.get_device_module(device).synchronize()


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out, the device's or the machine's: by the error's type, or by torch's own words. None is no error."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)


@cache
def fastest_precision(kind: str) -> torch.dtype:
    """bfloat16 or float32, by a trial of a few milliseconds on a processor ("cpu"), by what a GPU says of itself elsewhere.

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
