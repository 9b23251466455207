"""The house: commands above, rooms below, one way (issue 14)."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "training"
PATHS = sorted(FOLDER.rglob("*.py"))


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module(path) for path in PATHS}
COMMANDS = {module(path) for path in FOLDER.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")}


def imported(path: Path) -> set[str]:
    """The modules of training/ that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & NAMES - {"training"}


IMPORTS = {module(path): imported(path) for path in PATHS}


def test_no_library_imports_a_command():
    assert COMMANDS >= {"training.train", "training.evaluate", "training.gatys"}
    assert not {name: found & COMMANDS for name, found in IMPORTS.items() if found & COMMANDS}


def test_there_is_no_circle():
    left = dict(IMPORTS)
    while leaves := [name for name, found in left.items() if not found & left.keys()]:
        left = {name: found for name, found in left.items() if name not in leaves}
    assert not left


def test_types_are_imported_where_they_are_used():
    assert not [path for path in PATHS if "TYPE_CHECKING" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_no_function_takes_more_than_seven_parameters(name):
    for found in vars(import_module(name)).values():
        if not inspect.isroutine(found) and not inspect.isclass(found) or getattr(found, "__module__", None) != name:
            continue
        methods = [] if not inspect.isclass(found) else [m for m in vars(found).values() if inspect.isfunction(m)]
        for function in methods or [found]:
            code = inspect.unwrap(function).__code__ if inspect.isfunction(inspect.unwrap(function)) else None
            if code and "dataclass" not in str(code.co_filename) and code.co_filename != "<string>":
                own = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
                assert len(own) <= 7, f"{function.__qualname__}({', '.join(own)})"
