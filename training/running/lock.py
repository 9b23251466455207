"""One training at a time writes into a folder."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from zoo.errors import TrainingError


@contextmanager
def only_training(folder: Path) -> Iterator[None]:
    """Inside, no other process trains into `folder` (OUT/run), whose file `owner` says who does.

    The lock is the system's own, so that of a process that died is free at once. Raises TrainingError, naming the owner, when
    it is taken, or when nothing can be written there.
    """
    lock, owner = FileLock(folder / "lock", timeout=0), folder / "owner"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        who = owner.read_text(encoding="utf-8").strip() if owner.is_file() else "another process"
        raise TrainingError(f"{who} trains into {folder.parent}: wait for it, stop it, or choose another --out") from error
    except OSError as error:
        raise TrainingError(f"cannot write the run folder {folder}: {error}") from error
    try:
        with suppress(OSError):  # it is there to be read by people alone
            owner.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            owner.unlink()
        lock.release()
