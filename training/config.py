"""TrainConfig: everything that decides what a training computes, and the recipe files that hold it."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from training.objective.precision import PRECISIONS
from training.objective.vgg import LAYERS
from zoo import records
from zoo.config import NORMS, GeneratorConfig
from zoo.engine.painting import check_seed
from zoo.errors import ConfigError
from zoo.registry import builder

RECIPES = Path(__file__).parent / "recipes"
TRAINED = ("all", "norm", "norm+ends")
# Of recipe.yaml: what a recipe was applied to.
RECORD = ("painting", "photos", "made_with", "trained_with", "started_from", "stopped_after")

# --auto: the balance that suits every painting (training.objective.losses), at three sizes (training.objective.pyramid).
AUTO = {
    "balance": "relative",
    "content_weight": 1.0,
    "style_weight": 5.0,
    "tv_weight": 0.0,
    "style_layers": {"colours": 1.0, "relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0},
    "levels": 3,
    "detail_crop": 160,
    "content_level": -1,
    "gram": "batch",
}


def knob(default: object, group: str, help: str, choices: tuple = (), low: float | None = None) -> Any:
    """A recipe key with what the command line needs to know of it: the field of a dataclass, of the type of its default."""
    meta = {"group": group, "help": help, "choices": choices, "low": low}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=meta)
    return field(default=default, metadata=meta)


def kind(key: dataclasses.Field) -> type[Any]:
    """The type of a recipe key."""
    return cast(type[Any], key.type)


@dataclass(frozen=True)
class TrainConfig:
    """A training recipe. Each field is a recipe key and a flag; see `python -m training.train --help`.

    Raises ConfigError, naming the key, for a value that is out of range.
    """

    steps: int = knob(20_000, "schedule", "optimisation steps", low=1)
    batch_size: int = knob(4, "schedule", "photos a step", low=1)
    micro_batch: int = knob(0, "schedule", "photos at once to save memory, 0 for all; batch norm sees fewer", low=0)
    optimizer: str = knob(
        "adam",
        "schedule",
        "of the convolution kernels (the rest has Adam): muon paints in minutes what takes Adam hours",
        ("adam", "muon"),
    )
    learning_rate: float = knob(1e-3, "schedule", "of Adam, at the start", low=0)
    muon_rate: float = knob(0.03, "schedule", "learning rate of Muon, at the start: 0.02 to 0.05", low=0)
    muon_momentum: float = knob(0.9, "schedule", "of Muon: 0.9 to 0.95", low=0)
    averaging: float = knob(
        0.0, "schedule", "share of the old in a running average of weights: 0 for none, 0.98 is good", low=0
    )
    clip: float = knob(0.0, "schedule", "longest gradient of a step, longer ones are cut to it: 0 for none", low=0)
    decay: str = knob("cosine", "schedule", "of the learning rate over the run", ("cosine", "constant"))
    warmup: int = knob(0, "schedule", "steps in which the learning rate rises from 0 (default with --from: 50)", low=0)
    only: str = knob("all", "schedule", "train these weights alone: for a new style on a trained base (--from)", TRAINED)
    seed: int = knob(0, "schedule", "decides initial weights, photo order, crops and flips", low=0)

    crop_size: int = knob(256, "pictures", "side of the square training crops in pixels", low=32)
    zoom: float = knob(1.0, "pictures", "enlarge crops by up to that: teaches the little detail of large photos", low=1)
    photo_count: int = knob(0, "pictures", "train on that many of the photos, chosen by the seed, 0 for all", low=0)
    style_size: int = knob(256, "pictures", "short side of the painting in pixels: larger paints larger strokes", low=32)
    levels: int = knob(1, "pictures", "sizes at which losses look (full, half, quarter ...): more see longer strokes", low=1)
    detail_crop: int = knob(0, "pictures", "at full size look at a random crop of that side alone: 0 for all of it", low=0)
    content_level: int = knob(0, "pictures", "size at which content is compared: 0 full, 1 half, -1 all", low=-1)

    balance: str = knob(
        "absolute",
        "objective",
        "unit of the losses: relative needs no tuning per painting (see --auto)",
        ("absolute", "relative"),
    )
    content_weight: float = knob(1.0, "objective", "weight of the content loss: more keeps more of the photo", low=0)
    style_weight: float = knob(5.0, "objective", "weight of the style loss: more paints more", low=0)
    tv_weight: float = knob(0.0, "objective", "weight of the total variation: more is smoother, 1e-6 is customary", low=0)
    content_layers: dict = knob({"relu3_3": 1.0}, "objective", "VGG16 layers NAME or NAME:WEIGHT of the content loss")
    style_layers: dict = knob(
        {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0},
        "objective",
        "VGG16 layers NAME or NAME:WEIGHT of the style loss",
    )
    gram: str = knob(
        "picture",
        "objective",
        "of full size, compared with the painting's: each picture's or the batch's mean, which keeps light and dark",
        ("picture", "batch"),
    )
    identity_weight: float = knob(0.0, "objective", "of one more row, that gives the photo back: 0 for none, 10 is good", low=0)
    vgg_precision: str = knob(
        "float32", "objective", "the loss network computes in; auto: in bfloat16 where that is faster", (*PRECISIONS, "float16")
    )

    architecture: str = knob("johnson", "generator", "name in the registry")
    width: int = knob(16, "generator", "channels of the first layer: 16, or the paper's 32", low=1)
    residual_blocks: int = knob(5, "generator", "blocks at a quarter of the resolution", low=0)
    padding: str = knob("reflect", "generator", "of the convolutions", ("zero", "reflect", "replicate", "circular"))
    upsampling: str = knob("nearest", "generator", "in the decoder", ("nearest", "bilinear"))
    precision: str = knob("float32", "generator", "it is trained in; auto: in bfloat16 where that is faster", PRECISIONS)

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            value, meta = getattr(self, f.name), f.metadata
            if f.type is float and isinstance(value, (int, str)) and not isinstance(value, bool):
                value = _number(value)  # YAML reads 1e-6 as text: it wants 1.0e-6
                object.__setattr__(self, f.name, value)
            if not isinstance(value, kind(f)) or isinstance(value, bool):
                raise ConfigError(f"recipe key '{f.name}' must be {kind(f).__name__}, got {value!r}")
            if meta["choices"] and value not in meta["choices"]:
                raise ConfigError(f"recipe key '{f.name}' must be one of {', '.join(meta['choices'])}, got {value!r}")
            if meta["low"] is not None and not meta["low"] <= value < float("inf"):
                raise ConfigError(f"recipe key '{f.name}' must be at least {meta['low']} and finite, got {value!r}")
        check_seed(self.seed)
        for key in ("content_layers", "style_layers"):
            if not any(weight for weight in getattr(self, key).values()):
                raise ConfigError(f"recipe key '{key}' needs at least one layer with a weight above 0, such as relu3_3")
            for name, weight in getattr(self, key).items():
                if name not in LAYERS:
                    raise ConfigError(f"recipe key '{key}': VGG16 has no layer {name!r}; choose from {', '.join(LAYERS)}")
                if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < float("inf"):
                    raise ConfigError(f"recipe key '{key}': the weight of {name} must be a number, got {weight!r}")
        if self.content_level >= self.levels:
            raise ConfigError(f"recipe key 'content_level' must be below levels ({self.levels}), got {self.content_level}")
        if min(self.crop_size, self.style_size) < (least := 16 * 2 ** (self.levels - 1)):
            raise ConfigError(f"recipe key 'levels': {self.levels} need crop_size and style_size of at least {least} px")
        if self.detail_crop and self.detail_crop < 32:
            raise ConfigError(f"recipe key 'detail_crop' must be 0 or at least 32, got {self.detail_crop}")
        for key in ("averaging", "muon_momentum"):
            if getattr(self, key) >= 1:
                raise ConfigError(f"recipe key '{key}' must be below 1, got {getattr(self, key)}")
        if self.micro_batch and self.batch_size % self.micro_batch:
            raise ConfigError(f"recipe key 'micro_batch' must divide batch_size {self.batch_size}, got {self.micro_batch}")
        _ = self.takes_photo  # refuses an architecture that there is not
        for norm in NORMS:
            self.generator(norm)  # refuses what the generator cannot be

    def generator(self, norm: str) -> GeneratorConfig:
        """The generator this recipe trains, with that norm."""
        keys = ("architecture", "width", "residual_blocks", "padding", "upsampling")
        return GeneratorConfig(norm=norm, **{key: getattr(self, key) for key in keys})

    @property
    def takes_photo(self) -> bool:
        """Whether what it trains paints photos, rather than tiles of noise alone."""
        return builder(self.architecture).takes_photo

    @classmethod
    def from_dict(cls, data: object, source: str = "recipe") -> "TrainConfig":
        """A config from recipe keys; absent ones take their defaults, unknown ones raise ConfigError."""
        if not isinstance(data, dict):
            raise ConfigError(f"{source}: a recipe must be a mapping of keys to values, got {type(data).__name__}")
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(str(key) for key in data.keys() - known):
            raise ConfigError(f"{source}: unknown recipe key {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        return cls(**data)


def _number(value: int | str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def load_recipe(name: str | Path) -> dict:
    """Recipe keys of a bundled recipe (by name) or a YAML file; the record of an earlier run's inputs is left out."""
    path = Path(name)
    if not path.is_file() and (RECIPES / f"{name}.yaml").is_file():
        path = RECIPES / f"{name}.yaml"
    try:
        data = records.read(path)
    except (OSError, ValueError) as error:
        bundled = ", ".join(sorted(p.stem for p in RECIPES.glob("*.yaml")))
        raise ConfigError(f"cannot read recipe {name} ({error}); bundled recipes: {bundled}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: a recipe must be a mapping of keys to values")
    return {key: value for key, value in data.items() if key not in RECORD}
