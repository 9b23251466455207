"""The page without a server, and a style that its visitor names: read by the browser from a Hub on this machine."""

import re
from functools import partial

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import zoo
from space.browser.folder import build
from tests.browser.static import PATIENCE, STYLES, Host, assert_painted, photo_of, save, upload, visit
from tests.hub.repos import files_of
from tests.hub.server import Fault
from zoo.style import BUNDLED

pytestmark = pytest.mark.slow


@pytest.fixture
def named(browser, hub, folder, tmp_path, monkeypatch):
    """A visit of a page whose visitors may name styles of the tests' own Hub; its one generator is exported already."""
    made = [path.relative_to(folder) for path in folder.glob(f"styles/{STYLES[0]}-*.onnx")]
    monkeypatch.setattr("space.browser.folder._generators", lambda styles: ((f"{p}", (folder / p).read_bytes()) for p in made))
    build(tmp_path / "page", [zoo.find(STYLES[0])], folder / "ort")
    host, context = Host(tmp_path / "page"), browser.new_context()
    yield visit(context, host.url)
    context.close()
    host.stop()


def name(tab, words):
    tab.locator("#hub input").fill(words)
    tab.get_by_role("button", name="Bring it").click()
    expect(tab.locator("#hub button")).to_be_enabled(timeout=PATIENCE)


def test_a_style_of_the_hub_comes_when_it_is_named_and_nobody_is_asked_before(named, hub, logged_in, tmp_path):
    """Issue 17: published with --onnx, read from the Hub by the browser, painted as PyTorch does."""
    zoo.publish(BUNDLED / STYLES[1], "alice/shriek", onnx=True)
    hub.requests.clear()
    photo = photo_of(200, 160)
    upload(named, photo)
    named.locator("#styles button").first.click()
    assert_painted(named, photo)
    assert not named.outside and not hub.requests
    expect(named.locator("#hub")).to_contain_text(f"Your browser asks {hub.url.removeprefix('http://')} for it")
    name(named, "alice/shriek")
    expect(named.locator("#hub-note")).to_have_text("alice/shriek hangs on the wall until you leave this page.")
    expect(named.locator("#about")).to_contain_text("alice/shriek, shared on 127.0.0.1", timeout=PATIENCE)
    expect(named.locator("#comparison")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    assert_painted(named, photo, STYLES[1])
    files = [f"/alice/shriek/resolve/main/{place}{file}" for file in ("config.json", "model.onnx") for place in ("", "batch/")]
    assert sorted(hub.requests) == sorted(f"GET {file}" for file in files)
    assert sorted(named.outside) == sorted(f"{hub.url}{file}" for file in files)
    tile = named.locator("#styles button").last
    expect(tile).to_have_text("alice/shriek")
    expect(tile.locator("img")).to_have_attribute("src", re.compile("^blob:"), timeout=PATIENCE)
    with Image.open(save(named, "#save-instance", tmp_path)) as image:
        assert image.text["Description"].startswith("After alice/shriek, shared on 127.0.0.1")
    named.locator("#styles button").first.click()
    name(named, f"{hub.url}/alice/shriek")  # its address, once more: it is here
    expect(tile).to_have_attribute("aria-pressed", "true")
    assert len(hub.requests) == 4 and named.locator("#styles button").count() == 2 and not named.complaints


def test_what_is_no_style_for_a_browser_is_told_and_the_rest_goes_on(named, hub, painted_pair):
    files, good = files_of(painted_pair), identity()
    onnx = {"model.onnx": good, "batch/model.onnx": good}
    config = {
        "wide": files["config.json"].replace(b'"width": 2', b'"width": 65'),
        "bert": b'{"model_type": "bert"}',
        "text": b"<b>",
    }
    for repo, more in {
        "plain": {}, **{repo: {"config.json": said} for repo, said in config.items()},
        "huge": {**onnx, "batch/model.onnx": bytes(2**26 + 1)}, "broken": {**onnx, "model.onnx": b"no model"},
        "bright": {**onnx, "model.onnx": identity(times=3)}, "small": {**onnx, "batch/model.onnx": identity(rows=40)},
        "long": {**onnx, "config.json": bytes(2**20)}, "fails": onnx,
    }.items():  # fmt: skip
        hub.add(f"alice/{repo}", {**files, **more})
    hub.add("alice/alone", {name: data for name, data in files.items() if not name.startswith("batch/")})
    hub.faults.append(Fault("/alice/fails/", 503))
    untold = {"Content-Length": "", "Connection": "close"}
    hub.faults.append(Fault("/alice/huge/", None, headers=untold))
    for words, told in (
        *((words, "is called owner/name") for words in ("alice", "../../x", "a/b/c", "a/<img src=x onerror=alert(1)>")),
        ("alice/nowhere", "has no style alice/nowhere that everybody may see"), ("alice/alone", "has no batch-norm twin"),
        ("alice/bert", "alice/bert is no style of this kind"), ("alice/text", "alice/text is no style of this kind"),
        ("alice/wide", "has width 65; styles of others may have 64"), ("alice/long", "config.json has more than 0.5 MiB"),
        ("alice/plain", "has no batch/model.onnx for browsers: its owner adds it by python -m zoo publish --onnx"),
        ("alice/huge", "batch/model.onnx has more than 64 MiB"), ("alice/broken", "alice/broken does not paint here"),
        ("alice/bright", "what it gives is no picture"), ("alice/small", "alice/small does not paint here"),
        ("alice/fails", "fails (status 503): try again later"),
    ):  # fmt: skip
        name(named, words)
        expect(named.locator("#hub-note")).to_contain_text(told)
    hub.close()
    name(named, "alice/plain")
    expect(named.locator("#hub-note")).to_contain_text("cannot be reached")
    assert named.locator("#styles button").count() == 1 and named.locator("#hub img").count() == 0
    upload(named, photo := photo_of(90, 70))
    assert_painted(named, photo)
    assert not [said for said in named.complaints if "Failed to load resource" not in said]  # the browser says that itself


def identity(times=1, rows=None):
    """An ONNX model that gives the photo back: brighter, or no more than so many of its rows."""
    onnx = pytest.importorskip("onnx")
    value = partial(onnx.helper.make_tensor_value_info, elem_type=onnx.TensorProto.FLOAT, shape=[1, 3, None, None])
    tensor = lambda name, given: onnx.numpy_helper.from_array(np.array(given), name)  # noqa: E731
    ends = [tensor("from", [0]), tensor("to", [rows or 10**6]), tensor("axis", [2]), tensor("times", np.float32(times))]
    nodes = [
        onnx.helper.make_node("Slice", ["photo", "from", "to", "axis"], ["part"]),
        onnx.helper.make_node("Mul", ["part", "times"], ["painted"]),
    ]
    graph = onnx.helper.make_graph(nodes, "g", [value("photo")], [value("painted")], ends)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
