"""The style zoo: find, load and run fast stylization generators.

>>> import zoo
>>> zoo.stylize("photo.jpg", "starry-night", size=1024).save("painted.png")
"""

import zoo.johnson  # noqa: F401  (registers its architecture)
from zoo.catalog import Style, blend, find, list_styles, load
from zoo.config import GeneratorConfig
from zoo.errors import ZooError
from zoo.folder import save
from zoo.registry import create, list_architectures
from zoo.stylize import paint, stylize

__all__ = [
    "GeneratorConfig",
    "Style",
    "ZooError",
    "blend",
    "create",
    "find",
    "list_architectures",
    "list_styles",
    "load",
    "paint",
    "save",
    "stylize",
]
