"""Styles of the Hub that this page does not show, nor any adapter of them: a list that its operator keeps."""

import os
from fnmatch import fnmatchcase
from pathlib import Path

from zoo.errors import StyleNotFoundError, shorten
from zoo.folder import CONFIG, twin_folder
from zoo.records import read_record
from zoo.style import Style

VARIABLE = "MISSING_INGREDIENT_BLOCKED"  # names, "eve/bad mallory/*", or a file with one in each line; read anew each time


def is_blocked(name: str) -> bool:
    """Whether owner/name[@revision] stands on the list, in whatever letters; a bundled or local style never does."""
    repo = name.partition("@")[0].strip().casefold()
    return "/" in repo and any(fnmatchcase(repo, pattern.casefold()) for pattern in _patterns())


def check_base(style: Style) -> None:
    """Raise StyleNotFoundError for an adapter, which paints with what its base learnt, when that base is blocked."""
    for norm in style.norms:  # of each, as its config says, whose weights may not be here yet
        base = read_record(twin_folder(style.folder, norm) / CONFIG).get("base")
        if isinstance(base, str):
            check(base)


def check(name: str) -> None:
    """Raise StyleNotFoundError for a style that is blocked."""
    if is_blocked(name):
        raise StyleNotFoundError(f"{shorten(name)} is not shown here: who runs this page has blocked it")


def _patterns() -> list[str]:
    said = os.environ.get(VARIABLE, "")
    if said and Path(said).is_file():
        lines = Path(said).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return said.replace(",", " ").split()
