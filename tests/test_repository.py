"""The repository as a whole: layers, licences, bundled styles, size."""

import ast
import json
import re
import statistics
import subprocess
from pathlib import Path

import pytest
import yaml

import space
import training
import zoo
from tests.conftest import ROOT
from training.measure.picture_errors import STYLE_WEIGHT
from zoo.card import make_card
from zoo.catalog import find, photo_styles
from zoo.folder import tensors_sha256
from zoo.style import BUNDLED

PACKAGES = ("zoo", "training", "space")
# who may import what of our own, and who alone may import these libraries
MAY_IMPORT = {"zoo": {"zoo"}, "training": {"training", "zoo"}, "space": {"space", "zoo"}}
ONLY_IN = {"gradio": {"space"}, "accelerate": {"training"}, "huggingface_hub": {"zoo"}}


def imports(path: Path) -> set[str]:
    """Top-level names of everything a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    for path in (ROOT / package).rglob("*.py"):
        found = imports(path)
        assert found & set(PACKAGES) <= MAY_IMPORT[package], path
        for library, packages in ONLY_IN.items():
            assert library not in found or package in packages, f"{path} imports {library}"
        assert "huggingface_hub" not in found or path.parent == ROOT / "zoo" / "hub", path
        assert "av" not in found or path == ROOT / "zoo" / "video.py", path
        assert not {"ray", "pyarrow"} & found or path == ROOT / "zoo" / "cluster.py", path


def test_libraries_are_used_by_their_public_names():
    """(issue 13, item 10)"""
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert not [name for name in (*node.module.split("."), *(a.name for a in node.names)) if _is_private(name)], (
                    path
                )


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_end_before_the_next_major_version(file):
    """(issue 13, item 10)"""
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-")):
            assert re.fullmatch(r"[\w-]+>=[\d.]+,<\d+", line), line


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # not a git checkout: everything that is not a folder of some tool
        return [path for path in ROOT.rglob("*") if path.is_file() and not path.relative_to(ROOT).parts[0].startswith(".")]
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def test_the_tracked_tree_is_small_and_holds_no_pickles():
    files = tracked()
    assert sum(path.stat().st_size for path in files) < 48 * 2**20
    assert not [path for path in files if path.suffix in {".pt", ".pth", ".pkl", ".bin", ".ckpt"}]


def test_python_files_stay_short():
    assert not [path for path in tracked() if path.suffix == ".py" and len(path.read_text().splitlines()) > 300]


def test_notice_names_every_photo_painting_and_weight():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    photos = [ROOT / "zoo" / "photo.jpg", *(ROOT / "space" / "examples").iterdir()]
    for path in [*photos, *(ROOT / "training" / "weights").iterdir()]:
        assert path.relative_to(ROOT).as_posix() in notice
    for style in zoo.list_styles():
        assert style.title in notice and style.painting["author"] in notice


# what users may rely on: a name that comes or goes does so here, on purpose
EXPORTS = {
    zoo: "GeneratorConfig Style Target ZooError blend create find finish list_architectures list_styles load paint publish "
    "pull save stylize texture",
    training: "Painting RunOptions TrainConfig run",
    space: "build_demo launch_options",
}


@pytest.mark.parametrize("package", EXPORTS, ids=lambda package: package.__name__)
def test_the_public_api(package):
    """Exactly these names, and each is there (issue 13, item 17)."""
    assert sorted(package.__all__) == EXPORTS[package].split()
    assert all(getattr(package, name) is not None for name in package.__all__)


STYLES = sorted(path.name for path in BUNDLED.iterdir() if path.is_dir())


@pytest.mark.parametrize("slug", STYLES)
def test_a_bundled_style_is_complete_and_says_where_it_came_from(slug):
    style = find(slug)
    assert style.source == "bundled" and style.norms == ["instance", "batch"]
    names = ("README.md", "config.json", "model.safetensors", "recipe.yaml", "metrics.json")
    assert all((style.folder / name).is_file() for name in (*names, "batch/config.json", "batch/model.safetensors"))
    assert {"title", "author", "year", "licence", "source", "file", "sha256"} <= style.painting.keys()
    card = (style.folder / "README.md").read_text(encoding="utf-8")
    assert card == make_card(style)
    assert yaml.safe_load(card.split("---\n")[1])["license"] == "apache-2.0"


@pytest.mark.parametrize("slug", STYLES)
def test_twins_differ_in_norm_alone(slug):
    instance, batch = (json.loads((BUNDLED / slug / part / "config.json").read_text()) for part in (".", "batch"))
    assert {key for key in instance if instance[key] != batch[key]} == {"norm"}


@pytest.mark.parametrize("slug", STYLES)
def test_the_generators_are_those_that_were_recorded(slug):
    """(issue 13, item 38)"""
    metrics, norms = find(slug).metrics, ("instance", "batch")
    assert metrics["weights"] == {norm: tensors_sha256(zoo.load(slug, norm).state_dict()) for norm in norms}
    assert metrics["config"].keys() == {*norms}  # loading compares them


@pytest.mark.parametrize("slug", [style.slug for style in photo_styles()])
def test_instance_norm_is_measured_far_below_the_photo_and_below_its_twin(slug):
    style = find(slug)
    assert style.held_out.keys() >= {"256", "512"}
    for record in (*style.held_out.values(), style.metrics["errors"]):
        assert len(record["photos"]) == 24
    errors = style.errors
    assert errors["instance"]["style"] < 0.5 * errors["photo"]["style"]
    both = {norm: errors[norm]["content"] + STYLE_WEIGHT * errors[norm]["style"] for norm in ("instance", "batch")}
    assert both["instance"] < both["batch"]
    assert style.faded["instance"] > 0.99 and style.faded["batch"] < 0.8


def lower_by(key: str) -> list[float]:
    """By how many per cent instance norm's errors, content + 4 × style or one of them, are below batch norm's, by style."""
    found = []
    for style in (style for style in photo_styles() if style.source == "bundled"):
        errors = {norm: {**each, "sum": each["content"] + STYLE_WEIGHT * each["style"]} for norm, each in style.errors.items()}
        found.append(100 * (1 - errors["instance"][key] / errors["batch"][key]))
    return found


LEAD = r"content \+ 4 × style is ([\d.]+)% \(([\d.]+)% to (\d+)%\) lower.*?error alone (\d+)% \((\d+)% to (\d+)%\)"


@pytest.mark.parametrize("page", ["ZOO.md", "REPRODUCTION.md"])
def test_both_pages_tell_the_lead_that_was_measured(page):
    (told,) = re.findall(LEAD, (ROOT / "docs" / page).read_text(encoding="utf-8"), re.S)
    measured = [of(lower_by(key)) for key in ("sum", "style") for of in (statistics.median, min, max)]
    for figure, value in zip(told, measured, strict=True):
        assert abs(float(figure) - value) < (0.06 if "." in figure else 0.51), (figure, value)


def test_the_table_of_the_zoo_tells_what_was_measured():
    text = (ROOT / "docs" / "ZOO.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[.*?/styles/(.*?)/README.*\| ([\d.]+), ([\d.]+) \| (\d+)% \| (\d+)% \| (\d+)% \|$", text, re.M)
    leads = dict(zip([style.slug for style in photo_styles()], lower_by("sum"), strict=True))
    assert {slug for slug, *_ in rows} == leads.keys()
    for slug, *told in rows:
        errors, faded = find(slug).errors["instance"], find(slug).faded
        measured = [errors["content"], errors["style"], leads[slug], 100 * faded["batch"], 100 * faded["instance"]]
        for figure, value, close in zip(told, measured, (0.0051, 0.00051, 0.51, 0.51, 0.51), strict=True):
            assert abs(float(figure) - value) < close, (slug, figure, value)


@pytest.mark.parametrize("slug", STYLES)
def test_the_stored_weights_paint_as_the_trained_ones(slug):
    storage = find(slug).metrics["storage"]
    assert storage.keys() == {"instance", "batch"}
    assert all(found["within_2_levels"] >= 0.9999 for found in storage.values())
