"""What the repository says of itself in files that no program of ours reads."""

import re

import pytest
import yaml

import zoo
from tests.conftest import ROOT
from tests.test_repository import tracked

YAML = [path for path in tracked() if path.suffix in (".yml", ".cff") and path.name != "mkdocs.yml"]


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_forms_and_workflows_can_be_read(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_the_workflow_calls_what_there_is_on_every_python_that_is_promised():
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    called = re.findall(r"- run: (.*)", text)
    assert called and all(line.removeprefix("make ") in targets or (ROOT / line).is_file() for line in called), called
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    assert yaml.safe_load(text)["jobs"]["unit"]["strategy"]["matrix"]["python"][0] == oldest


def test_one_version():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == zoo.__version__
    assert f"\n## {zoo.__version__} - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert 'dynamic.version.attr = "zoo.__version__"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_places_that_security_names_are_there():
    places = re.findall(r"`((?:zoo|space|training)/[\w/]+\.py)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(places) > 4 and all((ROOT / place).is_file() for place in places)
