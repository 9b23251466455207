"""The Hub's real client against a Hub that fails, and against repositories that are not to be trusted."""

import json
import sys
import time

import pytest

import zoo
from tests.conftest import free_port
from tests.hub.repos import files_of
from tests.hub.server import Fault
from tests.zoo.conftest import NAME
from zoo import hub as client
from zoo.__main__ import main
from zoo.errors import (
    ConfigError,
    HubAccessError,
    HubError,
    HubNotFoundError,
    HubUnavailableError,
    StyleFolderError,
    StyleNotFoundError,
    WeightsError,
)


def slow(*values):
    """A case of a test that waits for seconds."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (Fault("/api/models/alice", 401), HubAccessError, "log in"),
        (Fault("/api/models/alice", 403), HubAccessError, "log in"),
        (Fault("/api/models/alice", 404), HubUnavailableError, "status 404"),
        slow(Fault("/api/models/alice", "drip"), HubUnavailableError, "does not answer"),
        slow(Fault("GET .*config.json", "slow"), HubUnavailableError, "does not answer|cannot be reached"),
        slow(Fault("GET .*model.safetensors", "drip"), HubUnavailableError, "does not answer"),
        (Fault("/api/models/alice", 429), HubUnavailableError, "limits the rate"),
        slow(Fault("/api/models/alice", 500), HubUnavailableError, "status 500"),
        (Fault("/api/models/alice", 429, headers={"Retry-After": "3600"}), HubUnavailableError, "again in 60 minutes"),
        (Fault("/api/models/alice", 503, headers={"Retry-After": "90"}), HubUnavailableError, "again in 90 s"),
        (Fault("/api/models/alice", 429, headers={"Retry-After": "99999999"}), HubUnavailableError, "again in some minutes"),
        (Fault("GET .*model.safetensors", 429, headers={"Retry-After": "3600"}), HubUnavailableError, "again in 60 minutes"),
        slow(Fault("/api/models/alice", "slow"), HubUnavailableError, "cannot be reached|does not answer"),
        slow(Fault("GET .*model.safetensors", "cut"), HubUnavailableError, "broke off|does not answer"),
        (Fault("GET .*model.safetensors", "corrupt"), HubUnavailableError, "damaged"),
        (Fault("resolve.*model.safetensors", 403), HubAccessError, "gated"),
        (Fault("resolve.*model.safetensors", 404), HubNotFoundError, "lacks a file"),
        slow(Fault("resolve.*model.safetensors", 500), HubUnavailableError, "status 500"),
    ],
    ids=lambda value: str(value.what) if isinstance(value, Fault) else "",
)
def test_every_fault_ends_in_its_error_and_leaves_nothing_broken(hub, published, photo, tmp_path, fault, error, message):
    """(issue 13, items 20, 21, 27)"""
    hub.faults.append(fault)
    began = time.monotonic()
    with pytest.raises(error, match=message):
        zoo.pull(NAME, timeout=0.5, deadline=1.5)
    assert time.monotonic() - began < 10
    hub.faults.clear()
    for commit, files in published.commits.items():  # what has its name in the cache is whole
        for path in (tmp_path / "assets").glob(f"**/{commit}/**/[a-z]*.*"):
            assert path.read_bytes() == files[str(path).split(f"/{commit}/")[1]]
    style = zoo.pull(NAME)  # as if nothing had been
    assert zoo.stylize(photo, style, size=64).size == (64, 64)


@pytest.mark.slow
def test_the_hubs_own_trouble_is_asked_again(hub, published):
    hub.faults.append(Fault("/api/models/alice", 500, times=2))
    assert zoo.pull(NAME).source.startswith(NAME)


@pytest.mark.slow
def test_no_hub_at_all(hub, published):
    hub.close()
    began = time.monotonic()
    with pytest.raises(HubUnavailableError):
        zoo.pull(NAME)
    with pytest.raises(HubUnavailableError):
        next(client.find(timeout=1.0))
    assert time.monotonic() - began < 3


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch, capsys, caplog):
    """Without what the Hub's client says of each of its tries."""
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    assert main(["find", "portrait"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1 and not caplog.text


def test_a_wrong_token_is_refused_and_never_repeated(hub, published, monkeypatch, capfd, caplog):
    monkeypatch.setenv("HF_TOKEN", "hf_a_secret_that_is_wrong")
    with pytest.raises(HubAccessError) as caught:
        zoo.pull(NAME)
    said = capfd.readouterr()
    assert "secret" not in str(caught.value) + said.out + said.err + caplog.text


def huge_config(files):
    config = json.loads(files["config.json"])
    return {**files, "config.json": json.dumps({**config, "width": 256, "residual_blocks": 32}).encode()}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda files: {"README.md": b"a text"}, StyleFolderError, "is not a style"),
        (lambda files: {**files, "model.safetensors": bytes(65 * 2**20)}, StyleFolderError, "65.0 MiB"),
        (huge_config, StyleFolderError, "width 256"),
        (lambda files: {**files, "config.json": b"[" * 100_000}, ConfigError, "cannot read"),
        (lambda files: {**files, "recipe.yaml": b" " * 2**20}, StyleFolderError, "recipe.yaml"),
        (lambda files: {**files, "config.json": b"import os"}, ConfigError, "cannot read"),
        (lambda files: {**files, "model.safetensors": (2**62).to_bytes(8, "little") + b"{}"}, WeightsError, "cannot read"),
    ],
)
def test_what_is_no_style_is_not_trusted(hub, painted_pair, change, error, message):
    hub.add(NAME, change(files_of(painted_pair)))
    with pytest.raises(error, match=message):
        zoo.load(NAME)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("alice/none", HubNotFoundError, "no such repository"),
        (f"{NAME}@nowhere", HubNotFoundError, "no such revision"),
        (f"{NAME}@{'0' * 40}", HubNotFoundError, "no such revision"),
        (f"{NAME}@/etc/passwd", StyleNotFoundError, "no style"),
        (f"{NAME}@../../x", StyleNotFoundError, "no style"),
    ],
)
def test_what_is_not_there_is_named(hub, published, name, error, message):
    with pytest.raises(error, match=message):
        zoo.find(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [
        b"[]", b"null", b"[[[1]]]", b"{}", b'{"id": 1}', b"9" * 5000, b"[" * 100_000, b'"\\ud800"', b"[null]",
        b'[{"id": null}]',
        b'{"id": "a/b", "sha": 1}', b'{"id": "a/b", "sha": "x", "siblings": [1]}', b'{"id": "a/b", "siblings": {"a": 1}}',
        b'{"id": "a/b", "lastModified": "never"}', b'{"id": "a/b", "cardData": {"ignore_metadata_errors": 1}}',
        b'{"id": "a/b", "sha": "%s", "siblings": [{"rfilename": "config.json", "size": "x", "lfs": 3}]}' % (b"0" * 40),
        b'{"id": "a/b", "sha": "%s", "siblings": [{"rfilename": null, "size": -1}]}' % (b"0" * 40),
    ],
)  # fmt: skip
def test_whatever_a_hub_answers_is_an_error_in_words(hub, published, logged_in, painted_pair, answer):
    """(issue 13, items 23 and 27)"""
    hub.faults.append(Fault("/api/", answer))
    for ask in (
        lambda: zoo.pull(NAME),
        lambda: list(client.find()),
        lambda: client.accounts(),
        lambda: zoo.publish(painted_pair, NAME),
    ):
        try:
            ask()
        except (HubError, StyleFolderError) as error:
            assert len(str(error)) < 1000


@pytest.mark.slow
def test_what_nobody_waits_for_asks_no_more(hub, published):
    hub.faults.append(Fault("/api/models", 503))
    with pytest.raises(HubUnavailableError):
        next(client.find(timeout=0.5))
    asked = len(hub.requests)
    time.sleep(4)  # the client would try again after 1 and 2 s more
    assert len(hub.requests) == asked


def test_an_upload_does_not_wait_for_ever(hub, painted_pair, logged_in, monkeypatch):
    monkeypatch.setattr(sys.modules["zoo.hub.upload"], "UPLOAD", 0.5)
    hub.faults.append(Fault("/commit/", "slow"))
    with pytest.raises(HubUnavailableError, match="does not answer"):
        zoo.publish(painted_pair, "alice/slow")
    hub.faults.clear()
