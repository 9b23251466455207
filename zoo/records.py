"""What a style folder records of itself: YAML and JSON, read as what strangers wrote has to be read.

The one place where either is parsed. YAML is taken as far as JSON goes: mappings, lists, text, numbers, true, false, null.
Without anchors, aliases and merge keys a file cannot grow while it is read, and with a bound on its values none takes long.
"""

import json
import math
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from zoo.errors import StyleFolderError, shorten

LIMITS = {".yaml": 64 * 2**10, ".json": 512 * 2**10, ".md": 512 * 2**10}  # bytes; the zoo's own have 16 KiB at most
MAX_VALUES, MAX_DEPTH, MAX_DIGITS = 4096, 16, 64  # of YAML: its reader makes some 20,000 values a second
TOO_MUCH = f"more than {MAX_VALUES} values, or more than {MAX_DEPTH} within each other"
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")}
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where there is one, ten times as fast
    """YAML that is as plain as JSON. Dates are text, as is whatever else YAML knows of its own."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag in _PLAIN or tag.endswith(":merge")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads: a value that occurs twice is written twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _refusal(why: str, at: yaml.Event | yaml.Node) -> yaml.YAMLError:
    return yaml.composer.ComposerError(None, None, why, at.start_mark)  # type: ignore[arg-type]  # either kind of mark will do


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        if error.problem != "exceeded maximum nesting depth":  # libyaml's own, of a thousand, which it looks ahead for
            raise
        raise ValueError(TOO_MUCH) from error


def _check_size(text: str) -> None:
    """Refuse what would grow, or take long, while it is read."""
    values = depth = 0
    for event in _events(text):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors and aliases (&name, *name) are not read: write the value out", event)
        values += isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if values > MAX_VALUES or depth > MAX_DEPTH:
            raise _refusal(TOO_MUCH, event)


def _check_node(node: yaml.Node) -> None:
    """Refuse what JSON does not have, and what would be lost."""
    if node.tag not in _PLAIN:
        kind = node.tag.rpartition(":")[2][:40]
        raise _refusal(f"{kind!r} is not read: only text, numbers, true, false, null, lists and mappings are", node)
    if node.tag in _NUMBERS and len(node.value) > MAX_DIGITS:
        raise _refusal(f"a number of {len(node.value)} digits", node)
    inside = node.value if isinstance(node, yaml.SequenceNode) else ()
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(keys) != len(set(keys)):  # the last would silently win
            raise _refusal(f"the key {next(key for key in keys if keys.count(key) > 1)[:40]!r} stands there twice", node)
        inside = [part for pair in node.value for part in pair]
    for part in inside:
        _check_node(part)


def parse_yaml(text: str) -> object:
    """What a YAML text says. Raises ValueError, saying where, for one that is broken, too large, or more than plain values."""
    if len(text) > LIMITS[".yaml"]:
        raise ValueError(f"more than {LIMITS['.yaml'] >> 10} KiB")
    try:
        _check_size(text)
        loader = _Loader(text)
        try:
            if (node := loader.get_single_node()) is None:
                return None
            _check_node(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except Exception as error:  # yaml raises nearly anything on what a stranger may write
        raise ValueError(str(error) or type(error).__name__) from error


def dump_yaml(value: object) -> str:
    """The YAML text of plain values, which `parse_yaml` reads."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def read(path: Path) -> object:
    """What a YAML file says, or a .json: numbers that are finite, text that can be written, mappings by text, lists of these.

    Raises OSError or ValueError when it cannot be read, is larger than records are, or says anything else.
    """
    kind = ".json" if path.suffix == ".json" else ".yaml"
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("it is no file")  # a pipe would be waited for
    if about.st_size > (limit := LIMITS[kind]):
        raise ValueError(f"it has {about.st_size >> 10:,} KiB, more than the {limit >> 10} of a record")
    text = path.read_text(encoding="utf-8")
    try:
        found = json.loads(text) if kind == ".json" else parse_yaml(text)
        _check(found)
    except RecursionError as error:
        raise ValueError("its values lie too deep within each other") from error
    return found


def _check(value: object, key: object = None) -> None:
    """Raise ValueError, naming the key, for a value that whoever uses it would stumble over."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise ValueError(f"keys are text, got {shorten(name)}{_at(key)}")
            _check(name)
            _check(item, name)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            _check(item, number)
    elif isinstance(value, str):
        value.encode()  # raises a ValueError for half a character
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a number that is not finite{_at(key)}")
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError(f"a number of {value.bit_length()} bits, more than 64,{_at(key)}")


def _at(key: object) -> str:
    return "" if key is None else f" at {shorten(key)}"


def is_there(path: Path) -> bool:
    """Whether a style folder has that file, which is looked at and not read.

    Raises StyleFolderError where something stands in its place: a folder, a pipe, a link to nothing, a file that may not be
    read. What is broken must not pass for what is absent: without metrics.json nothing would be compared with its SHA-256.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        pass  # as the next lines say
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise StyleFolderError(f"cannot read {path}: it is no file; put one there, or take it away")
        with path.open("rb"):
            return True
    except OSError as error:
        raise StyleFolderError(f"cannot read {path}: {error.strerror}; mend that, or take it away") from error


def read_record(path: Path) -> dict[str, Any]:
    """The mapping in a .yaml or .json file of a style folder; empty when it has no such file.

    Raises StyleFolderError, naming the file, when it cannot be read or holds something else.
    """
    try:
        found = read(path) if is_there(path) else {}
    except (OSError, ValueError) as error:
        raise StyleFolderError(f"cannot read {path}: {error}") from error
    if not isinstance(found, dict):
        raise StyleFolderError(f"{path} should hold a mapping, it holds {type(found).__name__}")
    return found


def read_log(path: Path) -> list[dict[str, Any]]:
    """Records of a loss log; a line torn by a crash, or of other making, is left out. Empty when there is no log."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    records = []
    for line in lines:
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict) and isinstance(record.get("step"), int):
                records.append(record)
    return records
