"""Architectures by name, and the contract that each of them keeps.

**Tensor contract.** A generator takes RGB float tensors, shape B×3×H×W, values in [0, 1], and returns the same: same
B, H and W for any H, W >= MIN_SIDE, values in [0, 1]. All scaling to network units happens inside the generator.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from zoo.config import GeneratorConfig
from zoo.errors import ConfigError, shorten

MIN_SIDE = 32  # pixels


class Generator(nn.Module):
    """What every architecture is: a module that is made from a config, and keeps the tensor contract.

    Of the class: `takes_photo`, whether it paints photos rather than noise alone, and if not, `tile_step`, the px that the side
    of a seamless tile is a multiple of; `floats_a_pixel`, what painting takes of the memory, see zoo/memory.py; `has_noise`,
    whether `forward` takes a `seed` beside the photo.
    """

    takes_photo = True
    tile_step = 1
    floats_a_pixel = (42, 60)  # of the hungriest
    has_noise = False

    def __init__(self, config: GeneratorConfig):
        super().__init__()
        self.config = config

    def noise(self, seed: int) -> dict[str, int]:
        """What `forward` takes beside the photo for the noise of `seed`: nothing where there is none."""
        return {"seed": seed} if self.has_noise else {}


Builder = TypeVar("Builder", bound=type[Generator])
_BUILDERS: dict[str, type[Generator]] = {}


def register(name: str) -> Callable[[Builder], Builder]:
    """Class decorator: the Generator becomes the architecture `name`. Raises ValueError for a name that is taken."""

    def add(builder: Builder) -> Builder:
        if name in _BUILDERS:
            raise ValueError(f"architecture {name!r} is registered twice")
        _BUILDERS[name] = builder
        return builder

    return add


def list_architectures() -> list[str]:
    """Names of the registered architectures, sorted."""
    return sorted(_BUILDERS)


def builder(name: str) -> type[Generator]:
    """The class of the architecture `name`. Raises ConfigError for one that is not registered."""
    if name not in _BUILDERS:
        raise ConfigError(f"config key 'architecture' must be one of {', '.join(list_architectures())}, got {shorten(name)}")
    return _BUILDERS[name]


def create(config: GeneratorConfig | None = None, **keys: Any) -> Generator:
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
    return builder(config.architecture)(config)
