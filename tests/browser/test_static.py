"""The page without a server behind it, in a real browser: it paints there, as PyTorch does, and goes on without a network."""

import base64
import io
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import zoo
from space.browser.folder import build
from space.browser.runtime import runtime_files
from tests.conftest import EXAMPLES
from zoo.errors import ConfigError
from zoo.images import fade, open_photo, to_image, to_tensor

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
    """The page, built; left out where onnx or onnxruntime-web is missing. ORT_WEB names a folder that holds the latter."""
    pytest.importorskip("onnx")
    ort = os.environ.get("ORT_WEB") or tmp_path_factory.mktemp("ort")
    try:
        for name, data in runtime_files(None).items() if "ORT_WEB" not in os.environ else ():
            (ort / name).write_bytes(data)
    except ConfigError as error:
        if os.environ.get("REQUIRE_BROWSER"):
            raise
        pytest.skip(f"{error} (here: ORT_WEB=DIR)")
    out = tmp_path_factory.mktemp("built") / "page"
    build(out, [zoo.find(slug) for slug in STYLES], ort)
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


@pytest.mark.parametrize("contrast", [1, 0.1])
@pytest.mark.parametrize("size", [(256, 256), (333, 517), (512, 512)])
def test_it_paints_as_pytorch_does(tab, size, contrast):
    """Issue 17."""
    photo = fade(photo_of(*size), contrast)
    tab.get_by_text("768 px").click()
    upload(tab, photo)
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
