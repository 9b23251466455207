"""An unfinished run in two megabytes instead of its checkpoint's tens (training/carry.py says what is carried)."""

import json
import shutil
from pathlib import Path

from safetensors.torch import save as serialize

from training.running.checkpoint import load_checkpoint, save_checkpoint
from zoo.errors import TrainingError
from zoo.folder import read_weights, write_whole

STATE, LOG = "state.json", "log.jsonl"
PARTS = ("generator", "average")  # of a twin's state


def pack(out: Path, folder: Path) -> int:
    """Write what a run in `out` needs to go on elsewhere into `folder`; returns the step. Raises TrainingError without one."""
    state = load_checkpoint(out / "run" / "checkpoints")
    if state is None:
        raise TrainingError(f"{out} holds no checkpoint of a run to carry: give the --out of an unfinished training")
    norms = state["run"]["norms"]
    files = {}
    for norm in norms:
        weights = {f"{p}/{key}": value for p in PARTS for key, value in state[norm].get(p, {}).items()}
        half = {key: value.half() if value.ndim > 1 else value for key, value in weights.items()}  # norms have one axis
        files[folder / f"{norm}.safetensors"] = serialize(
            {key: value.contiguous() for key, value in half.items()}, metadata={"norm": norm}
        )
    record = {key: state[key] for key in ("step", "seconds", "run")} | {"guard": {n: state[n]["guard"] for n in norms}}
    files[folder / STATE] = (json.dumps(record, indent=1) + "\n").encode()
    try:
        write_whole(files)
        shutil.copyfile(out / "run" / LOG, folder / LOG)
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
        state = {key: record[key] for key in ("run", "seconds")}
        for norm, guard in record["guard"].items():
            tensors, _ = read_weights(folder / f"{norm}.safetensors")
            parts: dict = {"guard": guard}
            for name, value in tensors.items():
                part, _, key = name.partition("/")
                parts.setdefault(part, {})[key] = value
            state[norm] = parts
        (out / "run").mkdir(parents=True)
        shutil.copyfile(folder / LOG, out / "run" / LOG)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(f"{folder} is no run that was packed ({error})") from error
    save_checkpoint(out / "run" / "checkpoints", record["step"], state)
    return record["step"]
