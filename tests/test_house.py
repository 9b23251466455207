"""The house's rules: imports point one way and in no circle, libraries know no command, functions and files stay small."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("zoo", "training", "space", "benchmarks")
MOST_PARAMETERS, MOST_LINES = 7, 300


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imported(name: str) -> set[str]:
    """Modules of ours that a module imports, wherever in it. `from package import module` is an import of the module; that the
    package itself is set up before is Python's business."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & MODULES.keys() or {node.module}
    return (found & MODULES.keys()) - {name}


def is_command(name: str) -> bool:
    """Whether `python -m` runs it."""
    return any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in TREES[name].body)


def test_imports_are_found():
    assert {"zoo.folder", "zoo.registry"} <= imported("zoo.style") and "zoo" not in imported("zoo.style")
    assert is_command("training.train") and is_command("zoo.__main__") and not is_command("zoo.folder")


def test_imports_make_no_circle():
    """Issue 14."""
    try:
        TopologicalSorter({name: imported(name) for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_library_imports_a_command():
    """Issue 14."""
    commands = {name for name in MODULES if is_command(name)}
    wrong = {name: found for name in MODULES if name not in commands and (found := imported(name) & commands)}
    assert not wrong


def test_nothing_is_imported_for_types_alone():
    """TYPE_CHECKING hides a circle."""
    assert not [name for name, path in MODULES.items() if "TYPE_CHECKING" in path.read_text(encoding="utf-8")]


def test_functions_take_few_parameters():
    """Issue 14."""
    many = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                taken = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                if len([arg for arg in taken if arg not in ("self", "cls")]) > MOST_PARAMETERS:
                    many.append(f"{name}.{node.name}")
    assert not many


def test_files_stay_short():
    long = [name for name, path in MODULES.items() if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES]
    assert not long
