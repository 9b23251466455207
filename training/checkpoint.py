"""Checkpoints of a run: one file each, written whole or not at all, the newest two kept."""

import io
import os
from pathlib import Path

import torch

from zoo.errors import TrainingError

KEEP = 2


def save_checkpoint(folder: Path, step: int, state: dict) -> Path:
    """Write `state` as folder/step_NNNNNN.pt by renaming a finished file, then drop all but the newest two."""
    path = folder / f"step_{step:06d}.pt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        buffer = io.BytesIO()  # torch's own file writer reports a full disk in riddles
        torch.save({"step": step, **state}, buffer)
        with open(partial, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the new name without its content
        os.replace(partial, path)
        for old in sorted(folder.glob("step_*.pt"))[:-KEEP]:
            old.unlink()
    except OSError as error:
        raise TrainingError(f"cannot write checkpoint {path} ({error}); earlier checkpoints are untouched") from error
    return path


def load_checkpoint(folder: Path, say=print) -> dict | None:
    """The newest readable checkpoint, or None. A torn one is skipped with a word to `say`."""
    for path in sorted(folder.glob("step_*.pt"), reverse=True):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch.load raises whatever the damage leads to
            say(f"skipping the damaged checkpoint {path.name}: {error}")
    return None
