"""The Hub's real client over HTTP against a local Hub: what is published is found, pulled, and paints the same."""

import json

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

import zoo
from tests.hub.repos import files_of
from tests.hub.server import Fault
from tests.zoo.conftest import NAME
from zoo import hub as client
from zoo.__main__ import main
from zoo.adapter import save_adapter
from zoo.card import make_card
from zoo.errors import (
    ConfigError,
    HubAccessError,
    HubError,
    HubNotFoundError,
    StyleFolderError,
    StyleNotFoundError,
    WeightsError,
)
from zoo.style import BUNDLED, at


def test_published_found_pulled_and_the_same_pixels(hub, logged_in, painted_pair, photo):
    address = zoo.publish(painted_pair, NAME)
    assert address.startswith(f"{hub.url}/{NAME}")
    (found,) = client.find()
    assert found.id == NAME and found.norms == ["instance", "batch"]
    style = zoo.find(NAME)
    assert style.source == f"{NAME}@{found.sha}" and style.painting["author"] == "Vincent van Gogh"
    for norm in ("instance", "batch"):
        assert zoo.stylize(photo, NAME, norm, 64) == zoo.stylize(photo, painted_pair, norm, 64)


def test_large_files_go_by_lfs_and_the_rest_in_the_commit(hub, logged_in, painted_pair):
    zoo.publish(painted_pair, NAME, message="first")
    assert len(hub.blobs) == 2 and sum("PUT /lfs" in request for request in hub.requests) == 2
    assert hub.repos["model", NAME].messages == ["initial commit", "first"]
    held = hub.repos["model", NAME].commits[hub.repos["model", NAME].refs["main"]]
    assert held["model.safetensors"] == (painted_pair / "model.safetensors").read_bytes()


def test_the_card_is_what_the_hub_needs(hub, logged_in):
    zoo.publish(BUNDLED / "starry-night", "alice/starry")
    repo = hub.repos["model", "alice/starry"]
    card = repo.commits[repo.refs["main"]]["README.md"].decode()
    data = yaml.safe_load(card.split("---")[1])
    assert data["pipeline_tag"] == "image-to-image" and data["license"] == "apache-2.0"
    assert {"missing-ingredient", "style-transfer", "norm:instance", "norm:batch", "style:starry"} <= set(data["tags"])
    metrics = data["model-index"][0]["results"][0]["metrics"]
    assert [m["value"] for m in metrics] == [
        round(zoo.find("starry-night").held_out["256"][name]["objective"]) for name in ("photo", "batch", "instance")
    ]
    assert "-s alice/starry -o" in card and "images/instance.jpg" in repo.commits[repo.refs["main"]]


def test_a_second_time_makes_no_commit_and_a_change_makes_one(hub, logged_in, painted_pair):
    zoo.publish(painted_pair, NAME)
    commits = len(hub.repos["model", NAME].commits)
    zoo.publish(painted_pair, NAME)
    assert len(hub.repos["model", NAME].commits) == commits
    for file in (painted_pair / "batch").iterdir():
        file.unlink()
    zoo.publish(painted_pair, NAME)
    repo = hub.repos["model", NAME]
    assert len(repo.commits) == commits + 1
    assert not [path for path in repo.commits[repo.refs["main"]] if path.startswith("batch/")]


def test_private_and_dry_run(hub, logged_in, painted_pair, monkeypatch):
    assert zoo.publish(painted_pair, NAME, dry_run=True) == f"would make {hub.url}/{NAME}" and not hub.repos
    zoo.publish(painted_pair, NAME, private=True)
    assert hub.repos["model", NAME].private
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubNotFoundError, match="private and you are not logged in"):
        zoo.pull(NAME)


def test_private_is_never_public(hub, logged_in, painted_pair, published):
    commits = len(published.commits)
    with pytest.raises(HubAccessError, match="is public already"):
        zoo.publish(painted_pair, NAME, private=True)
    assert len(published.commits) == commits


BERT = {"README.md": b"# mine", "config.json": b'{"model_type": "bert"}', "pytorch_model.bin": b"weights", "vocab.txt": b"a"}


def test_what_is_no_style_is_not_overwritten(hub, logged_in, painted_pair, capsys):
    """(issue 13, item 22)"""
    bert = hub.add("alice/bert", BERT)
    for more in ({}, {"dry_run": True}):
        with pytest.raises(HubAccessError, match="is no style.*pytorch_model.bin.*--replace"):
            zoo.publish(painted_pair, "alice/bert", **more)
    assert bert.commits[bert.refs["main"]] == BERT
    assert main(["publish", str(painted_pair), "--to", "alice/bert", "--dry-run", "--replace"]) == 0
    assert f"would REPLACE what lies at commit {bert.refs['main'][:12]}" in capsys.readouterr().out
    assert "discussions/1" in zoo.publish(painted_pair, "alice/bert", pull_request=True)  # which asks its owner
    assert bert.commits[bert.refs["main"]] == BERT
    assert main(["publish", str(painted_pair), "--to", "alice/bert", "--replace"]) == 0
    assert "model.safetensors" in bert.commits[bert.refs["main"]] and "pytorch_model.bin" in bert.commits[bert.refs["main"]]


def test_a_repository_that_was_just_made_and_a_style_are_gone_on_from(hub, logged_in, painted_pair):
    """(issue 13, item 22)"""
    hub.add("alice/fresh", {".gitattributes": b"", "README.md": b"---\nlicense: mit\n---\n"})
    assert "would go on from" in zoo.publish(painted_pair, "alice/fresh", dry_run=True)
    for _ in range(2):
        zoo.publish(painted_pair, "alice/fresh")
    assert "would go on from" in zoo.publish(painted_pair, "alice/fresh", dry_run=True)


BAD_NAMES = ["alice/-x", "alice/x.", "alice/a--b", "alice/x.git", "alice/" + "x" * 97, "alice", "a/b/c", "alice/x y"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_are_checked_as_the_hub_does(hub, logged_in, painted_pair, name):
    """Before anything is asked or made. (issue 13, item 22)"""
    with pytest.raises(HubNotFoundError, match="is no (name|repository)"):
        zoo.publish(painted_pair, name, dry_run=True)
    assert not hub.requests


def test_what_is_no_hub_is_said(hub, published):
    hub.faults.append(Fault("/api/models", "html"))
    for ask in (lambda: zoo.pull(NAME), lambda: next(client.find())):
        with pytest.raises(HubError, match="is it a Hub"):
            ask()


def test_an_adapter_names_no_paths(hub, published, painted_pair, tmp_path):
    save_adapter(zoo.load(painted_pair), painted_pair, str(painted_pair), tmp_path / "adapter")
    hub.add("alice/adapter", files_of(tmp_path / "adapter"))
    with pytest.raises(StyleNotFoundError, match="on which the adapter was trained"):
        zoo.load("alice/adapter")


@pytest.mark.parametrize("recipe", [b"painting: {title: !!timestamp x}", b"a: !!bool x", b"a: !!int ''", b"[" * 5000])
def test_a_recipe_that_breaks_its_reader_is_an_error_in_words(hub, painted_pair, recipe):
    hub.add(NAME, {**files_of(painted_pair), "recipe.yaml": recipe})
    style = zoo.pull(NAME)
    with pytest.raises(StyleFolderError):
        _ = style.title


def test_facts_are_short_and_no_structures(hub, painted_pair):
    facts = b"painting: {title: [a, {b: c}], author: '" + b"y" * 9999 + b"', year: 1889}"
    hub.add(NAME, {**files_of(painted_pair), "recipe.yaml": facts})
    style = zoo.pull(NAME)
    assert style.title == "Small Pair" and len(style.painting["author"]) == 300 and style.painting["year"] == 1889


def test_a_pull_request_to_somebody_else(hub, logged_in, painted_pair):
    repo = hub.add("bob/style", {"config.json": b"{}"})
    with pytest.raises(HubAccessError):
        zoo.publish(painted_pair, "bob/style")
    main_before = repo.refs["main"]
    assert "discussions/1" in zoo.publish(painted_pair, "bob/style", pull_request=True)
    assert repo.refs["main"] == main_before and "model.safetensors" in repo.commits[repo.refs["refs/pr/1"]]
    assert zoo.find("bob/style@refs/pr/1").norms == ["instance", "batch"]


def spoil_recipe(folder):
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    del recipe["painting"]["licence"]
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))


def spoil_weights(folder):
    state = load_file(folder / "batch" / "model.safetensors")
    save_file({**state, "leave.bias": state["leave.bias"] * float("nan")}, folder / "batch" / "model.safetensors")


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (spoil_recipe, StyleFolderError, "licence"),
        (spoil_weights, WeightsError, "not finite"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"{}"), WeightsError, "cannot read"),
        (lambda folder: (folder / "config.json").write_text("{}"), ConfigError, "missing config key"),
        (lambda folder: (folder / "metrics.json").write_text("[]"), StyleFolderError, "metrics.json"),
    ],
)
def test_what_should_not_be_published_is_not(hub, logged_in, painted_pair, spoil, error, message):
    spoil(painted_pair)
    before = list(hub.requests)
    with pytest.raises(error, match=message):
        zoo.publish(painted_pair, NAME)
    assert hub.requests == before


def fetched(hub):
    """Names of the files that were downloaded."""
    return [r.split("/resolve/")[1].split("/", 1)[1] for r in hub.requests if r.startswith("GET") and "/resolve/" in r]


def test_only_what_is_needed_is_downloaded_the_config_always(hub, published):
    style = zoo.pull(NAME)
    assert set(fetched(hub)) == {"config.json", "batch/config.json", "recipe.yaml", "metrics.json", "model.safetensors"}
    assert published.downloads == 1
    hub.requests.clear()
    zoo.load(style, "batch")
    assert fetched(hub) == ["batch/model.safetensors"]


def test_a_cached_commit_asks_nothing_and_works_without_a_hub(hub, published, photo):
    style = zoo.pull(NAME)
    hub.requests.clear()
    assert zoo.pull(style.source) == style and hub.requests == []
    hub.close()
    assert zoo.pull(style.source) == style
    assert zoo.pull(NAME) == style  # the newest that is known
    assert zoo.stylize(photo, style.source, size=64).size == (64, 64)


def test_a_revision_stays_what_it_was(hub, published, painted_pair):
    old = published.refs["main"]
    changed = {**files_of(painted_pair), "README.md": b"newer"}
    new = published.commit("main", changed, "newer")
    assert zoo.pull(NAME).source == f"{NAME}@{new}" and zoo.pull(f"{NAME}@{old}").source == f"{NAME}@{old}"
    published.refs["v1"] = old
    assert zoo.pull(f"{NAME}@v1").source == f"{NAME}@{old}"


def test_listing_goes_page_by_page_and_only_as_far_as_needed(hub):
    card = b"---\ntags: [missing-ingredient, 'norm:instance']\n---\n"
    for i in range(7):
        hub.add(f"bob/style-{i}", {"README.md": card}, likes=i)
    hub.add("bob/other", {"README.md": b"---\ntags: [else]\n---\n"})
    hub.page = 3
    listed = client.find()
    assert next(listed).id == "bob/style-6"
    assert sum("/api/models" in request for request in hub.requests) == 1
    assert [found.likes for found in listed] == [5, 4, 3, 2, 1, 0]
    assert sum("/api/models" in request for request in hub.requests) == 3
    assert [f.id for f in client.find("STYLE-3")] == ["bob/style-3"] and not list(client.find(author="eve"))


def test_an_adapter_pulls_its_base_and_checks_it(hub, published, painted_pair, photo, tmp_path):
    base = zoo.pull(NAME)
    generator = zoo.load(base)
    with torch.no_grad():
        generator.enter.norm.weight.mul_(1.5)
    save_adapter(generator, base.folder, base.source, tmp_path / "adapter")
    assert f"base_model: {NAME}\n" in make_card(at(tmp_path / "adapter"))
    hub.add("alice/adapter", files_of(tmp_path / "adapter"))
    assert zoo.stylize(photo, "alice/adapter", size=64) == zoo.paint(generator, photo, 64)
    twin = zoo.load(painted_pair, "batch")
    with torch.no_grad():
        twin.enter.norm.weight.mul_(1.5)
    save_adapter(twin, painted_pair, base.source, tmp_path / "adapter")
    hub.add("alice/twins", files_of(tmp_path / "adapter"))
    assert not (base.folder / "batch" / "model.safetensors").exists()  # the base's twin is fetched when it is asked for
    assert zoo.stylize(photo, "alice/twins", "batch", size=64) == zoo.paint(twin, photo, 64)


def test_on_the_command_line(hub, logged_in, painted_pair, tmp_path, capsys, photo):
    assert main(["publish", str(painted_pair), "--to", NAME, "--dry-run"]) == 0
    assert "would make" in capsys.readouterr().out
    assert main(["publish", str(painted_pair), "--to", NAME]) == 0
    assert main(["find", "small", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert found["id"] == NAME
    assert main(["find"]) == 0 and NAME in capsys.readouterr().out
    assert main(["pull", NAME, "--to", str(tmp_path / "mine")]) == 0
    assert f"{NAME}@{found['sha']}" in capsys.readouterr().out
    assert zoo.stylize(photo, tmp_path / "mine", size=64) == zoo.stylize(photo, painted_pair, size=64)
    assert main(["pull", NAME, "--to", str(tmp_path / "mine")]) == 2  # it is there already
    assert main(["stylize", str(photo), "-s", NAME, "-o", str(tmp_path / "out.png"), "--size", "64"]) == 0
    assert main(["info", NAME]) == 0 and found["sha"] in capsys.readouterr().out
    assert main(["pull", "alice/none"]) == 2
    error = capsys.readouterr().err
    assert "no such repository" in error and error.count("\n") >= 1 and "Traceback" not in error
