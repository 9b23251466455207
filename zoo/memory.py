"""What painting a picture takes of the memory, known before any is taken; one bound for whoever paints.

A forward pass needs bytes in proportion to the picture's pixels; how many a pixel is the architecture's, `floats_a_pixel` of
its class: so many float32 numbers for each channel of `width`, and so many besides (the photo, the noise, the result). They are
measured, the highest over norms, widths and sizes, and rounded up:

    python -m benchmarks.painting_memory

What does not fit into what may be had is refused in words. Pictures that are painted at the same time share it: one that does
not fit beside the others waits for them.
"""

import ctypes
import math
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import torch

from zoo.config import GeneratorConfig
from zoo.errors import ConfigError, PhotoError, shorten
from zoo.registry import MIN_SIDE, builder

VARIABLE = "MISSING_INGREDIENT_MEMORY"  # how much all painting at once may take: 6G, 800M
SHARE = 0.8  # of what is free, where the variable does not say
BESIDES = 16 * 2**20  # bytes, whatever the picture: what the libraries set aside
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}

Size = tuple[int, int]  # width and height in px
Costs = Callable[[Size], Sequence[int]]  # bytes that a picture takes, for each way to paint it, the fastest first

CGROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
# Limit, use, and what of the use can be given back at once: names of cgroups' second version, then of the first.
_CGROUP_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def peak_bytes(config: GeneratorConfig, size: tuple[int, int]) -> int:
    """Bytes that a generator takes, at most, to paint a picture of width×height px, the picture and the result included."""
    each, besides = builder(config.architecture).floats_a_pixel
    pixels = math.prod(max(64, -(-side // 32) * 32) for side in size)  # as the texture networks round their sides up
    return 4 * pixels * (each * config.width + besides) + BESIDES


def whole(config: GeneratorConfig) -> Costs:
    """What it takes to paint as the generator's own `forward` does, all of a picture at once."""
    return lambda size: [peak_bytes(config, size)]


def available(device: torch.device) -> int:
    """Free bytes: the GPU's, or the machine's, or what the limit of the container or service leaves, if that is less."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return min([psutil.virtual_memory().available, *_left_in_cgroups()])


def allowance(device: torch.device, wanted: int = 0) -> int:
    """Bytes that painting may take: what $MISSING_INGREDIENT_MEMORY says, or else four fifths of what is free. Where that is
    less than is `wanted`, what this process keeps for later is given back first (see `keep_freed`).

    Raises ConfigError when the variable is no amount of memory.
    """
    said = os.environ.get(VARIABLE, "").strip()
    if not said:
        free = int(SHARE * available(device))
        if free < wanted:
            _call_malloc("malloc_trim", 0)
            free = int(SHARE * available(device))
        return free
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)\s*([KMGT]?)(?:i?B)?", said, re.IGNORECASE)
    allowed = int(float(found[1]) * UNITS[found[2].upper()]) if found else 0
    if not allowed:
        raise ConfigError(f"{VARIABLE} is an amount of memory, 6G or 800M say, got {shorten(said)}")
    return allowed


def longest_side(costs: Costs, size: Size, allowed: int) -> int:
    """The longest side, in px, at which a picture of that shape can be painted in `allowed` bytes; 0 if at none."""
    longest = max(size)
    side = int(min(1.0, math.sqrt(allowed / min(costs(size)))) * longest)
    while side >= MIN_SIDE:
        width, height = (max(MIN_SIDE, round(s * side / longest)) for s in size)
        if min(costs((width, height))) <= allowed:
            return side
        side -= max(1, side // 64)
    return 0


class Budget:
    """The memory of one device, shared by the pictures that are painted on it at the same time."""

    def __init__(self, device: torch.device):
        self._device, self._turn, self._spent, self._allowed = device, threading.Condition(), 0, 0

    @contextmanager
    def spend(self, costs: Costs, size: Size) -> Iterator[int]:
        """Inside, a picture of width×height px may be painted, in the way of that number: the first for which there is enough.
        Waits while others leave too little.

        Raises PhotoError, with the size that fits, when it needs more than there is for all of them.
        """
        ways = list(costs(size))
        with self._turn:
            while True:
                if not self._spent:  # as what the others take shows in what is free already, in part
                    self._allowed = allowance(self._device, ways[0])
                check(costs, size, self._allowed)
                way = next(i for i, cost in enumerate(ways) if cost <= self._allowed)
                if self._spent + ways[way] <= self._allowed:
                    break
                self._turn.wait()
            self._spent += ways[way]
        try:
            yield way
        finally:
            with self._turn:
                self._spent -= ways[way]
                self._turn.notify_all()


def check(costs: Costs, size: Size, allowed: int, whose: str = f"{VARIABLE} sets the limit") -> None:
    """Raise PhotoError, with the size that fits, when a picture of width×height px needs more than `allowed` bytes, and whose
    limit that is."""
    if (cost := min(costs(size))) <= allowed:
        return
    fits = longest_side(costs, size, allowed)
    way_out = f"choose a long side of {fits} px or less" if fits else "free some"
    raise PhotoError(
        f"{size[0]}×{size[1]} px would take {_in_words(cost)} of memory with this style, and {_in_words(allowed)} may be "
        f"taken: {way_out} ({whose})"
    )


def _in_words(memory: int) -> str:
    return f"{memory / 2**30:.1f} GiB" if memory >= 2**30 else f"{memory / 2**20:.0f} MiB"


_budgets: dict[str, Budget] = {}


def budget(device: torch.device) -> Budget:
    """The one budget of a device in this process."""
    return _budgets.setdefault(str(device), Budget(device))


def keep_freed() -> None:
    """Have this process keep memory that it frees, for what it asks for next. GNU's C library would give large blocks back to
    the system, and get them anew page by page, each filled with zeros first; other libraries are left as they are."""
    for setting in (-3, -1):  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, as in malloc.h
        _call_malloc("mallopt", setting, 2**30)


def _call_malloc(name: str, *numbers: int) -> None:
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            getattr(ctypes.CDLL(None), name)(*numbers)


def forget() -> None:
    """Start all budgets anew: in a forked process, which paints nothing yet, whatever its parent was painting."""
    _budgets.clear()


def _left_in_cgroups() -> list[int]:
    """Bytes that each control group this process is in, and each above it, leaves; empty where nothing limits it."""
    try:
        lines = [line.split(":", 2) for line in OWN_GROUPS.read_text().splitlines()]
    except OSError:
        return []  # no Linux
    found = []
    for _, controllers, own in lines:
        if controllers not in ("", "memory"):
            continue
        root, names = CGROUPS / controllers, _CGROUP_FILES[controllers == "memory"]
        own = own.strip("/")
        groups = [root, *(root / Path(*Path(own).parts[: i + 1]) for i in range(len(Path(own).parts)))]
        found += [left for group in groups if (left := _left_in(group, *names)) is not None]
    return found


def _left_in(group: Path, limit: str, use: str, spare: str) -> int | None:
    try:
        most, used = int((group / limit).read_text()), int((group / use).read_text())  # "max" is no number: ValueError
        numbers = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, most - used + int(numbers.get(spare, 0)))
    except (OSError, ValueError):
        return None
