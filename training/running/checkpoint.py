"""Checkpoints of a run: one file each, written whole or not at all, the newest two kept, checked when they are read."""

import hashlib
import io
import os
from pathlib import Path
from zipfile import ZipFile

import torch

from zoo.device import is_out_of_memory
from zoo.errors import TrainingError

KEEP = 2
SEAL = b"sha256"  # and that of all before it end a checkpoint; older ones have none
NEEDED = ("step", "run", "seconds")  # of a state, without which no run goes on; each twin has its own besides


def save_checkpoint(folder: Path, step: int, state: dict) -> Path:
    """Write `state` and the step as folder/step_NNNNNN.pt by renaming a finished file, then drop all but the newest two up to
    it. The state must hold what is NEEDED."""
    path = folder / f"step_{step:06d}.pt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        buffer = io.BytesIO()  # torch's own file writer reports a full disk in riddles
        torch.save({"step": step, **state}, buffer)
        with open(partial, "wb") as file:
            file.write(buffer.getbuffer())
            file.write(SEAL + hashlib.sha256(buffer.getbuffer()).digest())
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the new name without its content
        os.replace(partial, path)
        kept = checkpoints(folder)
        last = kept.index(path) + 1  # what is newer was damaged, or the run would not have come here
        for old in kept[: max(0, last - KEEP)] + kept[last:]:
            old.unlink()
    except OSError as error:
        raise TrainingError(f"cannot write checkpoint {path} ({error}); earlier checkpoints are untouched") from error
    return path


def load_checkpoint(folder: Path, say=print) -> dict | None:
    """The newest sound checkpoint, or None. A damaged one is skipped with a word to `say`.

    Raises TrainingError for one that may not be read, as going on without it would throw its steps away.
    """
    for path in reversed(checkpoints(folder)):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise TrainingError(f"cannot read checkpoint {path} ({error}): make it readable, or delete it") from error
        try:
            _check(content)
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            if missing := [key for key in NEEDED if key not in state]:
                raise ValueError(f"it lacks {' and '.join(missing)}")
            return state
        except Exception as error:  # torch.load raises whatever the damage leads to
            if is_out_of_memory(error):  # which says nothing of the file
                raise TrainingError(f"out of memory while reading checkpoint {path}: free some and go on") from error
            say(f"skipping the damaged checkpoint {path.name}: {str(error).partition('. ')[0]}")
    return None


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(folder.glob("step_*.pt"), key=lambda path: (len(path.name), path.name))


def _check(content: bytes) -> None:
    """Raise an error for a damaged file. torch compares no check sums; those of the archive, which are all that older
    checkpoints have, do not cover its list of files, where one bit makes torch read other values."""
    body, seal, digest = content[:-38], content[-38:-32], content[-32:]
    if seal == SEAL:
        if hashlib.sha256(body).digest() != digest:
            raise ValueError("check sum")
    elif torn := ZipFile(io.BytesIO(content)).testzip():
        raise ValueError(f"check sum of {torn}")
