"""What a pull leaves in the cache, and what it takes from there: nothing that was not checked, whatever the Hub does."""

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from huggingface_hub import get_session

import zoo
from tests.hub.repos import files_of
from tests.hub.server import Fault
from tests.zoo.conftest import NAME
from tests.zoo.test_hub_faults import huge_config
from zoo import hub as client
from zoo import trust
from zoo.__main__ import main
from zoo.errors import ConfigError, HubAccessError, HubError, HubUnavailableError, StyleFolderError
from zoo.hub.waiting import watch, within


@pytest.mark.parametrize("change", [huge_config, lambda files: {**files, "config.json": b"import os"}])
def test_a_config_that_was_refused_is_refused_each_time(hub, painted_pair, change):
    """Pinned, as the newest, or without a Hub: the cache is no way around the gate. (issue 13, item 4)"""
    repo = hub.add(NAME, change(files_of(painted_pair)))
    for name in (NAME, NAME, f"{NAME}@main", f"{NAME}@{repo.refs['main']}"):
        with pytest.raises((StyleFolderError, ConfigError), match="width 256|cannot read"):
            zoo.pull(name)
    hub.close()
    for name in (NAME, f"{NAME}@{repo.refs['main']}"):
        with pytest.raises((StyleFolderError, ConfigError), match="width 256|cannot read"):
            zoo.pull(name)


def test_damaged_files_never_paint_however_often_they_are_asked_for(hub, published, tmp_path, photo):
    """(issue 13, item 20)"""
    pinned, out = f"{NAME}@{published.refs['main']}", tmp_path / "out.png"
    hub.faults.append(Fault("GET .*resolve.*(config.json|safetensors)", "corrupt"))
    for _ in range(3):
        assert main(["stylize", str(photo), "-s", pinned, "-o", str(out), "--size", "64"]) == 2
    hub.faults.clear()
    hub.faults.append(Fault("GET .*safetensors", "corrupt"))  # now the rest comes whole
    assert main(["stylize", str(photo), "-s", pinned, "-o", str(out), "--size", "64"]) == 2 and not out.exists()
    hub.faults.clear()
    assert main(["stylize", str(photo), "-s", pinned, "-o", str(out), "--size", "64"]) == 0


def test_a_pull_that_was_killed_leaves_nothing_that_counts(hub, published, monkeypatch, tmp_path):
    """Between a download and its check. (issue 13, item 20)"""
    weights, check = published.commits[published.refs["main"]]["model.safetensors"], trust.is_sound

    def killed(content, *hashes):
        if content == weights:
            raise RuntimeError("killed")
        return check(content, *hashes)

    pinned = f"{NAME}@{published.refs['main']}"
    monkeypatch.setattr(trust, "is_sound", killed)
    for _ in range(2):
        with pytest.raises(HubError, match="RuntimeError"):
            zoo.pull(pinned)
    assert not list(tmp_path.glob("assets/**/*model.safetensors*"))


@pytest.mark.parametrize("damage", [lambda whole: whole[:1000], lambda whole: whole[:-1] + bytes([whole[-1] ^ 64])])
def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(hub, published, damage):
    """(issue 13, item 20)"""
    style = zoo.pull(NAME)
    weights = style.folder / "model.safetensors"
    whole = weights.read_bytes()
    for name in (NAME, style.source):
        weights.write_bytes(damage(whole))
        assert zoo.pull(name) == style and weights.read_bytes() == whole


@pytest.mark.parametrize("listing", ["{}", '{"other.txt": {"size": 1, "sha256": null, "git": null}}'])
def test_a_listing_of_no_style_is_asked_for_anew(hub, published, listing):
    """Of nothing every file is here: a style without any was taken for whole."""
    style = zoo.pull(NAME)
    shutil.rmtree(style.folder)
    style.folder.with_name(f"{style.folder.name}.json").write_text(listing)
    assert zoo.pull(style.source) == style and style.norms == ["instance", "batch"]


def test_pictures_come_when_they_are_asked_for_later(hub, painted_pair):
    hub.add(NAME, {**files_of(painted_pair), "images/instance.jpg": b"jpeg"})
    style = zoo.pull(NAME)
    assert style.picture() is None
    assert zoo.pull(style.source, pictures=True).picture() is not None


def test_many_at_once_get_the_same_whole_style(hub, published):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: zoo.pull(NAME), range(16)))
    assert len(found) == 1 and not [path for path in found.pop().folder.rglob(".*")]


def test_a_cache_that_cannot_be_written_is_not_the_hubs_fault(hub, monkeypatch, tmp_path):
    """Of data sets, too, which the Hub's client keeps. (issue 13, item 27)"""
    hub.add("eve/photos", {"a.jpg": b"jpeg"}, kind="dataset")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "file"))
    with pytest.raises(HubError, match="cannot use the cache, .*: make room, or set HF_HOME elsewhere") as error:
        client.pull_pictures("eve/photos", (".zip",))
    assert not isinstance(error.value, HubUnavailableError)


@pytest.mark.parametrize(("pattern", "what"), [("GET /datasets/eve/photos/resolve", "drip"), ("GET /api/datasets", "slow")])
def test_a_data_set_is_not_waited_for_beyond_its_time(hub, monkeypatch, pattern, what):
    """A byte now and then is no answer. (issue 13, item 21)"""
    hub.add("eve/photos", {"a/a.jpg": b"jpeg" * 999, "b.PNG": b"png" * 999}, kind="dataset")
    monkeypatch.setattr("zoo.hub.datasets.DEADLINE", 0.5)
    monkeypatch.setattr("zoo.hub.datasets.LISTING", 0.5)
    hub.faults.append(Fault(pattern, what))
    began = time.monotonic()
    with pytest.raises(HubUnavailableError):
        client.pull_pictures("eve/photos", (".zip",))
    assert time.monotonic() - began < 5


def test_a_data_set_that_was_pulled_is_there_when_the_hub_is_not(hub):
    hub.add("eve/photos", {"a/a.jpg": b"jpeg", "b.PNG": b"png", "c.txt": b"words", "d.Zip": b"zip"}, kind="dataset")
    folder = client.pull_pictures("eve/photos", (".zip",))
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*")) == ["a/a.jpg", "b.PNG", "d.Zip"]
    assert (folder / "a" / "a.jpg").read_bytes() == b"jpeg"
    for status in (503, 429):
        hub.faults[:] = [Fault("GET /", status)]
        assert client.pull_pictures("eve/photos", (".zip",)) == folder
    hub.faults[:] = [Fault("GET /", 403)]  # an answer, for which the cache is no substitute
    with pytest.raises(HubAccessError):
        client.pull_pictures("eve/photos", (".zip",))


@pytest.mark.slow
def test_what_strangers_pull_has_its_bound_and_the_owner_s_has_none(hub, published, painted_pair, monkeypatch):
    """The oldest makes room, and is pulled again. (issue 13, item 40)"""
    names = ["alice/one", "alice/two", "alice/three"]
    for name in names:
        hub.add(name, files_of(painted_pair))
    mine = zoo.pull(NAME)
    held = list(mine.folder.rglob("*.*"))
    size = sum(path.stat().st_size for path in mine.folder.parent.rglob("*") if path.is_file())
    monkeypatch.setattr("zoo.hub.cache.PUBLIC", 2.2 * size)
    monkeypatch.setattr("zoo.hub.client._for_strangers", True)
    styles = [zoo.pull(name) for name in names]
    kept = styles[0].folder.parents[1]
    assert kept.name == "public" and sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) <= 2.2 * size
    assert len(list(styles[0].folder.rglob("*.*"))) < len(held) and (mine.folder / "model.safetensors").exists()
    assert zoo.load(zoo.pull(styles[0].source)) is not None and zoo.load(zoo.pull(names[2])) is not None


@pytest.mark.parametrize("header", ["ETag", "X-Linked-Etag"])
@pytest.mark.parametrize("path", ["../../../../VICTIM.txt", "..\\..\\VICTIM.txt", "/VICTIM.txt"])
def test_nothing_is_written_or_deleted_outside_of_the_cache(hub, published, tmp_path, header, path):
    """Whatever a Hub says of a file, and whichever side of the client says it. (issue 13, item 26)"""
    for depth in (tmp_path / "assets", tmp_path / "hub-cache", tmp_path):
        depth.mkdir(exist_ok=True)
        (depth / "VICTIM.txt").write_text("mine")
    hub.add("eve/photos", {"a.jpg": b"no picture"}, kind="dataset")
    hub.faults.append(Fault("resolve", None, headers={header: f'"{path}"'}))
    assert zoo.pull(NAME).norms == ["instance", "batch"]  # it asks for no such header
    with pytest.raises(HubError):
        client.pull_pictures("eve/photos", (".zip",))
    kept = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("VICTIM*")}
    assert kept == {"VICTIM.txt", "assets/VICTIM.txt", "hub-cache/VICTIM.txt"}
    assert all((tmp_path / file).read_text() == "mine" for file in kept)


@pytest.mark.parametrize(
    "file",
    [
        "images/../../../evil.jpg",
        "images/..\\..\\evil.jpg",
        "images/a/b.jpg",
        "images/.evil.jpg",
        f"images/evil{'x' * 250}.jpg",
    ],
)
def test_a_listing_leads_nowhere_else(hub, painted_pair, tmp_path, file):
    """(issue 13, item 26)"""
    hub.add(NAME, {**files_of(painted_pair), file: b"evil"})
    zoo.pull(NAME, pictures=True)
    assert not trust.is_style_file(file) and not [path for path in tmp_path.rglob("*") if "evil" in path.name]


def test_a_commit_is_forty_digits(hub, published, monkeypatch):
    monkeypatch.setattr(published, "resolve", lambda revision: "../../evil")
    monkeypatch.setitem(published.commits, "../../evil", published.commits[published.refs["main"]])
    with pytest.raises(HubError, match="is it a Hub"):
        zoo.pull(NAME)


def test_a_hub_that_gives_no_hashes_is_not_believed(hub, published, monkeypatch):
    monkeypatch.setattr("tests.hub.server.git_oid", lambda data: None)
    with pytest.raises(HubUnavailableError, match="damaged"):
        zoo.pull(NAME)


@pytest.mark.skipif(os.name == "nt", reason="folders are locked otherwise there")
def test_a_cache_that_cannot_be_written_is_said(hub, published, tmp_path):
    """(issue 13, item 27)"""
    (tmp_path / "assets").write_text("a file where a folder should be")
    with pytest.raises(HubError, match="cannot write into the cache.*HF_HOME"):
        zoo.pull(NAME)


def test_who_is_logged_in_is_not_told_to_log_in(hub, published, logged_in):
    """(issue 13, item 27)"""
    hub.faults.append(Fault("/api/models/alice", 403))
    with pytest.raises(HubAccessError, match="you are logged in, but"):
        zoo.pull(NAME)


def test_a_busy_hub_does_not_stand_in_the_way_of_what_is_cached(hub, published):
    style = zoo.pull(NAME)
    hub.faults.append(Fault("/api/models/alice", 429, headers={"Retry-After": "3600"}))
    assert zoo.pull(NAME) == style


def test_lists_and_uploads_do_not_sleep_as_long_as_the_hub_says(hub, painted_pair, logged_in):
    """(issue 13, item 27)"""
    hub.faults.append(Fault("GET /api/models$|preupload", 429, headers={"Retry-After": "3600"}))
    with pytest.raises(HubUnavailableError, match="again in 60 minutes"):
        next(client.find())
    with pytest.raises(HubUnavailableError, match="again in 60 minutes"):
        zoo.publish(painted_pair, NAME)


def test_the_client_is_watched_however_often_it_is_made_anew(hub):
    """By what the Hub's library lets everybody do. (issue 13, item 10)"""
    from huggingface_hub.utils import close_session

    for _ in range(2):
        within(1, lambda: None)
        watch()
        hooks = get_session().event_hooks
        assert len(hooks["response"]) == 1 and len(hooks["request"]) == 2  # the library's own, and one of ours
        close_session()


def test_the_listing_is_kept_beside_the_commit(hub, published):
    style = zoo.pull(NAME)
    listing = json.loads(style.folder.with_name(f"{style.folder.name}.json").read_text())
    assert listing.keys() == files_of_style(published) and all(known["sha256"] or known["git"] for known in listing.values())


def files_of_style(repo):
    return {name for name in repo.commits[repo.refs["main"]] if trust.is_style_file(name)}
