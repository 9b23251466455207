"""GeneratorConfig: what a generator is made of, and its config.json."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from zoo import records
from zoo.errors import ConfigError, brief, shorten

FORMAT = 1  # of config.json; raised when a key changes its meaning
NORMS = ("instance", "batch", "contrast", "none")
PADDINGS = ("zero", "reflect", "replicate", "circular")
UPSAMPLINGS = ("nearest", "bilinear")

_CHOICES = {"norm": NORMS, "padding": PADDINGS, "upsampling": UPSAMPLINGS}
_RANGES = {"width": (1, 256), "residual_blocks": (0, 32), "eps": (1e-12, 1e-1)}


@dataclass(frozen=True)
class GeneratorConfig:
    """The architecture of one generator; together with its weights it is a style.

    architecture     name in the registry, see `zoo.list_architectures()`
    norm             instance (paper eq. 3), batch (eq. 2), contrast (eq. 1) or none
    width            channels of the first layer: 32 in the paper, 16 in this zoo; deeper layers have 2x and 4x as many
    residual_blocks  blocks at a quarter of the resolution
    padding          how convolutions see past the border: zero, reflect, replicate or circular
    upsampling       how the decoder enlarges before it convolves: nearest or bilinear
    eps              added to the variance (to the sum, for contrast norm) before dividing

    Raises ConfigError, naming the key, when a value is out of range.
    """

    architecture: str = "johnson"
    norm: str = "instance"
    width: int = 16
    residual_blocks: int = 5
    padding: str = "reflect"
    upsampling: str = "nearest"
    eps: float = 1e-5

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
            if not fits or isinstance(value, bool):
                raise ConfigError(f"config key '{field.name}' must be {kind.__name__}, got {shorten(value)}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"config key '{name}' must be one of {', '.join(choices)}, got {shorten(getattr(self, name))}"
                )
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"config key '{name}' must lie in {low}..{high}, got {shorten(getattr(self, name))}")

    def to_dict(self) -> dict[str, Any]:
        """The content of config.json."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: object) -> "GeneratorConfig":
        """The config that `to_dict` wrote. Raises ConfigError on any unknown, missing or out-of-range key."""
        if not isinstance(data, dict):
            raise ConfigError(f"a generator config must be a JSON object, got {type(data).__name__}")
        known = {"format", *(field.name for field in fields(cls))}
        for problem, keys in (("unknown", data.keys() - known), ("missing", known - data.keys())):
            if keys:
                raise ConfigError(f"{problem} config key{'s'[: len(keys) > 1]}: {brief(', '.join(sorted(keys)))}")
        if data["format"] != FORMAT:
            raise ConfigError(f"config key 'format' must be {FORMAT}, got {shorten(data['format'])}: update Missing Ingredient")
        return cls(**{key: value for key, value in data.items() if key != "format"})

    def to_json(self) -> str:
        """The text of config.json."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def load(cls, path: str | Path) -> "GeneratorConfig":
        """Read config.json. Raises ConfigError, naming the file, when it is unreadable or not valid."""
        try:
            return cls.from_dict(records.read(Path(path)))
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot read {path}: {error}") from error
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
