"""An unfinished run in half of its checkpoint's size (training/carry.py says what is carried)."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as serialize

from training.running.checkpoint import load_checkpoint, save_checkpoint
from zoo.errors import TrainingError, WeightsError
from zoo.folder import read_weights, write_whole

TENSORS, STATE, LOG = "state.safetensors", "state.json", "log.jsonl"


def pack(out: Path, folder: Path) -> int:
    """Write what a run in `out` needs to go on elsewhere into `folder`; returns the step. Raises TrainingError without one."""
    state = load_checkpoint(out / "run" / "checkpoints")
    if state is None:
        raise TrainingError(f"{out} holds no checkpoint of a run to carry: give the --out of an unfinished training")
    tensors: dict[str, torch.Tensor] = {}
    record = _take_tensors(state, "", tensors)
    try:
        log = (out / "run" / LOG).read_bytes()
        text = (json.dumps(record) + "\n").encode()
        write_whole({folder / TENSORS: serialize(tensors), folder / STATE: text, folder / LOG: log})
    except OSError as error:
        raise TrainingError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error
    return state["step"]


def unpack(folder: Path, out: Path) -> int:
    """Make of `folder`, which `pack` wrote, a run in `out` that its command goes on with; returns the step.

    Raises TrainingError where `out` holds a run already, or `folder` is none of pack's.
    """
    if (out / "run").exists():
        raise TrainingError(f"{out} holds a run already: choose another folder")
    try:
        record = json.loads((folder / STATE).read_text(encoding="utf-8"))
        state = _put_tensors(record, read_weights(folder / TENSORS)[0])
        step, log = state.pop("step"), (folder / LOG).read_bytes()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, WeightsError) as error:
        raise TrainingError(f"{folder} is no run that was packed ({error})") from error
    try:
        write_whole({out / "run" / LOG: log})
    except OSError as error:
        raise TrainingError(f"cannot write {out}: {error.strerror or error}") from error
    save_checkpoint(out / "run" / "checkpoints", step, state)
    return step


def _take_tensors(value: object, name: str, tensors: dict[str, torch.Tensor]) -> object:
    """A checkpoint's state as JSON has it, with its tensors in `tensors`: kernels in 16 bits, gammas, betas and their like, of
    one axis, as they are. What optimisers remember may be tiny, which bfloat16 holds and float16 does not."""
    if isinstance(value, torch.Tensor):
        small = torch.bfloat16 if "/optimizers/" in name else torch.float16
        tensors[name] = (value.to(small) if value.ndim > 1 else value).contiguous()
        return {"tensor": name}
    if isinstance(value, dict):  # an optimiser numbers its weights, JSON knows no numbers as keys
        named = [(f"#{key}" if isinstance(key, int) else key, each) for key, each in value.items()]
        return {key: _take_tensors(each, f"{name}/{key}", tensors) for key, each in named}
    if isinstance(value, (list, tuple)):
        return [_take_tensors(each, f"{name}/{i}", tensors) for i, each in enumerate(value)]
    return value


def _put_tensors(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The state that `_take_tensors` took apart, its tensors in float32."""
    if isinstance(value, dict):
        if value.keys() == {"tensor"}:
            found = tensors[value["tensor"]]
            return found.float() if found.is_floating_point() else found
        return {int(key[1:]) if key[0] == "#" else key: _put_tensors(each, tensors) for key, each in value.items()}
    return [_put_tensors(each, tensors) for each in value] if isinstance(value, list) else value
