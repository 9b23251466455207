"""The Community tab's functions, against a local Hub."""

import html
import io
import json
import threading
import time

import gradio as gr
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import zoo
from space import actions, community, words
from tests.conftest import served, size_of
from tests.hub.repos import files_of
from tests.hub.server import Fault
from zoo.errors import HubNotFoundError, HubUnavailableError, StyleFolderError, StyleNotFoundError, ZooError
from zoo.images import fit_long_side, open_photo
from zoo.style import BUNDLED, PHOTO


@pytest.fixture
def wave(hub):
    """A bundled style as somebody shares it."""
    return hub.add("bob/wave", files_of(BUNDLED / "great-wave"), likes=3)


def test_styles_are_shown_with_their_pictures(hub, wave):
    hub.add("eve/plain", {"README.md": b"---\ntags: [missing-ingredient]\n---\n"})
    found, more = community.browse("", "likes", 12)
    assert [style.id for style in found] == ["bob/wave", "eve/plain"] and not more
    (image, caption), (placeholder, _) = community.thumbnails(found)
    assert caption == "bob/wave · ♥ 3 · apache-2.0"
    assert image != placeholder and placeholder.size == fit_long_side(open_photo(PHOTO), community.THUMBNAIL).size
    assert community.browse("", "likes", 1)[1] and not community.browse("portrait", "likes", 12)[0]


def test_what_was_fetched_is_there_while_the_hub_is_away(hub, wave):
    """Issue 16."""
    assert community.browse_kept("") == []
    community.fetch("bob/wave")
    hub.faults.append(Fault("", 503))
    (found,) = community.browse_kept("Wave")
    assert (found.id, found.sha) == ("bob/wave", list(wave.commits)[-1]) and not community.browse_kept("portrait")
    ((_, caption),) = community.thumbnails([found])
    assert caption == "bob/wave" and community.fetch(f"{found.id}@{found.sha}").norms == ["instance", "batch"]


def test_words_that_are_no_text_are_refused_in_words(hub):
    """(issue 13, item 28)"""
    for wrong in (5, ["van", "gogh"]):
        with pytest.raises(ZooError, match="as text"):
            community.browse(wrong, "likes", 12)


def test_a_style_of_the_hub_is_compared_like_any_other(wave, photo):
    style = community.fetch(" bob/wave ")
    assert "Hokusai" in words.about(style)
    done = actions.compare(str(photo), style.source, 64)
    for norm in words.NORMS:
        assert done.picture(norm) == zoo.stylize(photo, "great-wave", norm, 64)


def test_a_style_of_the_hub_says_where_it_is_from(hub, wave):
    """Its commit, by a link, what it says of the painting and of its recipe, and the painting itself, drawn anew (issue 13,
    item 31)."""
    style = community.fetch("bob/wave")
    text = words.about(style)
    assert f"]({hub.url}/bob/wave/tree/{wave.refs['main']})" in text
    said = html.unescape(text)
    assert style.source in said and f"its source: {style.painting['source']}" in said
    assert f"painting: {style.painting['licence']}" in said and f"{style.recipe['steps']} steps" in said
    shown = community.picture(style, "painting")
    assert max(shown.size) <= 2 * community.THUMBNAIL and abs(shown.width / shown.height - 1.48) < 0.1
    assert not [request for request in hub.requests if "images/" in request and "painting" not in request]
    files = {**files_of(BUNDLED / "great-wave"), "images/painting.jpg": b"no picture"}
    hub.add("eve/broken", files)
    assert community.picture(community.fetch("eve/broken"), "painting") is None


def test_what_a_style_says_of_its_recipe_is_shown_as_words(hub):
    """(issue 13, item 31)"""
    evil = (
        b"painting: {title: a, source: '[x](http://evil) <img src=http://evil/x>'}\nsteps: '![x](http://evil/y.png)'\nwidth: []"
    )
    hub.add("eve/words", {**files_of(BUNDLED / "great-wave"), "recipe.yaml": evil})
    text = words.about(community.fetch("eve/words"))
    assert "http://evil" not in text and "<img" not in text and "![" not in text and "width" not in text


@pytest.mark.parametrize("in_a_file", [False, True])
def test_the_operator_keeps_a_list_of_what_is_not_shown(hub, wave, photo, monkeypatch, tmp_path, in_a_file):
    """In the tab, by name, and by the API's functions; whatever the letters and the revision (issue 13, item 31)."""
    hub.add("eve/bad", files_of(BUNDLED / "the-scream"), likes=9)
    hub.add("mallory/worse", files_of(BUNDLED / "the-scream"))
    assert len(community.browse("", "likes", 12)[0]) == 3
    (tmp_path / "blocked.txt").write_text("# not here\neve/bad\n\nMallory/*\n", encoding="utf-8")
    monkeypatch.setenv("MISSING_INGREDIENT_BLOCKED", str(tmp_path / "blocked.txt") if in_a_file else "eve/bad, Mallory/*")
    found, more = community.browse("", "likes", 1)
    assert [style.id for style in found] == ["bob/wave"] and not more
    for name in ("eve/bad", " Eve/BAD@main ", "mallory/worse"):
        for ask in (lambda: community.fetch(name), lambda: actions.compare(str(photo), name, 64)):  # noqa: B023
            with pytest.raises(StyleNotFoundError, match="blocked"):
                ask()
    assert community.fetch("bob/wave") and actions.find_in_zoo("great-wave")


def test_an_adapter_of_what_is_blocked_is_blocked(hub, photo, monkeypatch):
    """It paints with what its base learnt (issue 13, item 31)"""
    config = {"format": 1, "base": "eve/Bad@main", "norm": "instance", "base_sha256": "0" * 64}
    card = b"---\ntags: [missing-ingredient, 'base_model:adapter:eve/bad']\n---\n"
    weights = files_of(BUNDLED / "great-wave")["model.safetensors"]
    hub.add("bob/adapter", {"README.md": card, "config.json": json.dumps(config).encode(), "adapter.safetensors": weights})
    assert community.browse("", "likes", 12)[0]
    monkeypatch.setenv("MISSING_INGREDIENT_BLOCKED", "eve/bad")
    assert not community.browse("", "likes", 12)[0]
    for ask in (lambda: community.fetch("bob/adapter"), lambda: actions.compare(str(photo), "bob/adapter", 64)):
        with pytest.raises(StyleNotFoundError, match="eve/Bad@main.*blocked"):
            ask()


def test_a_twin_that_is_an_adapter_of_what_is_blocked_is_blocked(hub, photo, monkeypatch):
    """Its weights are downloaded only when it is painted with (issue 13, item 31)."""
    files, twin = files_of(BUNDLED / "great-wave"), {"format": 1, "base": "eve/bad", "norm": "batch", "base_sha256": "0" * 64}
    weights = files.pop("batch/model.safetensors")
    hub.add("bob/half", files | {"batch/config.json": json.dumps(twin).encode(), "batch/adapter.safetensors": weights})
    monkeypatch.setenv("MISSING_INGREDIENT_BLOCKED", "eve/bad")
    for ask in (lambda: community.fetch("bob/half"), lambda: actions.compare(str(photo), "bob/half", 64)):
        with pytest.raises(StyleNotFoundError, match="eve/bad.*blocked"):
            ask()


def test_thumbnails_that_do_not_come_keep_nobody_waiting(hub, wave, monkeypatch):
    """However many there are (issue 13, item 21)"""
    found = community.browse("", "likes", 12)[0] * 40
    let_go = threading.Event()
    monkeypatch.setattr(community, "ALL_THUMBNAILS", 0.2)
    monkeypatch.setattr(community.hub, "thumbnail", lambda *_: let_go.wait(30) and PHOTO)
    began = time.monotonic()
    shown = community.thumbnails(found)
    assert time.monotonic() - began < 5 and [image.size for image, _ in shown] == [shown[0][0].size] * 40
    let_go.set()


def test_without_a_twin_the_photo_stands_beside_it(hub, photo):
    alone = {name: data for name, data in files_of(BUNDLED / "great-wave").items() if not name.startswith("batch/")}
    hub.add("bob/alone", alone)
    done = actions.compare(str(photo), "bob/alone", 64)
    assert list(done.painted) == ["instance"] and done.picture("batch") == done.photo and done.photo.size == (64, 64)
    assert "no batch-norm twin" in actions.describe(done)


@pytest.mark.slow
def test_no_hub_is_said_soon(hub):
    hub.faults.append(Fault(".", "slow"))
    for ask in (lambda: community.browse("", "likes", 12), lambda: community.fetch("bob/wave")):
        began = time.monotonic()
        with pytest.raises(HubUnavailableError):
            ask()
        assert time.monotonic() - began < 3


@pytest.mark.slow
def test_a_twin_that_comes_in_drops_is_given_up_in_time(hub, wave, photo, monkeypatch):
    """(issue 13, item 21)"""
    monkeypatch.setattr(actions, "DEADLINE", 1.0)
    hub.faults.append(Fault("GET .*batch/model.safetensors", "drip"))
    began = time.monotonic()
    with pytest.raises(HubUnavailableError):
        actions.compare(str(photo), "bob/wave", 64)
    assert time.monotonic() - began < 8


def test_what_strangers_write_is_shown_as_words():
    text = words.plain("a ![x](http://evil/x.png) <img src=x>\n# `b` [c](d) www.evil.com $x$ me@evil.com")
    assert not set(text) & set("![]()<>`*_:./@$\n") and html.unescape(text).startswith("a ![x](http://evil")
    with pytest.raises(gr.Error) as caught, actions.plain_errors():
        raise StyleNotFoundError("got '<img src=https://evil/x>'")
    assert "<" not in str(caught.value)


def test_a_picture_that_is_too_large_is_not_kept(hub, tmp_path):
    card = b"---\ntags: [missing-ingredient]\n---\n"
    hub.add("eve/huge", {"README.md": card, "images/instance.jpg": bytes(2 * 2**20)})
    ((image, _),) = community.thumbnails(community.browse("", "likes", 3)[0])
    assert image.width == community.THUMBNAIL and not list(tmp_path.glob("assets/**/*.jpg"))


@pytest.mark.parametrize("format", ["TIFF", "AVIF", "JPEG2000"])
def test_a_picture_of_a_style_is_what_its_name_says(hub, wave, format):
    """Strangers choose no decoder for all who open the tab (issue 13, items 7 and 19)."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, format)
    hub.add("eve/odd", files_of(BUNDLED / "great-wave") | {f"images/{name}.jpg": buffer.getvalue()
                                                           for name in ("instance", "painting")})  # fmt: skip
    found = [style for style in community.browse("", "likes", 12)[0] if style.id == "eve/odd"]
    assert community.thumbnails(found)[0][0] == open_photo(PHOTO, community.THUMBNAIL)
    assert community.picture(community.fetch("eve/odd"), "painting") is None


@pytest.mark.slow
@pytest.mark.parametrize("size", [(30_000, 30_000), (15_000, 15_000), (3000, 2000)])
def test_a_picture_that_unpacks_to_gigabytes_is_one_placeholder(hub, wave, size):
    """Before, it emptied the tab for everybody (issue 13, item 19)."""
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    card = b"---\ntags: [missing-ingredient]\n---\n"
    hub.add("eve/bomb", {"README.md": card, "images/instance.jpg": buffer.getvalue()})
    found = dict((style.id, style) for style in community.browse("", "likes", 12)[0])
    (bomb, _), (sound, _) = community.thumbnails([found["eve/bomb"], found["bob/wave"]])
    assert bomb == open_photo(PHOTO, community.THUMBNAIL) and sound != bomb


def test_a_broken_record_is_said_in_words(hub):
    files = {**files_of(BUNDLED / "great-wave"), "metrics.json": b'{"held_out": {"256": {"photo": {"objective": 0}}}}'}
    hub.add("eve/broken", files)
    with pytest.raises(StyleFolderError, match="held_out"):
        words.about(community.fetch("eve/broken"))


def test_on_a_space_nobody_reads_with_the_owners_token(hub, logged_in, monkeypatch):
    hub.add("alice/secret", files_of(BUNDLED / "great-wave"), private=True)
    assert community.fetch("alice/secret").slug == "secret"
    monkeypatch.setenv("SPACE_ID", "alice/demo")
    with pytest.raises(HubNotFoundError):
        community.fetch("alice/secret@main")
    assert community.browse("", "likes", 3) == ([], False)


@pytest.mark.slow
def test_a_page_reads_what_everybody_may_read(hub, logged_in, photo, monkeypatch):
    """Whoever is logged in on its machine, by page and API, from the Hub and from the cache; unless the owner is alone with it
    (issue 13, item 24)."""
    hub.add("alice/secret", files_of(BUNDLED / "great-wave"), private=True)
    owned = zoo.pull("alice/secret")
    assert owned.source.startswith("alice/secret@")
    with served() as url:
        client = Client(url, verbose=False, analytics_enabled=False)

        def ask(name):
            return client.predict(handle_file(str(photo)), name, "instance", 64, api_name="/stylize")

        for name in ("alice/secret", owned.source):
            with pytest.raises(AppError, match="no such repository"):
                ask(name)
            with pytest.raises(HubNotFoundError):
                community.fetch(name)
        assert community.browse("", "likes", 3) == ([], False)
        monkeypatch.setenv("MISSING_INGREDIENT_SHARE", "1")
        assert size_of(ask("alice/secret")) == (64, 64)
        monkeypatch.delenv("MISSING_INGREDIENT_SHARE")
        hub.close()  # what the owner has pulled lies in the cache
        for name in ("alice/secret", owned.source):
            with pytest.raises(HubUnavailableError):
                community.fetch(name)


def test_a_thumbnail_that_is_no_picture_does_not_matter(hub):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40)).save(buffer, "JPEG")
    card = b"---\ntags: [missing-ingredient]\n---\n"
    hub.add("eve/broken", {"README.md": card, "images/instance.jpg": buffer.getvalue()[:50]})
    ((image, _),) = community.thumbnails(community.browse("", "likes", 3)[0])
    assert image.width > 40  # the zoo's photo instead
