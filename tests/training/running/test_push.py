"""Train, push, find, pull elsewhere, stylize: the same pixels. And what would fail after hours fails at once."""

import json

import pytest
import yaml

import zoo
from tests.hub.repos import files_of
from training.train import main
from zoo import hub as client
from zoo import sharing

FACTS = ["--title", "After Sunset", "--author", "R. Leino", "--licence", "public domain", "--source", "a photo"]


def words(examples, out, *more):
    need = ["--style-image", examples / "sunset.jpg", "--content", examples, "--out", out, "--recipe", "smoke", "--pair"]
    return [str(word) for word in [*need, "--push-to", "alice/after-sunset", *more]]


@pytest.mark.slow
def test_from_training_to_the_hub_and_back(hub, logged_in, examples, tmp_path, photo):
    out = tmp_path / "after-sunset"
    assert main(words(examples, out, *FACTS, "--steps", "2")) == 0
    (found,) = client.find("sunset")
    elsewhere = sharing.pull_to(f"{found.id}@{found.sha}", tmp_path / "elsewhere" / "style")
    for norm in ("instance", "batch"):
        assert zoo.stylize(photo, elsewhere, norm, 96) == zoo.stylize(photo, out, norm, 96)
    assert (elsewhere.folder / "images" / "preview.jpg").is_file()
    held = hub.repos["model", found.id]
    assert held.messages[-1] == "After Sunset: instance and batch norm" and len(held.commits) == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "--title, --author, --licence, --source"),
        ((*FACTS, "--norm", "batch"), "whole style"),
        (FACTS, "not logged in"),
        ((*FACTS, "--push-to", "after-sunset"), "owner/name"),
        ((*FACTS, "--push-to", "alice/x@main"), "without @main"),
        ((*FACTS, "--identity-weight", "1"), "one style"),
    ],
)
def test_what_could_not_be_published_is_not_trained(hub, examples, tmp_path, capsys, more, message):
    given = [word for word in words(examples, tmp_path / "out", *more) if word != "--pair" or "--norm" not in more]
    assert main(given) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_several_styles_are_published_one_by_one(hub, logged_in, examples, tmp_path, capsys):
    several = words(examples, tmp_path / "out")
    several.insert(several.index("--style-image") + 1, str(examples / "dog.jpg"))
    assert main(several) == 2
    assert "publish each folder" in capsys.readouterr().err


def test_somebody_elses_name_is_refused_at_once(hub, logged_in, examples, tmp_path, capsys):
    assert main(words(examples, tmp_path / "out", *FACTS, "--push-to", "bob/after-sunset")) == 2
    assert "may write to alice, not to bob" in capsys.readouterr().err


def test_what_is_no_style_is_not_trained_for(hub, logged_in, examples, tmp_path, capsys):
    """(issue 13, item 22)"""
    hub.add("alice/after-sunset", {"config.json": b"{}", "pytorch_model.bin": b"weights"})
    assert main(words(examples, tmp_path / "out", *FACTS)) == 2
    assert "is no style" in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_part_is_published_as_an_adapter_with_pictures_and_figures(hub, logged_in, examples, painted_pair, tmp_path, photo):
    """(issue 13, item 30)"""
    out, more = tmp_path / "after-sunset", ["--from", "bob/base", "--only", "norm", "--steps", "2", "--licence-weights", "mit"]
    hub.add("bob/base", files_of(painted_pair))
    hub.add("some/photos", {"a.jpg": (examples / "dog.jpg").read_bytes()}, kind="dataset")
    given = words(examples, out, *FACTS, *more)
    given[given.index("--content") + 1] = "some/photos"
    assert main(given) == 0
    repo = hub.repos["model", "alice/after-sunset"]
    files = repo.commits[repo.refs["main"]]
    assert {
        "adapter.safetensors",
        "batch/adapter.safetensors",
        "images/instance.jpg",
        "metrics.json",
        "recipe.yaml",
    } <= files.keys()
    assert "model.safetensors" not in files
    card = yaml.safe_load(files["README.md"].decode().split("---\n")[1])
    assert card["base_model"] == "bob/base" and card["license"] == "mit"
    assert card["datasets"] == ["some/photos"] and json.loads(files["metrics.json"]).keys() >= {"storage", "weights"}
    for norm in ("instance", "batch"):
        assert zoo.stylize(photo, "alice/after-sunset", norm, 96) == zoo.stylize(photo, out, norm, 96)
    own = yaml.safe_load((out / "adapter" / "README.md").read_text().split("---\n")[1])
    assert "style:after-sunset" in own["tags"]


def test_an_adapter_to_what_nobody_else_has_is_not_trained(hub, logged_in, examples, small_pair, tmp_path, capsys):
    """(issue 13, item 30)"""
    more = ["--from", str(small_pair), "--only", "norm"]
    assert main(words(examples, tmp_path / "out", *FACTS, *more)) == 2
    assert "known here alone" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_licence_that_is_none_is_refused_at_once(hub, examples, tmp_path, capsys):
    """(issue 13, item 30)"""
    assert main(words(examples, tmp_path / "out", *FACTS, "--licence-weights", "My own!")) == 2
    assert "weights' licence" in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_run_that_was_stopped_early_publishes_nothing(hub, logged_in, examples, tmp_path):
    assert main(words(examples, tmp_path / "out", *FACTS, "--steps", "2", "--stop-at", "1")) == 0
    assert not hub.repos
    assert main(words(examples, tmp_path / "out", *FACTS, "--steps", "2")) == 0
    assert ("model", "alice/after-sunset") in hub.repos
