"""Other runtimes as engines: made once for a generator, and left out where they are missing or do not know it."""

import importlib
import importlib.util
import threading
import weakref
from typing import Protocol

import numpy as np

from zoo.errors import ConfigError, ZooError
from zoo.registry import Generator

RUNTIMES = {"openvino": "OpenVinoEngine", "onnxruntime": "OnnxRuntimeEngine"}  # module zoo.engine.NAME_engine, class in it


class Runtime(Protocol):
    """A generator, compiled."""

    name: str

    def paint(self, photo: np.ndarray) -> np.ndarray:
        """1×3×H×W float32 in [0, 1], in and out."""


_made: "weakref.WeakKeyDictionary[Generator, dict[str, Runtime | None]]" = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def is_there(name: str) -> bool:
    """Whether the packages of a runtime are installed."""
    return all(importlib.util.find_spec(module) for module in (name, "onnx"))


def runtime(name: str, generator: Generator) -> Runtime | None:
    """The runtime of that name for a generator, whose weights no longer change; None for one that it does not know.

    Raises ConfigError where the runtime is not installed.
    """
    if not is_there(name):
        extra = "fast" if name == "openvino" else "export"
        raise ConfigError(f"the engine {name} is not installed: pip install 'missing-ingredient[{extra}]', or --engine torch")
    with _lock:
        made = _made.setdefault(generator, {})
        if name not in made:
            try:
                made[name] = getattr(importlib.import_module(f"zoo.engine.{name}_engine"), RUNTIMES[name])(generator)
            except ZooError:  # noise, which it cannot draw
                made[name] = None
        return made[name]
