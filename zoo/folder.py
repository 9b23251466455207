"""A style is a folder: read and write its generators, strictly.

    starry-night/
      README.md  config.json  model.safetensors  recipe.yaml  metrics.json  images/
      batch/     the matched batch-norm twin: config.json, model.safetensors
      model.onnx batch/model.onnx     on the Hub alone, where they were asked for: for the page that paints in a browser

Weights are stored in float16, norm parameters and running statistics in float32, and computed in float32; metrics.json
records the SHA-256 of each generator's tensors and config, which are compared at every loading. No pickle is ever read.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as deserialize
from safetensors.torch import save as serialize
from torch import nn

from zoo.beside import new_part
from zoo.config import GeneratorConfig
from zoo.device import is_out_of_memory
from zoo.errors import StyleFolderError, WeightsError, brief
from zoo.layers import norm_parameters
from zoo.records import is_there, read_record
from zoo.registry import Generator, create

CONFIG, WEIGHTS, METRICS = "config.json", "model.safetensors", "metrics.json"
ONNX = "model.onnx"  # of a style on the Hub; made anew whenever it is published, never read here
PAINTING_LICENCE = "LICENSE-painting.txt"  # of the reproduction in images/, where that has to come with its text
HASHES = ("weights", "config")  # keys of metrics.json: SHA-256, by norm, of what decides the pictures
LOCK, PATIENCE = ".lock", 60  # the file that who changes metrics.json holds, no part of the style; seconds to wait for it
HEADER = 2**20  # bytes of a safetensors file that are no tensors, at most
_STORED = (torch.float16, torch.bfloat16, torch.float32, torch.int64)


def twin_folder(style: str | Path, norm: str) -> Path:
    """Where a style folder keeps its generator of that norm: instance at the top, the others beneath, by their names."""
    return Path(style) if norm == "instance" else Path(style) / norm


def onnx_file(norm: str) -> str:
    """The name in a style's repository of that norm's ONNX file."""
    return (twin_folder("", norm) / ONNX).as_posix()


def list_norms(style: str | Path) -> list[str]:
    """Norms whose generator the folder holds, with a config that can be read: instance, and batch where there is a matched
    twin."""
    held = []
    for norm in ("instance", "batch"):
        with suppress(StyleFolderError):
            held += [norm] if is_there(twin_folder(style, norm) / CONFIG) else []
    return held


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tensors_sha256(state: dict[str, torch.Tensor]) -> str:
    """Hexadecimal SHA-256 of names, shapes and values (as float32) of tensors, in whatever order and file they are stored."""
    found = hashlib.sha256()
    for key in sorted(state):
        value = state[key].cpu()
        value = value.float() if value.is_floating_point() else value
        found.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(value.contiguous().numpy().tobytes())
    return found.hexdigest()


def hashes(state: dict[str, torch.Tensor], config: str | bytes) -> dict[str, str]:
    """HASHES of a generator: of its tensors, and of the values of its config.json, in whatever order and layout they are."""
    values = json.dumps(json.loads(config), sort_keys=True)
    return {"weights": tensors_sha256(state), "config": hashlib.sha256(values.encode()).hexdigest()}


def recorded_sha256(style: str | Path) -> dict[str, dict[str, str]]:
    """Of each of HASHES, SHA-256 by norm, as metrics.json of a style folder records them; none of what it was made before.

    Raises StyleFolderError when metrics.json is broken.
    """
    metrics = read_record(Path(style) / METRICS)
    recorded = {kind: metrics.get(kind, {}) for kind in HASHES}
    for kind, found in recorded.items():
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise StyleFolderError(f"{Path(style) / METRICS}: {kind} should map norms to SHA-256")
    return recorded


def check_recorded(style: str | Path, norm: str, state: dict[str, torch.Tensor]) -> None:
    """Raise WeightsError when metrics.json of a style folder records another SHA-256 of that norm than these tensors, or its
    config.json, have."""
    recorded = recorded_sha256(style)
    for kind, found in hashes(state, (twin_folder(style, norm) / CONFIG).read_bytes()).items():
        if (known := recorded[kind].get(norm, found)) != found:
            raise WeightsError(
                f"{style}: damaged {kind} of {norm} norm, of SHA-256 {found[:12]}..., {METRICS} records {known[:12]}...: "
                f"get the style anew (or, if that was replaced on purpose, take {kind} out of {METRICS})"
            )


def write_generator(folder: Path, norm: str, config: str, state: dict[str, torch.Tensor], name: str = WEIGHTS) -> None:
    """Write config.json and the weights file of one generator, each file whole or not at all; metrics.json of the style
    folder records the SHA-256 of both. That is `folder`, or the one around it where `folder` is the place of a twin.

    Raises StyleFolderError when they cannot be written, or metrics.json is broken.
    """
    style = folder.absolute().parent if folder.absolute().name == norm != "instance" else folder
    try:
        # not save_file, which makes files that nobody but their owner can read; one key, as the order of several is random
        weights = serialize(state, metadata={"norm": norm})
        with changing_metrics(style):
            recorded = recorded_sha256(style)
            now = {kind: {**recorded[kind], norm: found} for kind, found in hashes(state, config).items()}
            metrics = metrics_json({**read_record(style / METRICS), **now})
            write_whole({folder / name: weights, folder / CONFIG: config.encode(), style / METRICS: metrics})
    except (OSError, SafetensorError) as error:
        raise StyleFolderError(f"cannot write the style folder {folder}: {error}") from error


@contextmanager
def changing_metrics(style: Path) -> Iterator[None]:
    """Inside, where it is read and written, nobody else changes metrics.json of a style folder, which is made if need be.

    Raises OSError when it cannot be written, or is being changed for longer than that takes.
    """
    style.mkdir(parents=True, exist_ok=True)
    with FileLock(style / LOCK, timeout=PATIENCE):
        yield


def metrics_json(metrics: dict[str, Any]) -> bytes:
    """The content of metrics.json."""
    return (json.dumps(metrics, indent=1) + "\n").encode()


def write_whole(files: dict[Path, bytes]) -> None:
    """Write files, each whole or not at all, whoever else writes the same, and none before all have found room. Raises OSError
    when that fails."""
    partials = {path: new_part(path) for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            partials[path].write_bytes(content)
        for path, partial in partials.items():
            os.replace(partial, path)
    finally:  # also for Ctrl-C
        for partial in partials.values():
            with suppress(OSError):
                partial.unlink()


def stored_state(generator: nn.Module) -> dict[str, torch.Tensor]:
    """The state dict as it is stored: float16, norms in float32. Raises WeightsError for weights that are not finite."""
    state, norms = {}, norm_parameters(generator)
    for key, value in generator.state_dict().items():
        if value.is_floating_point():
            value = value.float() if key in norms else value.half()
            if not value.isfinite().all():
                raise WeightsError(f"{key} is not finite in float16: this generator would paint noise; train it again")
        state[key] = value.cpu().contiguous()
    return state


def save(generator: Generator, folder: str | Path) -> None:
    """Write config.json and model.safetensors of a generator made by `create`, and record its SHA-256: see `write_generator`.

    Raises WeightsError for weights that are not finite, StyleFolderError when the folder cannot be written.
    """
    write_generator(Path(folder), generator.config.norm, generator.config.to_json(), stored_state(generator))


def read_weights(path: Path, wanted: dict[str, torch.Tensor] | None = None) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file. Raises WeightsError when it is missing, broken or not finite, or far larger
    than tensors as `wanted` need, which is seen before it is read.

    They lie in memory of their own: tensors mapped to the file would change with it, and a file that becomes shorter would
    kill the process.
    """
    if not os.path.isfile(path):  # nor a pipe, which would be waited for
        raise WeightsError(f"cannot read {path}: there is no such file")
    if wanted is not None:
        held, need = path.stat().st_size, sum(value.nbytes for value in wanted.values()) + HEADER
        if held > need:
            raise WeightsError(f"{path} has {held / 2**20:,.0f} MiB: such a generator needs {need / 2**20:,.0f} at most")
    try:
        data = path.read_bytes()
        state = deserialize(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])  # found to be sound a line above
    except Exception as error:  # torch raises nearly anything on the shapes and types of numbers that it lacks
        if is_out_of_memory(error):
            raise WeightsError(f"there is not enough memory to read {path}: free some") from error
        why = brief(str(error).partition("\n")[0]) or type(error).__name__  # below it, where in torch
        raise WeightsError(f"cannot read {path}: {why}") from error
    metadata = header.get("__metadata__") or {}  # null, too, is sound safetensors
    for key, value in state.items():
        if value.dtype not in _STORED:
            raise WeightsError(f"{path}: {brief(key)} is stored as {value.dtype}, expected float16 or float32")
        if value.dim() > 4:  # beyond 64 torch computes nothing
            raise WeightsError(f"{path}: {brief(key)} has {value.dim()} dimensions, more than any weight")
        if value.is_floating_point() and not value.isfinite().all():
            raise WeightsError(f"{path}: {brief(key)} holds values that are not finite; the file is damaged")
        if key.endswith("running_var") and (value < 0).any():
            raise WeightsError(f"{path}: {brief(key)} holds negative variances; the file is damaged")
    return state, metadata


def check_header(path: Path) -> None:
    """Raise WeightsError or StyleFolderError for a weights file that is missing, may not be read, is empty, cut, or none at
    all: what can be told without reading the tensors."""
    if not is_there(path):
        raise WeightsError(f"cannot read {path}: there is no such file")
    try:
        with safe_open(path, framework="pt"):
            pass
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read {path}: {brief(error)}; get the style anew") from error


def load_generator(folder: str | Path) -> Generator:
    """The generator of one folder (config.json + model.safetensors): eval mode, float32, on the CPU.

    Raises ConfigError or WeightsError, saying what does not fit, unless keys, shapes and norm match exactly.
    """
    folder = Path(folder)
    config = GeneratorConfig.load(folder / CONFIG)
    with torch.device("meta"):  # shapes alone: a config may ask for far more than the file holds
        generator = create(config)
    wanted = generator.state_dict()
    state, metadata = read_weights(folder / WEIGHTS, wanted)
    if metadata.get("norm", config.norm) != config.norm:
        raise WeightsError(f"{folder / WEIGHTS} holds a {brief(metadata['norm'])}-norm generator, {CONFIG} says {config.norm}")
    for problem, keys in (("unknown", state.keys() - wanted.keys()), ("missing", wanted.keys() - state.keys())):
        if keys:
            batch = any(key.endswith("running_mean") for key in keys)
            hint = " (batch norm keeps running statistics, the other norms do not)" if batch else ""
            raise WeightsError(
                f"{folder / WEIGHTS} does not fit a {config.norm}-norm {config.architecture} of width {config.width}: "
                f"{len(keys)} {problem} tensors, first {brief(min(keys))}{hint}"
            )
    for key, value in wanted.items():
        if state[key].shape != value.shape or state[key].is_floating_point() != value.is_floating_point():
            got, need = tuple(state[key].shape), tuple(value.shape)
            raise WeightsError(f"{folder / WEIGHTS}: {key} is {got} {state[key].dtype}, config.json needs {need} {value.dtype}")
    generator.load_state_dict({key: state[key].to(value.dtype) for key, value in wanted.items()}, assign=True)
    return generator.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def load(style: str | Path, norm: str = "instance") -> Generator:
    """The generator of that norm of a style folder. Raises StyleFolderError when the folder has none, WeightsError when it is
    damaged: see `load_generator` and `check_recorded`."""
    if norm not in (have := list_norms(style)):
        held = f"it holds {' and '.join(have)}" if have else f"it has no {CONFIG}"
        raise StyleFolderError(f"{style} has no {norm}-norm generator: {held}")
    generator = load_generator(twin_folder(style, norm))
    if generator.config.norm != norm:
        raise StyleFolderError(
            f"{twin_folder(style, norm)} should hold {norm} norm, its config.json says {generator.config.norm}"
        )
    check_recorded(style, norm, generator.state_dict())
    return generator
