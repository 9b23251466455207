"""Everything that can go wrong for a reason the user can mend.

    ZooError
    ├── ConfigError         a config.json or a setting that is not valid
    ├── WeightsError        a weights file that is broken or belongs to another generator
    ├── StyleFolderError    a style folder that is incomplete
    ├── StyleNotFoundError  no style of that name
    ├── PhotoError          a picture that cannot be read, is too small or too large
    ├── VideoError          a film that cannot be read or written
    ├── DeviceError         a device that this machine lacks
    ├── DoneInPart          some of many pictures failed, and the others are there
    ├── ClusterError        a cluster that cannot be had, or fails
    ├── TrainingError       a training or a measurement that cannot start or go on
    └── HubError            something about the Hub
        ├── HubNotFoundError     no such repository, revision or file there
        ├── HubAccessError       gated, private, or a token that is wrong or missing
        └── HubUnavailableError  unreachable, overloaded, or a transfer that broke off

The library raises these; the edge translates: the command line prints one line and exits with code 2 (3 for DoneInPart), the
page shows a message. The text of each says what came, what is needed and how to fix it.
"""

import reprlib

LONGEST = 4000  # characters of an error


def printable(words: object) -> str:
    """Words that a stranger may have written, as one line: no control characters, which a terminal would obey, nor anything
    else that shows nothing, and nothing that UTF-8 lacks."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in str(words))


def brief(words: object, longest: int = 160) -> str:
    """`printable`, cut down in its middle to `longest` characters."""
    line, half = printable(words), (longest - 3) // 2
    return line if len(line) <= longest else f"{line[:half]}...{line[-half:]}"


class ZooError(Exception):
    """Base of every error that Missing Ingredient raises on purpose. Its text is one line that may be shown anywhere: what a
    stranger wrote and an error quotes has no control characters, and is cut down when it is long."""

    def __init__(self, words: object = ""):
        super().__init__(brief(words, LONGEST))


class ConfigError(ZooError):
    """A configuration key is unknown, missing, of the wrong type or out of range."""


class WeightsError(ZooError):
    """A weights file is unreadable, not finite, or does not fit the generator it is loaded into."""


class StyleFolderError(ZooError):
    """A style folder lacks a file it must have, or cannot be written."""


class StyleNotFoundError(ZooError):
    """No bundled or local style answers to that name."""


class PhotoError(ZooError):
    """A picture cannot be read, or is too small or too large to stylize."""


class VideoError(ZooError):
    """A film cannot be read, or what comes of it cannot be written."""


class DeviceError(ZooError):
    """The device asked for does not exist on this machine."""


class DoneInPart(ZooError):
    """Some of many pictures failed, and the others are there."""


class ClusterError(ZooError):
    """A cluster that was asked for cannot be had, or fails."""


class TrainingError(ZooError):
    """A training or a measurement cannot start or go on."""


class HubError(ZooError):
    """The Hub answers something that cannot be used."""


class HubNotFoundError(HubError):
    """The Hub has no such repository, revision or file."""


class HubAccessError(HubError):
    """The repository is gated or private, or the token is wrong, missing or not allowed to do this."""


class HubUnavailableError(HubError):
    """The Hub cannot be reached, is overloaded, limits the rate, or a transfer broke off: later it may work."""


def shorten(value: object) -> str:
    """What came, for an error: as Python writes it, cut down in its middle when it is long; control characters escaped."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = 80
    return brief.repr(value)
