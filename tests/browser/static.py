"""A visit of the page without a server behind it: its host, what a visitor does, what PyTorch would paint."""

import base64
import io
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image
from playwright.sync_api import expect

import zoo
from tests.conftest import EXAMPLES
from zoo.images import open_photo, to_image, to_tensor

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


# Beside other tests on the same cores, threads that wait for each other as busily as WebAssembly's do take five times as long.
ONE_THREAD = "Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', {get: () => 1})"


def visit(context, url, threads=1):
    opened = context.new_page()
    if threads == 1:
        opened.add_init_script(ONE_THREAD)
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


def save(tab, button, folder):
    with tab.expect_download() as waiting:
        tab.locator(button).click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target
