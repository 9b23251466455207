"""The Space: what is uploaded, and that the page starts from it in an empty folder."""

import os
import subprocess
import sys

import pytest
import yaml

from space.deploy import main, space_files
from tests.conftest import ROOT


def test_exactly_what_the_space_needs(hub, capsys):
    files = space_files()
    assert {
        "app.py",
        "README.md",
        "requirements.txt",
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


def test_another_space_is_not_overwritten(hub, logged_in, capsys):
    """(issue 13, item 22)"""
    other = hub.add("alice/docker", {"README.md": b"---\nsdk: docker\n---\n", "Dockerfile": b"FROM x"}, kind="space")
    held = other.commits[other.refs["main"]]
    for more in ([], ["--dry-run"]):
        assert main(["--to", "alice/docker", *more]) == 2
        assert "is no Space of this page" in capsys.readouterr().err and other.commits[other.refs["main"]] == held
    assert main(["--to", "alice/docker", "--dry-run", "--replace"]) == 0 and "would REPLACE" in capsys.readouterr().out
    assert other.commits[other.refs["main"]] == held


def test_the_front_matter_is_a_gradio_space():
    card = yaml.safe_load((ROOT / "space" / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert card["sdk"] == "gradio" and card["app_file"] == "app.py" and len(card["short_description"]) <= 60
    assert card["hf_oauth"] is True and card["hf_oauth_scopes"] == ["contribute-repos"]
    listed = (ROOT / "space" / "requirements.txt").read_text(encoding="utf-8")
    assert "gradio" not in listed.split("\n", 1)[1]  # sdk_version decides


@pytest.mark.slow
def test_the_page_starts_from_what_was_uploaded(hub, logged_in, tmp_path):
    assert main(["--to", "alice/demo"]) == 0
    repo = hub.repos["space", "alice/demo"]
    for name, data in repo.commits[repo.refs["main"]].items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(data)
    code = (
        "import app, urllib.request; from space import launch_options\n"
        "_, url, _ = app.demo.launch(prevent_thread_lock=True, quiet=True, **launch_options())\n"
        "print(urllib.request.urlopen(url).status, len(app.demo.blocks))"
    )
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "tree", capture_output=True, text=True, timeout=120, env=env
    )
    assert done.stdout.startswith("200 "), done.stderr
    assert main(["--to", "alice/demo"]) == 0 and len(repo.commits) == 2  # nothing changed: no commit
