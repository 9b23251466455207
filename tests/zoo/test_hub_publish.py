"""What is published, where, and what is not: the Hub's real client against a local Hub."""

import pytest
import yaml
from PIL import ExifTags, Image
from safetensors.torch import load_file, save_file

import zoo
from tests.conftest import free_port
from tests.zoo.conftest import NAME
from zoo import export, folder
from zoo.__main__ import main
from zoo.catalog import BUNDLED
from zoo.errors import (
    ConfigError,
    HubAccessError,
    HubNotFoundError,
    StyleFolderError,
    WeightsError,
)
from zoo.folder import LOCK
from zoo.hub import Target
from zoo.sharing import pull_to


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
    commits, repo = len(hub.repos["model", NAME].commits), hub.repos["model", NAME]
    assert (painted_pair / LOCK).is_file() and LOCK not in repo.commits[repo.refs["main"]]
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
    zoo.publish(painted_pair, Target(NAME, private=True))
    assert hub.repos["model", NAME].private
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubNotFoundError, match="private and you are not logged in"):
        zoo.pull(NAME)


def test_private_is_never_public(hub, logged_in, painted_pair, published):
    commits = len(published.commits)
    with pytest.raises(HubAccessError, match="is public already"):
        zoo.publish(painted_pair, Target(NAME, private=True))
    assert len(published.commits) == commits


@pytest.fixture
def no_network(monkeypatch):
    """A Hub that nobody answers for."""
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("zoo.hub.waiting.PAUSES", ())
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


def test_a_rehearsal_needs_no_network(no_network, painted_pair, capsys, caplog, monkeypatch):
    """What can be told here is told first; each generator is loaded once, and none exported."""
    loaded = []
    load = zoo.catalog.folder.load
    monkeypatch.setattr("zoo.catalog.folder.load", lambda folder, norm: loaded.append(norm) or load(folder, norm))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(painted_pair / "token"))
    monkeypatch.setattr("zoo.sharing.check_for_browsers", lambda: None)
    monkeypatch.setattr("zoo.sharing.export_for_browsers", None)
    assert main(["publish", str(painted_pair), "--to", NAME, "--onnx", "--dry-run"]) == 0
    said, loudly = capsys.readouterr()
    assert not caplog.text  # the Hub's client says nothing of its own tries
    first, then = said.splitlines()
    assert "is whole, and may be shared: batch/config.json" in first and ", model.onnx, batch/model.onnx, README.md" in first
    assert f"would go to {NAME}" in then and "the Hub could not be asked" in then and "cannot be reached" in then
    assert len({*(files := first.split(": ")[1].split(", "))}) == len(files)
    assert loaded == ["instance", "batch"] and "hf auth login" in loudly and "apache-2.0" in loudly
    assert main(["publish", str(painted_pair), "--to", NAME]) == 2 and "cannot be reached" in capsys.readouterr().err
    spoil_recipe(painted_pair)
    assert main(["publish", str(painted_pair), "--to", NAME, "--dry-run"]) == 2 and "licence" in capsys.readouterr().err


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
    with pytest.raises(HubAccessError, match="is no style"):  # nor is its owner bothered
        zoo.publish(painted_pair, Target("alice/bert", pull_request=True))
    assert "discussions/1" in zoo.publish(painted_pair, Target("alice/bert", pull_request=True, replace=True))
    assert bert.commits[bert.refs["main"]] == BERT
    assert main(["publish", str(painted_pair), "--to", "alice/bert", "--replace"]) == 0
    assert "model.safetensors" in bert.commits[bert.refs["main"]] and "pytorch_model.bin" in bert.commits[bert.refs["main"]]


TAGGED = b"---\ntags: [missing-ingredient]\n---\n# words\n"


def test_the_tag_alone_makes_no_style(hub, logged_in, painted_pair):
    notes = hub.add("alice/notes", held := {"README.md": TAGGED, "metrics.json": b"my own"})
    with pytest.raises(HubAccessError, match="is no style, it has no config.json: 2 files might be overwritten"):
        zoo.publish(painted_pair, "alice/notes")
    assert notes.commits[notes.refs["main"]] == held


def test_a_dry_run_lists_what_would_be_removed(hub, logged_in, painted_pair):
    zoo.publish(painted_pair, NAME)
    repo = hub.repos["model", NAME]
    before = set(repo.commits[repo.refs["main"]])
    for file in (painted_pair / "batch").iterdir():
        file.unlink()
    told = zoo.publish(painted_pair, NAME, dry_run=True)
    assert told.endswith(", and remove batch/config.json, batch/model.safetensors")
    zoo.publish(painted_pair, NAME)
    assert before - set(repo.commits[repo.refs["main"]]) == {"batch/config.json", "batch/model.safetensors"}


def test_a_repository_that_was_just_made_and_a_style_are_gone_on_from(hub, logged_in, painted_pair):
    """(issue 13, item 22)"""
    hub.add("alice/fresh", {".gitattributes": b""})
    assert "would go on from" in zoo.publish(painted_pair, "alice/fresh", dry_run=True)
    for _ in range(2):
        zoo.publish(painted_pair, "alice/fresh")
    assert "would go on from" in zoo.publish(painted_pair, "alice/fresh", dry_run=True)


def test_a_page_of_words_is_what_somebody_wrote(hub, logged_in, painted_pair):
    """A repository that holds only a README.md is none that was just made (issue 13, item 22)"""
    thesis = hub.add("alice/thesis", {".gitattributes": b"", "README.md": b"# My thesis\n"})
    with pytest.raises(HubAccessError, match="1 files? might be overwritten .README.md.*--replace"):
        zoo.publish(painted_pair, "alice/thesis")
    assert thesis.commits[thesis.refs["main"]]["README.md"] == b"# My thesis\n"


def test_a_painting_that_says_where_it_was_photographed_stays_here(hub, logged_in, painted_pair):
    """As an export by an earlier version left it."""
    shown, exif = painted_pair / "images" / "painting.jpg", Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    shown.parent.mkdir(exist_ok=True)
    Image.new("RGB", (64, 48), "orange").save(shown, exif=exif)
    with pytest.raises(StyleFolderError, match=r"painting.jpg .* without EXIF"):
        zoo.publish(painted_pair, NAME)
    assert not hub.repos
    Image.open(shown).save(shown)
    zoo.publish(painted_pair, NAME)
    assert "images/painting.jpg" in hub.repos["model", NAME].commits[hub.repos["model", NAME].refs["main"]]


BAD_NAMES = ["alice/-x", "alice/x.", "alice/a--b", "alice/x.git", "alice/" + "x" * 97, "alice", "a/b/c", "alice/x y"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_are_checked_as_the_hub_does(hub, logged_in, painted_pair, name):
    """Before anything is asked or made. (issue 13, item 22)"""
    with pytest.raises(HubNotFoundError, match="is no (name|repository)"):
        zoo.publish(painted_pair, name, dry_run=True)
    assert not hub.requests


def test_a_pull_request_to_somebody_else(hub, logged_in, painted_pair):
    with pytest.raises(HubNotFoundError, match="bob/style is not there"):
        zoo.publish(painted_pair, Target("bob/style", pull_request=True))
    repo = hub.add("bob/style", {"config.json": b"{}", "README.md": TAGGED})
    with pytest.raises(HubAccessError):
        zoo.publish(painted_pair, "bob/style")
    main_before = repo.refs["main"]
    assert "discussions/1" in zoo.publish(painted_pair, Target("bob/style", pull_request=True))
    assert repo.refs["main"] == main_before and "model.safetensors" in repo.commits[repo.refs["refs/pr/1"]]
    assert zoo.find("bob/style@refs/pr/1").norms == ["instance", "batch"]


ONNX = {"instance": "model.onnx", "batch": "batch/model.onnx"}


def test_each_norm_goes_along_as_onnx_where_it_is_asked_for(hub, logged_in, painted_pair, tmp_path, capsys):
    """Checked; in the form that a browser takes; removed again with the next version that is published without (issue 17)."""
    onnx, _ = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    from zoo.export import compare

    command = ["publish", str(painted_pair), "--to", NAME]
    assert main([*command, "--onnx", "--dry-run"]) == 0
    assert ", model.onnx, batch/model.onnx, README.md\nwould make " in capsys.readouterr().out and not hub.repos
    assert main([*command, "--onnx"]) == 0
    held = lambda: hub.repos["model", NAME].commits[hub.repos["model", NAME].refs["main"]]  # noqa: E731
    for norm, file in ONNX.items():
        assert compare(zoo.load(painted_pair, norm), held()[file]) < 2.55
        kernels = [tensor for tensor in onnx.load_from_string(held()[file]).graph.initializer if len(tensor.dims) == 4]
        assert kernels and {tensor.data_type for tensor in kernels} == {onnx.TensorProto.FLOAT16}
    assert b"`model.onnx` and `batch/model.onnx`" in held()["README.md"] and f"name `{NAME}`".encode() in held()["README.md"]
    commits = len(hub.repos["model", NAME].commits)
    assert main([*command, "--onnx"]) == 0 and len(hub.repos["model", NAME].commits) == commits  # the same once more
    held()["model.onnx"] = bytes(2**27)  # whatever it is: nobody who pulls takes it
    assert pull_to(NAME, tmp_path / "mine").norms == ["instance", "batch"]
    assert not list((tmp_path / "mine").rglob("*.onnx")) and not [r for r in hub.requests if r.endswith("/model.onnx")]
    assert main(command) == 0
    assert not set(ONNX.values()) & set(held()) and b"onnx" not in held()["README.md"]


def test_onnx_that_paints_otherwise_is_not_published(hub, logged_in, painted_pair, monkeypatch):
    for module in ("onnx", "onnxruntime"):
        pytest.importorskip(module)
    other = export.to_onnx(zoo.create(width=2, residual_blocks=1))
    with monkeypatch.context() as patched:
        patched.setattr(export, "halve", lambda model: other)
        with pytest.raises(ConfigError, match="paints otherwise than torch"):
            zoo.publish(painted_pair, NAME, onnx=True)
    monkeypatch.setattr(export, "compare", lambda *both: None)  # as without onnxruntime
    with pytest.raises(ConfigError, match="compared with the weights.*pip install"):
        zoo.publish(painted_pair, NAME, onnx=True)
    assert not hub.requests


def test_a_dry_run_refuses_onnx_of_what_draws_noise(no_network, painted_pair, capsys, monkeypatch):
    monkeypatch.setattr("zoo.sharing.check_for_browsers", lambda: None)
    for norm in ("instance", "batch"):
        zoo.save(zoo.create(architecture="texture", norm=norm, width=2), folder.twin_folder(painted_pair, norm))
    assert main(["publish", str(painted_pair), "--to", NAME, "--dry-run"]) == 0
    assert main(["publish", str(painted_pair), "--to", NAME, "--onnx", "--dry-run"]) == 2
    assert "draws noise" in capsys.readouterr().err


def spoil_recipe(folder):
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    del recipe["painting"]["licence"]
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))


def spoil_weights(folder):
    state = load_file(folder / "batch" / "model.safetensors")
    save_file({**state, "leave.bias": state["leave.bias"] * float("nan")}, folder / "batch" / "model.safetensors")


def spoil_picture(folder):
    """A link, as git brings it along, to what is nobody else's business."""
    (folder.parent / "secret").write_text("secret")
    (folder / "images").mkdir()
    (folder / "images" / "instance.jpg").symlink_to(folder.parent / "secret")


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (spoil_recipe, StyleFolderError, "licence"),
        (spoil_weights, WeightsError, "not finite"),
        (spoil_picture, StyleFolderError, "images/instance.jpg is a link"),
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
