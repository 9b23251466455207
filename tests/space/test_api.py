"""The named endpoints, driven by gradio_client over HTTP."""

import threading

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import zoo
from zoo.catalog import list_styles


@pytest.fixture(scope="module")
def client(page):
    return Client(page, verbose=False, analytics_enabled=False)


@pytest.fixture(scope="module")
def slug():
    return list_styles()[0].slug


def test_two_endpoints_are_public(client):
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == {"/stylize", "/compare"}


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_stylize(client, slug, photo, norm):
    path = client.predict(handle_file(str(photo)), slug, norm, 96, api_name="/stylize")
    picture = Image.open(path)
    assert picture.format == "PNG" and picture.size == (96, 96)
    assert np.array_equal(np.asarray(picture), np.asarray(zoo.stylize(photo, slug, norm, 96)))


def test_compare_by_names(client, slug, photo):
    batch, instance = client.predict(photo=handle_file(str(photo)), style=slug, size=100, api_name="/compare")
    for norm, path in (("batch", batch), ("instance", instance)):
        picture = Image.open(path)
        assert picture.format == "PNG"
        assert np.array_equal(np.asarray(picture), np.asarray(zoo.stylize(photo, slug, norm, 100)))


def test_two_visitors_at_once_both_get_answers(page, slug, examples):
    sizes = {"astronaut.jpg": (256, 256), "raccoon.jpg": (256, 192)}
    found = {}

    def visit(name):
        visitor = Client(page, verbose=False, analytics_enabled=False)
        found[name] = visitor.predict(handle_file(str(examples / name)), slug, 256, api_name="/compare")

    threads = [threading.Thread(target=visit, args=(name,)) for name in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {name: Image.open(paths[1]).size for name, paths in found.items()} == sizes


@pytest.mark.parametrize(
    ("change", "message"),
    [({"style": "../secrets"}, "no style"), ({"size": 9}, "32..2048"), ({"norm": "layer"}, "instance or batch")],
)
def test_mistakes_come_back_as_messages(client, slug, photo, change, message):
    words = {"photo": handle_file(str(photo)), "style": slug, "norm": "instance", "size": 64, **change}
    with pytest.raises(AppError, match=message):
        client.predict(**words, api_name="/stylize")


def test_a_file_that_is_no_picture(client, slug, tmp_path):
    (tmp_path / "notes.png").write_bytes(b"not a picture at all")
    with pytest.raises(AppError, match=r"cannot read notes\.png as a picture"):
        client.predict(handle_file(str(tmp_path / "notes.png")), slug, "instance", 64, api_name="/stylize")


def test_a_picture_turned_by_exif_comes_back_upright(client, slug, tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (80, 40), "teal").save(tmp_path / "turned.jpg", exif=exif)
    path = client.predict(handle_file(str(tmp_path / "turned.jpg")), slug, "instance", 512, api_name="/stylize")
    assert Image.open(path).size == (40, 80)


def test_the_api_does_not_read_the_servers_disk(page, slug, photo, tmp_path):
    """A path that nobody uploaded is refused, whether there is a picture or not."""
    for path in (photo, tmp_path / "nothing.png"):
        call = httpx.post(f"{page}gradio_api/call/stylize", json={"data": [{"path": str(path)}, slug, "instance", 64]})
        answer = httpx.get(f"{page}gradio_api/call/stylize/{call.json()['event_id']}", timeout=60).text
        assert "event: error" in answer and "event: complete" not in answer
