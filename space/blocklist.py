"""Styles of the Hub that this page does not show, nor any adapter of them: a list that its operator keeps.

MISSING_INGREDIENT_BLOCKED holds names, "eve/bad mallory/*", or the path of a file with one in each line, which is whole or
begins with a dot, so that a file that goes away never is taken for a style's name. It is read anew each time.
"""

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path

from zoo.errors import ConfigError, StyleNotFoundError, brief, shorten
from zoo.folder import CONFIG, twin_folder
from zoo.records import read_record
from zoo.style import Style

VARIABLE = "MISSING_INGREDIENT_BLOCKED"
PATTERN = re.compile(r"[\w.*?-]+/[\w.*?-]+")


def is_blocked(name: str) -> bool:
    """Whether owner/name[@revision] stands on the list, in whatever letters; a bundled or local style never does."""
    repo = name.partition("@")[0].strip().casefold()
    return "/" in repo and any(fnmatchcase(repo, pattern.casefold()) for pattern in patterns())


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


def patterns() -> list[str]:
    """What the list says. Raises ConfigError for one that cannot be read, and for a word in it that could be no style's name:
    what somebody meant to block is not shown for a slip of the pen."""
    said = os.environ.get(VARIABLE, "")
    if os.path.isabs(said) or said.startswith("."):
        try:
            lines = Path(said).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or brief(error)  # without the path, as visitors may see it
            raise ConfigError(f"the file that {VARIABLE} names cannot be read: {why}") from error
        said = " ".join(line.partition("#")[0] for line in lines)
    elif os.path.isfile(said):
        raise ConfigError(f"{VARIABLE} holds {shorten(said)}, which is a file: give its whole path")
    words = said.replace(",", " ").split()
    for word in words:
        if not PATTERN.fullmatch(word):
            what = "owner/name, owner/*, or a file with one of these in each line"
            raise ConfigError(f"{VARIABLE} holds {shorten(word)}, which blocks nothing: it takes {what}")
    return words
