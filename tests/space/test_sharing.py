"""Sharing from the page: a zip, or a style that was trained here, published under the visitor's account."""

import zipfile

import pytest

import zoo
from space import community
from tests.hub.repos import files_of
from tests.hub.server import TOKEN
from zoo.errors import HubAccessError, StyleFolderError, StyleNotFoundError


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


def test_a_zip_is_published_under_the_visitors_account(hub, painted_pair, tmp_path, photo):
    files = {f"my-style/{name}": data for name, data in files_of(painted_pair).items()}
    archive = zipped(tmp_path / "a.zip", {**files, "my-style/run/log.jsonl": b"{}", "my-style/evil.py": b"print()"})
    assert "alice/mine" in community.share(archive, None, "mine", TOKEN, "alice")
    repo = hub.repos["model", "alice/mine"]
    held = repo.commits[repo.refs["main"]]
    assert "evil.py" not in held and "run/log.jsonl" not in held and "batch/model.safetensors" in held
    assert zoo.stylize(photo, "alice/mine", size=64) == zoo.stylize(photo, painted_pair, size=64)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a/readme.txt": b"no style"}, "holds no style folder"),
        ({"a/config.json": b"{}"}, "is not a style"),
        ({"a/config.json": b"{}", "a/model.safetensors": bytes(65 * 2**20)}, "65.0 MiB"),
        ({"a/config.json": b"{}", "a/model.safetensors": b"", **{f"a/images/{i}.png": b"" for i in range(99)}}, "101 files"),
    ],
)
def test_a_zip_that_is_no_style_is_refused(hub, tmp_path, files, message):
    with pytest.raises(StyleFolderError, match=message):
        community.share(zipped(tmp_path / "a.zip", files), None, "mine", TOKEN, "alice")
    assert not hub.repos


def test_a_zip_writes_nothing_outside(hub, tmp_path, painted_pair):
    from zoo.trust import unpack_style

    files = {f"../../up/{name}": data for name, data in files_of(painted_pair).items()}
    target = unpack_style(tmp_path / zipped(tmp_path / "a.zip", files), tmp_path / "deep" / "style")
    assert (target / "config.json").is_file() and not (tmp_path.parent / "up").exists() and not (tmp_path / "up").exists()


def test_sharing_needs_a_zip_a_name_and_an_account(hub, tmp_path, painted_pair):
    with pytest.raises(StyleNotFoundError, match="nothing to publish"):
        community.share(None, None, "mine", TOKEN, "alice")
    archive = zipped(tmp_path / "a.zip", files_of(painted_pair))
    with pytest.raises(StyleNotFoundError, match="name"):
        community.share(archive, None, " ", TOKEN, "alice")
    with pytest.raises(HubAccessError):
        community.share(archive, None, "mine", "hf_wrong", "alice")
    broken = tmp_path / "broken.zip"
    broken.write_bytes((tmp_path / "a.zip").read_bytes()[:100])
    with pytest.raises(StyleFolderError, match="cannot unpack"):
        community.share(str(broken), None, "mine", TOKEN, "alice")


def test_sharing_asks_before_it_overwrites(hub, tmp_path, painted_pair):
    """(issue 13, item 24)"""
    archive = zipped(tmp_path / "a.zip", files_of(painted_pair))
    community.share(archive, None, "mine", TOKEN, "alice")
    (painted_pair / "batch" / "config.json").unlink()
    (painted_pair / "batch" / "model.safetensors").unlink()
    newer, repo = zipped(tmp_path / "b.zip", files_of(painted_pair)), hub.repos["model", "alice/mine"]
    before = repo.refs["main"]
    with pytest.raises(StyleNotFoundError, match="alice/mine is there already: tick 'replace"):
        community.share(newer, None, "mine", TOKEN, "alice")
    assert repo.refs["main"] == before
    community.share(newer, None, "mine", TOKEN, "alice", replace=True)
    assert repo.refs["main"] != before


def test_a_style_trained_here_is_published_by_name(hub, painted_pair, monkeypatch):
    assert community.local_styles() == []
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(painted_pair.parent))
    assert community.local_styles() == ["small-pair"]
    assert "alice/mine" in community.share(None, "small-pair", "mine", TOKEN, "alice")
    with pytest.raises(StyleNotFoundError, match="nothing to publish"):
        community.share(None, "great-wave", "mine", TOKEN, "alice")  # not theirs to share


def test_sharing_is_offered_where_it_was_switched_on(monkeypatch):
    assert not community.can_share()
    monkeypatch.setenv("MISSING_INGREDIENT_SHARE", "1")
    assert community.can_share()
