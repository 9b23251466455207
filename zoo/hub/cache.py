"""Styles that were pulled. Each commit is a folder of its own; what lies in it is compared with the Hub's hash at every pull.

    HF_HOME/assets/missing-ingredient/styles/owner--name/       (public/ instead of styles/, of a page for strangers)
        refs/main             the sha that a branch or a tag had when it was asked for last
        <sha>.json            the files of that commit, with sizes and hashes
        <sha>.jpg             its picture, as the Community tab shows it
        <sha>/                the style folder: those of them that were needed so far

What strangers pull is bounded: beyond PUBLIC bytes the files that were written first make room; they are pulled again if need
be.

Not the cache of the Hub's client: it takes whatever has the right length, and the name of a file there from the Hub's answer.
"""

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from huggingface_hub import constants

from zoo import records, trust
from zoo.errors import HubError, HubUnavailableError
from zoo.folder import CONFIG
from zoo.hub.client import reads_as_anybody
from zoo.names import is_hub_id

PUBLIC = 2 * 2**30  # bytes of styles that a page keeps for strangers


@dataclass(frozen=True)
class Listed:
    """A file of a commit, as the Hub lists it: bytes, and its SHA-256 or git's hash."""

    size: int
    sha256: str | None
    git: str | None


def cache_folder() -> Path:
    """Where all of it lies."""
    return Path(constants.HF_ASSETS_CACHE) / "missing-ingredient"


class Cache:
    """What is here of one repository, owner/name."""

    def __init__(self, repo: str):
        kept = "public" if reads_as_anybody() else "styles"  # what the owner may see is not for strangers, cached or not
        self.root = cache_folder() / kept / repo.replace("/", "--")

    def folder(self, sha: str) -> Path:
        """The style folder of a commit."""
        return self.root / sha

    def newest(self, revision: str) -> str | None:
        """The commit that a revision was last known to be."""
        try:
            return self._ref(revision).read_text(encoding="ascii")
        except (OSError, ValueError):
            return None

    def has(self, sha: str, wanted: Callable[[str], bool]) -> bool:
        """Whether every wanted file of a commit is here."""
        try:
            listing: Any = records.read(self.root / f"{sha}.json")
            here = (self._is_here(sha, file, Listed(**known)) for file, known in listing.items() if wanted(file))
            return CONFIG in listing and all(here)  # of nothing at all every file is here
        except (OSError, ValueError, AttributeError, TypeError):  # no such listing, or none of ours
            return False

    def fill(self, sha: str, listing: dict[str, Listed], download: Callable[[str, int], bytes]) -> None:
        """Download what is missing of the listed files, each checked before it is put in its place.

        `download` gives the content of a file by its name and size. Raises HubError when one is damaged or cannot be written.
        """
        for file, known in listing.items():
            if not self._is_here(sha, file, known):
                content = download(file, known.size)
                if not trust.is_sound(content, known.sha256, known.git):
                    raise HubUnavailableError(f"{file} came damaged and was thrown away; pull again")
                self._write(self.folder(sha) / file, content)

    def remember(self, revision: str, sha: str, listing: dict[str, Listed]) -> None:
        """Note which files a commit has, and that a revision is that commit."""
        self._write(self.root / f"{sha}.json", json.dumps({file: asdict(known) for file, known in listing.items()}).encode())
        self._write(self._ref(revision), sha.encode())

    def picture(self, sha: str, fetch: Callable[[], bytes]) -> Path:
        """The picture that stands for a commit, fetched once. Nothing is known of it before: whoever opens it takes care."""
        path = self.root / f"{sha}.jpg"
        if not path.is_file():
            self._write(path, fetch())
        return path

    def _ref(self, revision: str) -> Path:
        return self.root / "refs" / quote(revision, safe="")

    def _is_here(self, sha: str, file: str, known: Listed) -> bool:
        """Whether a file is here, and sound still: of one that was damaged since, nothing else would tell."""
        path = self.folder(sha) / file
        if not path.is_file() or path.stat().st_size != known.size:
            return False
        return trust.is_sound(path.read_bytes(), known.sha256, known.git)

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all, whoever else writes the same at the same time."""
        partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            if self.root.parent.name == "public":
                _make_room(self.root.parent, PUBLIC - len(content))
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            os.replace(partial, path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            why = error.strerror or error
            raise HubError(f"cannot write into the cache, {self.root} ({why}): make room, or set HF_HOME elsewhere") from error


def kept() -> dict[str, str]:
    """What was pulled before: repositories, and of each the commit that is here."""
    found = {}
    with suppress(OSError):
        for folder in sorted(Cache("a/b").root.parent.iterdir()):
            repo = folder.name.replace("--", "/", 1)  # no name on the Hub holds this
            if is_hub_id(repo) and (sha := Cache(repo).newest("main")) and (folder / sha / CONFIG).is_file():
                found[repo] = sha
    return found


def _make_room(folder: Path, limit: int) -> None:
    """Delete the oldest files beneath a folder until all of them together have `limit` bytes at most."""
    files = []
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            if path.is_file():
                files.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit:
            return
        with suppress(OSError):
            path.unlink()
            total -= size
