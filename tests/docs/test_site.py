"""`make docs`: the site holds everything that is public, and nothing that leads nowhere."""

import ast
import html
import re
import shutil
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import pytest

from tests.conftest import ROOT

pytest.importorskip("mkdocs")
pytestmark = pytest.mark.slow


def build(source, target):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", source / "mkdocs.yml", "-d", target]
    return subprocess.run(list(map(str, command)), cwd=source, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    done = build(ROOT, folder := tmp_path_factory.mktemp("site"))
    assert done.returncode == 0, done.stderr
    return folder


def pages(site):
    return {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_every_public_function_and_class_is_in_the_reference(site):
    for path in (path for package in ("zoo", "training", "space") for path in (ROOT / package).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if module.split(".")[-1].startswith("_"):
            continue
        page = (site / "reference" / f"{module}.html").read_text(encoding="utf-8")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert f'id="{module}.{node.name}"' in page, f"{module}.{node.name}"


def test_every_flag_of_every_command_is_in_the_reference(site):
    text = html.unescape((site / "reference" / "commands.html").read_text(encoding="utf-8"))
    paths = [*(ROOT / "training").glob("*.py"), ROOT / "zoo" / "__main__.py", ROOT / "space" / "deploy.py"]
    flags = {flag for path in paths for flag in re.findall(r'add_argument\([^)]*?"(--[a-z-]+)"', path.read_text("utf-8"))}
    assert len(flags) > 30 and not [flag for flag in flags if flag not in text]


def test_every_link_leads_to_something_and_nothing_is_fetched_from_elsewhere(site):
    for path, text in pages(site).items():
        if path.name == "404.html":  # of whatever depth: its links begin at the root
            continue
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            parts = urlsplit(html.unescape(link))
            if parts.scheme or parts.netloc:
                assert not re.search(rf'(?:<script|<img|<link rel="(?!canonical)[^>]*)[^>]*"{re.escape(link)}"', text), (
                    path,
                    link,
                )
            elif parts.path:
                assert (path.parent / unquote(parts.path)).exists(), (path, link)


def test_a_link_to_nothing_and_a_missing_picture_are_errors(tmp_path):
    (tmp_path / "space").mkdir()
    shutil.copy(ROOT / "space" / "mark.svg", tmp_path / "space")
    for name in ("docs", "zoo"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.safetensors", "experiments", "__pycache__")
        )
    for path in [*ROOT.glob("*.md"), ROOT / "mkdocs.yml", ROOT / "NOTICE"]:
        shutil.copy(path, tmp_path)
    with open(tmp_path / "docs" / "HUB.md", "a", encoding="utf-8") as file:
        file.write("\n[nothing](NOTHING.md)\n\n![nothing](images/nothing.jpg)\n")
    with open(tmp_path / "zoo" / "cli.py", "a", encoding="utf-8") as file:
        file.write("\n\ndef undocumented() -> None:\n    pass\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert all(word in done.stderr for word in ("NOTHING.md", "images/nothing.jpg", "zoo.cli.undocumented")), done.stderr
