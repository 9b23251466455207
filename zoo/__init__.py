"""The style zoo: find, load and run fast stylization generators.

>>> import zoo
>>> zoo.stylize("photo.jpg", "starry-night", size=1024).save("painted.png")
"""

import os
import sys

# `python -m` or the installed command is about to start: Ctrl-C while libraries are imported leaves no traceback
if os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0] in ("-m", "missing-ingredient"):
    _shown = sys.excepthook
    sys.excepthook = lambda kind, *rest: None if issubclass(kind, KeyboardInterrupt) else _shown(kind, *rest)

import zoo.johnson
import zoo.texture_net  # noqa: F401  (registers its architectures)
from zoo.catalog import blend, find, list_styles, load
from zoo.config import GeneratorConfig
from zoo.errors import ZooError
from zoo.finish import finish
from zoo.folder import save
from zoo.painter import paint, stylize, texture
from zoo.registry import create, list_architectures
from zoo.style import Style

__version__ = "1.0.0"  # pyproject.toml reads it here, a Space has no other place to look; CITATION.cff repeats it


def __getattr__(name: str) -> object:
    if name not in _ON_THE_HUB:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from zoo import hub, sharing  # at first use: importing the Hub's client takes half a second, and most uses need no Hub

    return getattr(sharing if name == "publish" else hub, name)


_ON_THE_HUB = ("Target", "publish", "pull")
__all__ = [
    "GeneratorConfig",
    "Style",
    "Target",
    "ZooError",
    "blend",
    "create",
    "find",
    "finish",
    "list_architectures",
    "list_styles",
    "load",
    "paint",
    "publish",
    "pull",
    "save",
    "stylize",
    "texture",
]
