"""Which engine "auto" is: the fastest on this machine, found by painting once, remembered in a file of the user's cache.

MISSING_INGREDIENT_ENGINE names one instead, for everything that this process paints.
"""

import functools
import hashlib
import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import torch

from zoo.device import CPU, device_name, fastest_precision
from zoo.engine.runtimes import RUNTIMES, is_there
from zoo.errors import ConfigError, shorten
from zoo.folder import write_whole

TORCH = ("torch", "bfloat16")  # the torch engine in float32, and with its inner convolutions in bfloat16
MODULE, GPU = "module", "float16"  # the generator's own `forward`, and zoo/engine/gpu_engine.py
ENGINES = ("auto", MODULE, *TORCH, *RUNTIMES, GPU)
HELP = f"what computes: {GPU} on a GPU, the others on a processor (default: the fastest)"
TRIAL, ROUNDS = 256, 3  # a picture's side in px, pictures of each
WORTH = 0.9  # of the time of the first: what another must stay below, as times vary
_chosen: dict[str, str] = {}


def check_engine(engine: str) -> None:
    """Raise ConfigError unless there is an engine of that name."""
    if engine not in ENGINES:
        raise ConfigError(f"unknown engine {shorten(engine)}: choose from {', '.join(ENGINES)}")


@functools.cache
def candidates(kind: str = "cpu") -> tuple[str, ...]:
    """The engines that may be fastest on such a device; first one that is always there. Looked for once: every picture asks."""
    if kind != "cpu":
        return (MODULE, GPU) if kind == "cuda" else (MODULE,)
    bfloat16 = ["bfloat16"] if fastest_precision("cpu") is torch.bfloat16 else []
    return ("torch", *bfloat16, *filter(is_there, RUNTIMES))


def fastest_engine(network: str, paint: Callable[[str, int], bool], device: torch.device = CPU) -> str:
    """The engine that paints with such a `network` (its architecture, width and norm) in the least time on that device.

    `paint(engine, side)` paints a picture of side×side px and says whether that engine did it. It is asked once for a machine
    and a network, and not at all where there is no choice. Raises ConfigError when MISSING_INGREDIENT_ENGINE names none.
    """
    if named := os.environ.get("MISSING_INGREDIENT_ENGINE", ""):
        check_engine(named)
    if named not in ("", "auto"):
        return named
    engines = candidates(device.type)
    if len(engines) == 1:
        return engines[0]
    key = f"{network}; {', '.join(_named(engine) for engine in engines)}; {_machine(device)}"
    if key not in _chosen:
        _chosen.update({k: v for k, v in _remembered().items() if v in ENGINES})
    if _chosen.get(key) not in engines:
        able = [engine for engine in engines if paint(engine, TRIAL)]  # which warms it up, too
        _chosen[key] = _measured(able, paint)
        if GPU in able or GPU not in engines:  # whether that one paints alike is a matter of the weights, not of the machine
            with suppress(OSError):  # a cache that may not be written: measured again the next time
                write_whole({_file(): json.dumps({**_remembered(), key: _chosen[key]}, indent=2).encode()})
    return _chosen[key]


def _measured(engines: Sequence[str], paint: Callable[[str, int], bool]) -> str:
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(ROUNDS):
        for engine in engines:  # in turns: what else the machine does hits all
            began = perf_counter()
            paint(engine, TRIAL)
            seconds[engine].append(perf_counter() - began)
    median = {engine: statistics.median(times) for engine, times in seconds.items()}
    first = engines[0]
    return min(median, key=lambda engine: median[engine] * (1 if engine == first else 1 / WORTH))


@functools.cache
def _named(engine: str) -> str:
    return f"{engine} {version(engine)}" if engine in RUNTIMES else f"{engine} {_ours()}"


@functools.cache
def _ours() -> str:
    """Names the engines of this package as they are: another version of them may be faster or slower."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def _machine(device: torch.device) -> str:
    threads = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"
    return f"{threads if device == CPU else device_name(device)}, torch {torch.__version__}"


def _file() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "missing-ingredient" / "engines.json"


def _remembered() -> dict[str, str]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        return {str(k): str(v) for k, v in found.items()}
    except (OSError, ValueError, AttributeError):  # none yet, or somebody else's
        return {}
