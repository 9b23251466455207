"""The Space: what is uploaded, and that the page starts from it in an empty folder."""

import itertools
import os
import subprocess
import sys

import pytest
import yaml

from space import lessons, opening
from space.deploy import main, requirements, space_files
from space.settings import PHOTOS
from tests.conftest import ROOT, free_port
from tests.test_repository import imports
from zoo.folder import LOCK


def test_exactly_what_the_space_needs(hub, capsys):
    files = space_files()
    assert {
        "app.py",
        "README.md",
        "requirements.txt",
        "zoo/engine/painting.py",
        "zoo/hub/pull.py",
        "space/ui.py",
        "space/style.css",
        "NOTICE",
    } <= files.keys()
    assert {name.split("/")[0] for name in files if "/" in name} == {"LICENSES", "space", "zoo"}
    assert not [name for name in files if "__pycache__" in name or name.startswith(("training", "tests"))]
    for style in (ROOT / "zoo" / "styles").iterdir():
        assert {f"zoo/styles/{style.name}/{part}model.safetensors" for part in ("", "batch/")} <= files.keys()
    assert main(["--to", "alice/demo", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"{len(files)} files" in said and f"would make {hub.url}/spaces/alice/demo" in said and not hub.repos


def test_without_a_network_the_files_are_listed_all_the_same(capsys, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("zoo.hub.waiting.PAUSES", ())
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    assert main(["--to", "alice/demo", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"{len(space_files())} files" in said and "cpu-basic\nwould go to alice/demo" in said and "cannot be reached" in said
    assert main(["--to", "alice/demo"]) == 2 and "cannot be reached" in capsys.readouterr().err


def test_locks_of_styles_stay_here(tmp_path, monkeypatch):
    (style := tmp_path / "zoo" / "styles" / "mine").mkdir(parents=True)
    for path in (style / "config.json", style / LOCK, tmp_path / "requirements.txt"):
        path.touch()
    monkeypatch.setattr("space.deploy.ROOT", tmp_path)
    assert space_files().keys() == {"README.md", "requirements.txt", "zoo/styles/mine/config.json"}


def test_another_space_is_not_overwritten(hub, logged_in, capsys):
    """(issue 13, item 22)"""
    other = hub.add("alice/docker", {"README.md": b"---\nsdk: docker\n---\n", "Dockerfile": b"FROM x"}, kind="space")
    held = other.commits[other.refs["main"]]
    for more in ([], ["--dry-run"]):
        assert main(["--to", "alice/docker", *more]) == 2
        assert "is no Space of this page" in capsys.readouterr().err and other.commits[other.refs["main"]] == held
    assert main(["--to", "alice/docker", "--dry-run", "--replace"]) == 0 and "would REPLACE" in capsys.readouterr().out
    assert other.commits[other.refs["main"]] == held


def test_files_of_one_s_own_are_kept_unless_they_lie_where_the_page_is(hub, logged_in, capsys, monkeypatch):
    page = {"README.md": "---\ntags: [missing-ingredient]\nsdk: gradio\n---\n", "space/ui.py": "new"}
    monkeypatch.setattr("space.deploy.space_files", lambda hardware: page)
    own = {"notes.md": b"mine", "data/a.csv": b"mine", "space/old.py": b"old"}
    repo = hub.add("alice/demo", {"README.md": page["README.md"].encode(), **own}, kind="space", sdk="gradio")
    assert main(["--to", "alice/demo", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("spaces/alice/demo, and remove space/old.py\n")
    assert main(["--to", "alice/demo"]) == 0
    assert repo.commits[repo.refs["main"]].keys() == {*page, "notes.md", "data/a.csv"}
    assert main(["--to", "alice/demo", "--dry-run", "--replace"]) == 0
    assert capsys.readouterr().out.endswith(", and remove data/a.csv, notes.md\n")
    assert main(["--to", "alice/demo", "--replace"]) == 0
    assert repo.commits[repo.refs["main"]].keys() == page.keys()


def test_the_front_matter_is_a_gradio_space():
    card = yaml.safe_load((ROOT / "space" / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert card["sdk"] == "gradio" and card["app_file"] == "app.py" and len(card["short_description"]) <= 60
    assert card["hf_oauth"] is True and card["hf_oauth_scopes"] == ["contribute-repos"]
    assert card["suggested_hardware"] == "cpu-basic"


def test_requirements_are_what_the_page_imports_built_for_what_it_runs_on():
    """(issue 13, item 31)"""
    named = {"PIL": "pillow", "yaml": "pyyaml"}
    imported = {name for package in ("zoo", "space") for path in (ROOT / package).rglob("*.py") for name in imports(path)}
    imported = {named.get(name, name) for name in imported - sys.stdlib_module_names - {"zoo", "space", "app"}}
    for hardware in ("cpu-basic", "cpu-upgrade", "t4-small", "zero-a10g"):
        lines = requirements(hardware).splitlines()
        assert lines[0].startswith("--extra-index-url https://download.pytorch.org/whl/cpu") == hardware.startswith("cpu")
        listed = {line.split(">=")[0] for line in lines if not line.startswith("--")}
        elsewhere = {"gradio", "anyio", "pandas", "starlette"}  # the card's sdk_version
        elsewhere |= {"av", "onnx", "onnxruntime", "openvino", "pyarrow", "ray"}  # extras
        assert listed == imported - elsewhere


def test_the_pictures_are_those_that_the_page_shows():
    """(issue 13, item 31)"""
    files = space_files()
    for path in (*opening.PICTURES.values(), *PHOTOS, *itertools.chain(*lessons.SHOWN.values())):
        assert path.relative_to(ROOT).as_posix() in files
    shown = {name.rsplit("/", 1)[1] for name in files if "/images/" in name}
    assert shown == {"batch.jpg", "instance.jpg", "painting.jpg"}


@pytest.mark.slow
def test_a_space_keeps_its_hardware_and_gets_the_requirements_of_it(hub, logged_in, capsys):
    """(issue 13, item 31)"""

    def held():
        repo = hub.repos["space", "alice/demo"]
        return repo.commits[repo.refs["main"]]["requirements.txt"].decode()

    assert main(["--to", "alice/demo", "--hardware", "t4-small"]) == 0
    assert hub.repos["space", "alice/demo"].hardware == "t4-small" and "whl/cpu" not in held()
    assert main(["--to", "alice/demo", "--dry-run"]) == 0 and "for t4-small" in capsys.readouterr().out
    assert main(["--to", "alice/demo"]) == 0 and "whl/cpu" not in held()
    assert main(["--to", "alice/demo", "--hardware", "cpu-basic"]) == 0 and "whl/cpu" in held()


@pytest.mark.slow
def test_a_static_space_gets_what_is_built_and_no_other_page_goes_over_it(hub, logged_in, pair, ort, capsys):
    """Issue 17."""
    pytest.importorskip("onnx")
    static = ["--static", "--styles", str(pair), "--ort", str(ort), "--to", "alice/browser"]
    assert main([*static, "--dry-run"]) == 0 and not hub.repos
    assert "sw.js" in (told := capsys.readouterr().out) and "static" in told
    assert main(static) == 0
    repo = hub.repos["space", "alice/browser"]
    files = repo.commits[repo.refs["main"]]
    assert repo.sdk == "static" and repo.hardware is None
    assert {"index.html", "README.md", "NOTICE", "ort/ort.wasm.min.mjs", "styles/small-pair-batch.onnx"} <= files.keys()
    assert b"\nsdk: static\n" in files["README.md"]
    assert main(["--to", "alice/browser"]) == 2
    assert "it is a static one, not gradio" in capsys.readouterr().err and repo.commits[repo.refs["main"]] == files
    assert main([*static, "--hardware", "t4-small"]) == 2 and "--hardware" in capsys.readouterr().err
    assert main(["--to", "alice/browser", "--ort", str(ort)]) == 2 and "--static" in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_starts_from_what_was_uploaded(hub, logged_in, tmp_path):
    assert main(["--to", "alice/demo"]) == 0
    repo = hub.repos["space", "alice/demo"]
    for name, data in repo.commits[repo.refs["main"]].items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(data)
    code = (
        "import app, urllib.request; from space import launch_options\n"
        f"_, url, _ = app.demo.launch(prevent_thread_lock=True, quiet=True, server_port={free_port()}, **launch_options())\n"
        "icon = urllib.request.urlopen(url + 'favicon.ico').read()\n"
        "print(urllib.request.urlopen(url).status, b'svg' in icon, len(app.demo.blocks))"
    )
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "tree", capture_output=True, text=True, timeout=120, env=env
    )
    assert done.stdout.startswith("200 True "), done.stderr
    assert main(["--to", "alice/demo"]) == 0 and len(repo.commits) == 2  # nothing changed: no commit
