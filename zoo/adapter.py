"""Adapters: a style as what it changes in a trained base, a few kilobytes.

    my-painting/adapter/
      config.json             the base by name and the SHA-256 of its tensors
      adapter.safetensors     the tensors that differ from the base: norms, perhaps the first and the last convolution
      batch/                  the same for the batch-norm twin, on the base's twin

A way to train and to send styles; the zoo's own are complete by themselves.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch

from zoo import folder, records
from zoo.errors import ConfigError, StyleFolderError, WeightsError, brief, shorten
from zoo.registry import Generator

WEIGHTS, FORMAT = "adapter.safetensors", 1


@dataclass(frozen=True)
class AdapterConfig:
    """config.json of an adapter: the style it was trained on, the norm of its generator, SHA-256 of that one's tensors.

    Of the first adapters it is the SHA-256 of the base's weights file, which counts, too.
    """

    base: str
    norm: str
    base_sha256: str

    @classmethod
    def load(cls, path: Path) -> "AdapterConfig":
        """Read config.json. Raises ConfigError when it is unreadable or not of this form."""
        try:
            data = records.read(path)
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot read {path}: {error}") from error
        names = [field.name for field in fields(cls)]
        if not isinstance(data, dict) or data.keys() != {"format", *names} or data["format"] != FORMAT:
            raise ConfigError(f"{path}: an adapter's config holds format {FORMAT} and {', '.join(names)}, nothing else")
        if wrong := [name for name in names if not isinstance(data[name], str)]:
            raise ConfigError(f"{path}: config key '{wrong[0]}' must be text, got {shorten(data[wrong[0]])}")
        return cls(**{name: data[name] for name in names})


def is_adapter(style: str | Path) -> bool:
    """Whether a folder holds an adapter, of either norm, rather than complete generators."""
    return any(os.path.isfile(folder.twin_folder(style, norm) / WEIGHTS) for norm in ("instance", "batch"))


def save_adapter(generator: Generator, base: str | Path, name: str, adapter: str | Path) -> None:
    """Write what `generator` changes in the generator of its norm in the style folder `base`, known as `name`.

    Raises WeightsError for weights that are not finite, StyleFolderError when the folder cannot be written.
    """
    norm = generator.config.norm
    target, trained = folder.twin_folder(adapter, norm), folder.load(base, norm).state_dict()
    stored = folder.stored_state(generator)
    changed = {key: value for key, value in stored.items() if not torch.equal(value.to(trained[key].dtype), trained[key])}
    config = AdapterConfig(name, norm, folder.tensors_sha256(trained))
    text = json.dumps({"format": FORMAT, **asdict(config)}, indent=2) + "\n"
    folder.write_generator(target, norm, text, changed, WEIGHTS)


def load_adapter(adapter: str | Path, norm: str, find_base: Callable[[str, str], Path]) -> Generator:
    """The adapted generator of that norm: eval mode, float32, on the CPU. `find_base` gives the folder of a name and norm.

    Raises ZooError when the base is not there or is another than the adapter was trained on, or a tensor does not fit it.
    """
    source = folder.twin_folder(adapter, norm)
    if not (source / WEIGHTS).is_file():
        raise StyleFolderError(f"the adapter {adapter} has no {norm}-norm generator")
    config = AdapterConfig.load(source / folder.CONFIG)
    base = find_base(config.base, norm)
    if config.norm != norm:
        raise StyleFolderError(f"{source} should hold {norm} norm, its config.json says {brief(config.norm)}")
    generator = folder.load(base, norm)
    state = generator.state_dict()
    found = folder.tensors_sha256(state)
    if config.base_sha256 not in (found, weights_sha256(base, norm)):
        raise WeightsError(
            f"the adapter {adapter} was trained on other weights of {brief(config.base)} ({config.base_sha256[:12]}...) than "
            f"those here ({found[:12]}...): use the version of the base it names, or train it again"
        )
    changed = folder.read_weights(source / WEIGHTS, state)[0]
    for key, value in changed.items():
        if key not in state or state[key].shape != value.shape or state[key].is_floating_point() != value.is_floating_point():
            raise WeightsError(f"{source / WEIGHTS}: {brief(key)} does not fit the base {brief(config.base)}")
    folder.check_recorded(adapter, norm, changed)
    generator.load_state_dict({**state, **changed})
    return generator


def weights_sha256(style: str | Path, norm: str) -> str:
    """Hexadecimal SHA-256 of the weights file of one norm of a style folder."""
    return folder.sha256(folder.twin_folder(style, norm) / folder.WEIGHTS)
