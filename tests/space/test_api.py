"""The named endpoints, driven by gradio_client over HTTP."""

import json
import threading

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import zoo
from space.words import as_hung
from tests.conftest import size_of
from zoo.catalog import photo_styles

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def client(page):
    return Client(page, verbose=False, analytics_enabled=False)


@pytest.fixture(scope="module")
def slug():
    return photo_styles()[0].slug


def test_four_endpoints_are_public(client):
    public = set(client.view_api(return_format="dict", print_info=False)["named_endpoints"])
    assert public == {"/stylize", "/compare", "/blend", "/styles"}


def test_styles_are_those_of_the_page_with_their_painters(client):
    told = client.predict(api_name="/styles")
    assert [one["slug"] for one in told] == [style.slug for style in as_hung(photo_styles())]
    for one in told:
        style = zoo.find(one["slug"])
        assert one["title"] == style.title and one["author"] == style.painting["author"] and one["licence"]
        assert set(one["norms"]) == {"instance", "batch"} and "/" not in one["slug"]


def test_blend_paints_between_styles_that_were_trained_together(client, photo, trained_together):
    shares = {"morning": 0.25, "evening": 0.75}
    path = client.predict(handle_file(str(photo)), shares, "instance", 96, api_name="/blend")
    wanted = zoo.paint(zoo.blend({str(trained_together / name): share for name, share in shares.items()}), photo, 96)
    with Image.open(path) as picture:
        assert np.abs(np.asarray(picture, int) - np.asarray(wanted, int)).max() <= 1


def test_styles_that_were_trained_apart_do_not_blend_and_it_says_so(client, photo):
    with pytest.raises(AppError, match="only styles that were trained together blend"):
        client.predict(handle_file(str(photo)), {"udnie": 0.5, "starry-night": 0.5}, "instance", 64, api_name="/blend")


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_stylize(client, slug, photo, norm):
    path = client.predict(handle_file(str(photo)), slug, norm, 96, api_name="/stylize")
    with Image.open(path) as picture:
        assert picture.format == "PNG" and picture.size == (96, 96)
        assert np.array_equal(np.asarray(picture), np.asarray(zoo.stylize(photo, slug, norm, 96)))


def test_compare_by_names(client, slug, photo):
    batch, instance = client.predict(photo=handle_file(str(photo)), style=slug, size=100, api_name="/compare")
    for norm, path in (("batch", batch), ("instance", instance)):
        with Image.open(path) as picture:
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
    assert {name: size_of(paths[1]) for name, paths in found.items()} == sizes


@pytest.mark.parametrize(
    ("change", "message"),
    [({"style": "../secrets"}, "no style"), ({"size": 9}, "32..8192"), ({"norm": "layer"}, "instance or batch")],
)
def test_mistakes_come_back_as_messages(client, slug, photo, change, message):
    words = {"photo": handle_file(str(photo)), "style": slug, "norm": "instance", "size": 64, **change}
    with pytest.raises(AppError, match=message):
        client.predict(**words, api_name="/stylize")


def answer(page, name, data) -> str:
    """What a function says to that, whatever it is; in its own words."""
    joined = httpx.post(f"{page}gradio_api/call/{name}", content=json.dumps({"data": data}), headers=JSON)
    said = httpx.get(f"{page}gradio_api/call/{name}/{joined.json()['event_id']}", timeout=60).text
    assert said.startswith("event: error") and len(said) < 1000
    return json.loads(said.split("data: ")[1])["error"]


@pytest.mark.parametrize(
    ("place", "values", "message"),
    [
        (1, [["a"], {}, 5, None, "a" * 300_000], "a style is named by"),
        (2, [["instance"], {}, "x" * 300_000, None], "norm must be instance or batch"),
        (3, ["64", [64], {}, True, float("nan"), 10**400, None], "size is the long side"),
        (0, ["abc", [{}], {"path": "/etc/passwd"}, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
             {"path": "a\0b", "meta": {"_type": "gradio.FileData"}}, {"path": "/" + "a" * 5000}, {"path": 5}, {}], "upload"),
    ],
)  # fmt: skip
def test_values_of_a_wrong_kind_come_back_as_one_sentence(page, photo, slug, place, values, message, capfd):
    """Shortened, without the server's paths, and without a traceback in the log (issue 13, items 27 and 43)."""
    (there,) = httpx.post(f"{page}gradio_api/upload", files={"files": photo.read_bytes()}).json()
    data = [{"path": there, "meta": {"_type": "gradio.FileData"}}, slug, "instance", 64]
    for value in values:
        said = answer(page, "stylize", [*data[:place], value, *data[place + 1 :]])
        assert message in said and "/etc" not in said and "/tmp" not in said and len(said) <= 500
    assert "upload" in answer(page, "stylize", data[:2])  # too few
    log = capfd.readouterr().err
    assert "Traceback" not in log and len(log) < 300 * (len(values) + 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [("choose", "no tile"), ("take_shown", "no tile"), ("load_example", "fits none"), ("take", "enter the name"),
     ("paint_pair", "fits none"), ("recall", "no tile"), ("try_border", "no photo yet")],
)  # fmt: skip
def test_functions_of_the_page_say_what_nothing_lacks(page, capfd, name, message):
    """Called by their index, with null for everything (issue 13, items 32 and 43)"""
    functions = httpx.get(f"{page}config").json()["dependencies"]
    function = next(one for one in functions if one["api_name"] == name)
    there = {"path": "\0", "meta": {"_type": "gradio.FileData"}}  # no file has such a name
    for event in (None, {}, 5, {"index": None}, {"index": there, "value": there}):
        nothing = {"data": [None] * len(function["inputs"]), "fn_index": function["id"], "event_data": event}
        joined = httpx.post(f"{page}gradio_api/queue/join", json={**nothing, "session_hash": "nothing"})
        assert joined.status_code == 200
        told = httpx.get(f"{page}gradio_api/queue/data?session_hash=nothing", timeout=30).text
        (done,) = (line for line in told.splitlines() if '"process_completed"' in line)
        assert message in json.loads(done.removeprefix("data: "))["output"]["error"]
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("route", ["run/predict", "run/compare", "call/nothing", "call/v2/stylize"])
@pytest.mark.parametrize("body", [{"data": []}, {"data": [], "fn_index": 10**30}, {}])
def test_a_function_that_is_none_is_a_mistake_of_who_asks(page, capfd, route, body):
    """Not the server's (issue 13, item 32)"""
    answer = httpx.post(f"{page}gradio_api/{route}", json=body)
    assert answer.status_code in (400, 404, 422) and answer.json()["detail"]
    assert "Traceback" not in capfd.readouterr().err


def test_a_function_of_the_browser_alone_leaves_no_traceback(page, capfd):
    """Fifty lines each time, six hundred times a minute (issue 13, item 40)."""
    functions = httpx.get(f"{page}config", timeout=30).json()["dependencies"]
    index = next(one["id"] for one in functions if one["js"] and not one["backend_fn"])
    body = {"data": [], "fn_index": index, "session_hash": "browser"}
    assert httpx.post(f"{page}gradio_api/queue/join", json=body).status_code == 200
    told = httpx.get(f"{page}gradio_api/queue/data", params={"session_hash": "browser"}, timeout=60).text
    assert "fits none of these inputs" in told and "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "weights",
    [None, 5, "ab", [], {}, {"udnie": 1}, {"udnie": 0.5, "starry-night": 0.6}, {"udnie": float("nan"), "starry-night": 1},
     {"udnie": 2, "starry-night": -1}, {"udnie": True, "starry-night": 0}, {"udnie": "1", "starry-night": []},
     dict.fromkeys("abcde", 0.2)],
)  # fmt: skip
def test_a_blend_of_a_wrong_kind_comes_back_as_one_sentence(page, photo, weights):
    (there,) = httpx.post(f"{page}gradio_api/upload", files={"files": photo.read_bytes()}).json()
    data = [{"path": there, "meta": {"_type": "gradio.FileData"}}, weights, "instance", 64]
    assert "a blend takes 2 to 4 styles" in answer(page, "blend", data)
    assert "no style '../udnie'" in answer(page, "blend", [data[0], {"../udnie": 0.5, "udnie": 0.5}, "instance", 64])


def test_a_file_that_is_no_picture(client, slug, tmp_path):
    (tmp_path / "notes.png").write_bytes(b"not a picture at all")
    with pytest.raises(AppError, match=r"cannot read notes\.png as a picture"):
        client.predict(handle_file(str(tmp_path / "notes.png")), slug, "instance", 64, api_name="/stylize")


def test_a_picture_turned_by_exif_comes_back_upright(client, slug, tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (80, 40), "teal").save(tmp_path / "turned.jpg", exif=exif)
    path = client.predict(handle_file(str(tmp_path / "turned.jpg")), slug, "instance", 512, api_name="/stylize")
    assert size_of(path) == (40, 80)


def test_the_api_does_not_read_the_servers_disk(page, slug, photo, tmp_path):
    """A path that nobody uploaded is refused, whether there is a picture or not."""
    for path in (photo, tmp_path / "nothing.png"):
        call = httpx.post(f"{page}gradio_api/call/stylize", json={"data": [{"path": str(path)}, slug, "instance", 64]})
        answer = httpx.get(f"{page}gradio_api/call/stylize/{call.json()['event_id']}", timeout=60).text
        assert "event: error" in answer and "event: complete" not in answer


def test_nothing_is_fetched_for_a_stranger(page, monkeypatch):
    """An address in the place of a photo went past every bound on uploads (issue 13, item 40)."""
    asked = []

    async def fetch(url, *rest, **more):
        asked.append(url)
        raise ValueError(url)

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", fetch)
    photo = {"path": "http://93.184.216.34/200GB.png", "meta": {"_type": "gradio.FileData"}}
    for name, rest in (("stylize", ["starry-night", "instance", 64]), ("compare", ["starry-night", 64])):
        call = httpx.post(f"{page}gradio_api/call/{name}", json={"data": [photo, *rest]}).json()
        said = httpx.get(f"{page}gradio_api/call/{name}/{call['event_id']}", timeout=30).text
        assert "event: error" in said and "fits none" in said
    assert not asked
