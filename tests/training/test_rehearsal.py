"""`--dry-run`: what would be done, and what could fail after hours; the script for Hugging Face Jobs, started."""

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.training.runs import command
from training.train import main

SCRIPT = ROOT / "training" / "jobs" / "train_style.py"
FACTS = ["--title", "After Sunset", "--author", "Nobody", "--licence", "CC0", "--source", "a phone"]


def words(examples, out, *more):
    return [str(word) for word in command(examples, out, *FACTS, "--dry-run", *more)]


def test_it_says_what_would_be_done_and_does_nothing(examples, tmp_path, capsys):
    out = tmp_path / "after-sunset"
    assert main(words(examples, out, "--style-size", "600")) == 0
    said = capsys.readouterr().out
    assert "sunset.jpg, 683×512 px, which is enlarged to a short side of 600" in said and "5 in examples" in said
    assert (
        "6 steps of 2 photos at 64 px, instance and batch norm" in said and "after-sunset" in said and "published" not in said
    )
    assert not out.exists()
    assert main([*words(examples, out)[2:], "--recipe", "minutes", "--from", "the-scream"]) == 0
    assert "300 steps of 2 photos at 320 px, instance and batch norm, begins from the-scream" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--style-image", "{0}/no.jpg"), "no.jpg"),
        (("--style-image", "{0}/broken.jpg"), "broken.jpg"),
        (("--content", "{0}"), "no picture"),
        (("--content", "{0}/nowhere"), "no such folder or archive"),
        (("--recipe", "nope"), "bundled recipes"),
        (("--from", "nope"), "no style"),
        (("--push-to", "me"), "owner/name"),
        (("--push-to", "me/x", "--licence", ""), "--licence"),
    ],
)
def test_it_ends_as_the_training_would(examples, tmp_path, capsys, more, said):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    folder = tmp_path / "pictures-of-none"
    folder.mkdir()
    assert main(words(examples, tmp_path / "out", *(word.format(tmp_path if "/" in word else folder) for word in more))) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_missing_login_is_told_after_all_else(examples, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert main(words(examples, tmp_path / "out", "--push-to", "me/x")) == 0
    *told, published, nothing = capsys.readouterr().out.splitlines()
    assert "5 in examples" in "".join(told) and nothing.startswith("Nothing was trained")
    assert "as me/x; needs a login first" in published and "HF_TOKEN" in published and not (tmp_path / "out").exists()


def test_a_data_set_of_the_hub_is_named_and_not_asked_for(examples, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_any")
    assert main(words(examples, tmp_path / "out", "--content", "me/photos", "--push-to", "me/after-sunset")) == 0
    said = capsys.readouterr().out
    assert "the data set me/photos of the Hub" in said and "as me/after-sunset; there is a token" in said
    assert main(words(examples, tmp_path / "out", "--recipe", "texture", "--content", "me/photos")) == 0
    assert "learns from noise" in capsys.readouterr().out


def run_script(*given, cwd, **env):
    command, env = [sys.executable, SCRIPT, *map(str, given)], {**os.environ, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env=env)


@pytest.mark.slow
def test_the_script_for_jobs_checks_everything_without_a_network(examples, tmp_path):
    given = [*command(examples, tmp_path / "out", *FACTS, "--push-to", "me/after-sunset", "--dry-run")]
    place = given.index("--out")
    del given[place : place + 2]
    done = run_script(*given, cwd=tmp_path, HF_TOKEN="hf_any")
    assert done.returncode == 0, done.stderr
    assert "style      after-sunset" in done.stdout and "as me/after-sunset" in done.stdout and not list(tmp_path.iterdir())
    unknown = run_script(*given, cwd=tmp_path, HF_TOKEN="", HF_TOKEN_PATH=str(tmp_path / "token"))
    assert unknown.returncode == 0 and "--secrets HF_TOKEN" in unknown.stdout
    lost = run_script(*given[:4], cwd=tmp_path)
    assert lost.returncode == 2 and "--push-to OWNER/NAME is missing" in lost.stderr


def test_the_script_brings_the_project_from_its_address():
    """As PEP 723 has it."""
    text, project = SCRIPT.read_text(encoding="utf-8"), (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (block,) = re.findall(r"^# /// script\n(.*?)^# ///$", text, re.M | re.S)
    (address,) = re.findall(r'Repository = "(.*)"', project)
    (python,) = re.findall(r'requires-python = ".*"', project)
    assert block == f'# {python}\n# dependencies = ["missing-ingredient @ git+{address}"]\n'
