"""Hidden files that lie beside a file while it is made, and are found by its name should whoever made it be killed."""

import hashlib
import os
import uuid
from pathlib import Path


def beside(path: Path, ending: str) -> Path:
    """The hidden file of `path` with such an ending: short, however long its name is, and no name of a picture."""
    return path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}{ending}")


def new_part(path: Path) -> Path:
    """A file to write before it takes the place of `path`: another each time, as others may write the same."""
    return beside(path, f".{uuid.uuid4().hex}.part")


def remove_parts(path: Path) -> None:
    """Remove what killed writers of `path` have left. Nobody else may write it at the time."""
    for part in path.parent.glob(beside(path, ".*.part").name):
        part.unlink(missing_ok=True)
