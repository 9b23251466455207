"""Train styles: an accelerate trainer for matched instance-norm and batch-norm generators."""

import importlib

import zoo  # noqa: F401  (before any other library: it sees to it that Ctrl-C meanwhile leaves no traceback)

# Looked up at first use: `python -m training.evaluate` must not find itself imported already.
_HOMES = {"Painting": "data.paintings", "RunOptions": "running.run", "TrainConfig": "config", "run": "running.loop"}
__all__ = ["Painting", "RunOptions", "TrainConfig", "run"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
