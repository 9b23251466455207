"""Architectures by name, and the contract that each of them keeps.

**Tensor contract.** A generator takes RGB float tensors, shape B×3×H×W, values in [0, 1], and returns the same: same
B, H and W for any H, W >= MIN_SIDE, values in [0, 1]. All scaling to network units happens inside the generator.
"""

from collections.abc import Callable

import torch

from zoo.config import GeneratorConfig
from zoo.errors import ConfigError, shorten

MIN_SIDE = 32  # pixels

_BUILDERS: dict[str, Callable[[GeneratorConfig], torch.nn.Module]] = {}


def register(name: str) -> Callable:
    """Class decorator: the module, called with a GeneratorConfig, becomes the architecture `name`.

    Of the class: `takes_photo`, whether it paints photos rather than noise alone, and if not, `tile_step`, the px that the side
    of a seamless tile is a multiple of; `floats_a_pixel`, what painting takes of the memory, see zoo/memory.py.
    """

    def add(builder: Callable[[GeneratorConfig], torch.nn.Module]) -> Callable[[GeneratorConfig], torch.nn.Module]:
        if name in _BUILDERS:
            raise ValueError(f"architecture {name!r} is registered twice")
        _BUILDERS[name] = builder
        return builder

    return add


def list_architectures() -> list[str]:
    """Names of the registered architectures, sorted."""
    return sorted(_BUILDERS)


def builder(name: str) -> Callable[[GeneratorConfig], torch.nn.Module]:
    """The class of the architecture `name`. Raises ConfigError for one that is not registered."""
    if name not in _BUILDERS:
        raise ConfigError(f"config key 'architecture' must be one of {', '.join(list_architectures())}, got {shorten(name)}")
    return _BUILDERS[name]


def create(config: GeneratorConfig | None = None, **keys: object) -> torch.nn.Module:
    """A fresh generator, randomly initialised, from a config or from config keys: `create(norm="batch", width=32)`.

    Raises ConfigError when a key is unknown or out of range.
    """
    if config is None:
        try:
            config = GeneratorConfig(**keys)
        except TypeError as error:
            raise ConfigError(str(error).replace("GeneratorConfig.__init__() got an unexpected", "unknown")) from error
    elif keys:
        raise ConfigError("give create() a GeneratorConfig or keys, not both")
    generator = builder(config.architecture)(config)
    generator.config = config
    return generator
