"""The page without a server behind it, in a real browser: it paints there, as PyTorch does, and goes on without a network."""

import base64
import io
import itertools
import os
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import zoo
from space.browser.folder import build
from tests.browser.conftest import ARGS, CHROMIUM, DESKTOP, PHONE, without_runtime
from tests.conftest import EXAMPLES
from tests.hub.repos import files_of
from tests.hub.server import Fault
from zoo.errors import ConfigError
from zoo.images import fade, open_photo, to_image, to_tensor
from zoo.style import BUNDLED

pytestmark = pytest.mark.slow
STYLES = ("starry-night", "the-scream")
NORMS = ("batch", "instance")
PATIENCE = 120_000  # ms


class Host(ThreadingHTTPServer):
    """Any host of files: it knows nothing of the page, sends no headers of ours, and counts what it sends."""

    def __init__(self, folder):
        self.sent, self.folder = 0, folder
        super().__init__(("127.0.0.1", 0), partial(Counted, directory=str(folder)))
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def stop(self):
        self.shutdown()
        self.server_close()


class Counted(SimpleHTTPRequestHandler):
    def copyfile(self, source, outputfile):
        self.server.sent += os.fstat(source.fileno()).st_size
        super().copyfile(source, outputfile)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page, built; see without_runtime. ORT_WEB names a folder that holds the latter."""
    ort, out = os.environ.get("ORT_WEB"), tmp_path_factory.mktemp("built") / "page"
    try:
        build(out, [zoo.find(slug) for slug in STYLES], Path(ort) if ort else None)
    except ConfigError as error:
        without_runtime(error)
    return out


@pytest.fixture(scope="module")
def host(folder):
    found = Host(folder)
    yield found
    found.stop()


@pytest.fixture
def tab(browser, host, request):
    """A visitor's first visit, when everything has been fetched; `tab.outside` are requests to anybody else."""
    width, height = getattr(request, "param", (1280, 900))
    context = browser.new_context(viewport={"width": width, "height": height})
    yield visit(context, host.url)
    context.close()


def visit(context, url):
    opened = context.new_page()
    opened.outside, opened.complaints = [], []
    context.on("request", lambda r: None if r.url.startswith((url, "blob:", "data:")) else opened.outside.append(r.url))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("console", lambda said: opened.complaints.append(said.text) if said.type in ("error", "warning") else None)
    opened.goto(url)
    ready(opened)
    return opened


def ready(tab):
    expect(tab.locator("body[data-on]")).to_be_attached(timeout=PATIENCE)


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def photo_of(width, height):
    """A part of a photo, of that very size."""
    return open_photo(EXAMPLES / "astronaut.jpg").resize((width, height))


def upload(tab, image, name="mine.png"):
    """Put a photo in; returns when both norms have painted it."""
    w, h = image.size
    tab.locator("#photo input").set_input_files({"name": name, "mimeType": "image/png", "buffer": png(image)})
    expect(tab.locator("#info")).to_contain_text(f"{w}×{h} px · batch norm", timeout=PATIENCE)
    expect(tab.locator("#comparison")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)


def shown(tab):
    """The pictures left and right of the line."""
    found = tab.locator("#comparison canvas").evaluate_all("all => all.map(canvas => canvas.toDataURL())")
    return [Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB") for data in found]


def painted(image, slug, norm):
    """What PyTorch paints."""
    return to_image(zoo.load(slug, norm)(to_tensor(image)))


def within(one, other, levels=2):
    """The share of values that lie no further apart."""
    return (np.abs(np.asarray(one, int) - np.asarray(other, int)) <= levels).mean()


def assert_painted(tab, image, slug=STYLES[0]):
    for found, norm in zip(shown(tab), NORMS, strict=True):
        assert within(found, painted(image, slug, norm)) >= 0.999, norm
    assert within(*shown(tab)) < 0.9  # it could tell


def test_it_paints_as_pytorch_does(tab):
    """Issue 17."""
    tab.get_by_text("768 px").click()
    for contrast, size in itertools.product([1, 0.1], [(256, 256), (333, 517), (512, 512)]):
        photo = fade(photo_of(*size), contrast)
        upload(tab, photo, f"{size}-{contrast}.png")
        assert_painted(tab, photo)
    assert not tab.outside and not tab.complaints


def test_without_the_server_it_goes_on(browser, folder):
    """Issue 17: all of it was fetched at the first visit, from the one host there is, once."""
    host, context = Host(folder), browser.new_context()
    tab = visit(context, host.url)
    expect(tab.locator("#offline")).to_contain_text("offline", timeout=PATIENCE)
    fetched = sum(path.stat().st_size for path in folder.rglob("*") if "jspi" not in path.name)
    assert host.sent < fetched + 500_000 and host.sent - 1_800_000 < 20_000_000
    host.stop()
    tab.reload()
    ready(tab)
    assert tab.evaluate("crossOriginIsolated")  # its own doing: threads
    photo = photo_of(200, 160)
    upload(tab, photo)
    assert_painted(tab, photo)
    tab.locator(f"[data-style={STYLES[1]}]").click()
    expect(tab.locator("#about")).to_contain_text("The Scream", timeout=PATIENCE)
    assert_painted(tab, photo, STYLES[1])
    assert not tab.outside and not tab.complaints
    context.close()


def test_a_photo_a_style_and_both_pictures_kept(tab, tmp_path):
    """Issue 17: the habits of the page with a server. One's own photo hangs on the wall, the newest choice wins."""
    photo = photo_of(240, 180)
    before = tab.locator("#styles img").evaluate_all("all => all.map(image => image.src)")
    expect(tab.locator("#save-batch")).to_be_disabled()  # what is shown was painted in advance
    upload(tab, photo, "my cat.png")
    expect(tab.locator("#contrast output")).to_have_text("100")
    for place, source in enumerate(before):
        expect(tab.locator("#styles img").nth(place)).not_to_have_attribute("src", source, timeout=PATIENCE)
    for place in (1, 0, 1):
        tab.locator("#styles button").nth(place).click()
    expect(tab.locator("#about")).to_contain_text("The Scream", timeout=PATIENCE)
    expect(tab.locator("#comparison")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(tab.locator("#painting")).to_be_hidden()  # it may not be shown
    assert_painted(tab, photo, "the-scream")
    for norm, side in zip(NORMS, shown(tab), strict=True):
        saved = save(tab, f"#save-{norm}", tmp_path)
        assert saved.name == f"my cat-the-scream-{norm}.png"
        with Image.open(saved) as image:
            assert within(image.convert("RGB"), side, 0) == 1
            assert image.text["Description"].startswith("After The Scream, Edvard Munch, 1893.")
    with Image.open(save(tab, "#save-both", tmp_path)) as both:
        left, right = (both.convert("RGB").crop((x, 0, x + 240, 180)) for x in (0, both.width - 240))
        assert both.height > 180 and within(left, shown(tab)[0], 0) == within(right, shown(tab)[1], 0) == 1
    assert not tab.outside and not tab.complaints


def save(tab, button, folder):
    with tab.expect_download() as waiting:
        tab.locator(button).click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target


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


def test_contrast_left_strength_and_colours(tab):
    """What is done without a server is what zoo/images.py and zoo/finish.py do."""
    photo = photo_of(200, 150)
    upload(tab, photo)
    tab.locator("#contrast-range").fill("10")  # an `input` and a `change`
    expect(tab.locator("#contrast output")).to_have_text("10")
    tab.locator("#more summary").click()
    tab.get_by_label("my photo", exact=True).check()
    expect(tab.locator("#captions")).to_contain_text("Your photo")
    expect(tab.locator("#comparison")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(tab.locator("#info")).to_contain_text("200×150 px", timeout=PATIENCE)
    faded = fade(photo, 0.1)
    assert within(shown(tab)[0], faded, 1) == 1
    paint = painted(faded, STYLES[0], "instance")
    for strength, keep in ((1, True), (0.5, False), (0, False)):
        tab.locator("#keep-colours").set_checked(keep)
        tab.locator("#strength").fill(str(strength))
        assert within(shown(tab)[1], zoo.finish(paint, faded, strength, keep), 4) >= 0.999, (strength, keep)
    assert not tab.complaints


def test_the_line_follows_finger_and_keys(tab):
    box = tab.locator("#comparison").bounding_box()
    at = lambda: tab.locator("#comparison .line").bounding_box()["x"] + 1 - box["x"]  # noqa: E731
    assert at() == pytest.approx(box["width"] / 2, abs=2)
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 80, box["y"] + 120, steps=4)
    tab.mouse.up()
    assert at() == pytest.approx(80, abs=2)
    tab.locator("#comparison input").focus()
    tab.keyboard.press("ArrowRight")
    assert at() > 82


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_comes_by_other_ways_and_a_bad_one_is_told(tab, way):
    give = """([way, data, name]) => {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), given = new DataTransfer();
        given.items.add(new File([bytes], name, {type: "image/png"}));
        const about = {bubbles: true, cancelable: true, dataTransfer: given, clipboardData: given};
        document.body.dispatchEvent(way === "drop" ? new DragEvent(way, about) : new ClipboardEvent(way, about));
    }"""
    tab.evaluate(give, [way, base64.b64encode(png(photo_of(90, 70))).decode(), "a.png"])
    expect(tab.locator("#info")).to_contain_text("90×70 px", timeout=PATIENCE)
    for content, told in ((b"no picture", "cannot read b.png as a picture"), (png(photo_of(20, 40)), "at least 32 px")):
        tab.evaluate(give, [way, base64.b64encode(content).decode(), "b.png"])
        expect(tab.locator("#message")).to_contain_text(told)
    assert not tab.complaints


def test_the_camera_is_painted_as_it_comes_and_a_frame_is_kept(browser, host):
    """Chromium brings a camera of its own: moving colours."""
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=[*ARGS, *fake])
    tab = visit(other.new_context(), host.url)
    tab.locator("#camera").click()
    expect(tab.locator("#info")).to_contain_text("frames/s", timeout=PATIENCE)
    expect(tab.locator("#info")).to_contain_text("192×")
    tab.locator("#shoot").click()
    expect(tab.locator("#info")).to_contain_text("512×", timeout=PATIENCE)
    expect(tab.locator("#photo video")).to_be_hidden()
    assert not tab.complaints
    other.close()


@pytest.mark.parametrize("tab", [DESKTOP, PHONE], indirect=True)
def test_a_visitor_sees_the_comparison_at_once_and_nothing_moves(tab):
    assert tab.locator("#comparison").bounding_box()["y"] < tab.viewport_size["height"] / 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
    if tab.viewport_size["width"] < 640:
        wall = tab.locator("#styles").bounding_box()
        assert wall["y"] + wall["height"] < tab.viewport_size["height"]  # with the comparison in one screen
    shifts = """() => new Promise((told) => new PerformanceObserver((list) =>
        told(list.getEntries().map((entry) => entry.value))).observe({type: "layout-shift", buffered: true}))"""
    tab.evaluate("document.fonts.ready")
    moved = tab.evaluate(f"Promise.race([({shifts})(), new Promise((told) => setTimeout(told, 500, []))])")
    assert sum(moved) < 0.02
    assert within(*shown(tab)) < 0.5  # the hazy day
