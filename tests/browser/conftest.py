"""Headless Chromium. Without it the browser tests are left out with one line; with REQUIRE_BROWSER set, that is an error,
and so is the lack of the runtime that paints in a browser.
"""

import os
from pathlib import Path
from queue import Queue

import pytest

import zoo
from benchmarks.chromium import CHROMIUM
from space import actions
from space.browser.folder import build
from tests.browser.static import STYLES
from tests.conftest import once
from zoo.errors import ConfigError

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
        "--disable-component-update", "--no-first-run", "--use-fake-device-for-media-stream"]  # fmt: skip


def pytest_collection_modifyitems(config, items):
    if CHROMIUM:
        return
    if os.environ.get("REQUIRE_BROWSER"):
        raise pytest.UsageError("Chromium is not installed, and REQUIRE_BROWSER asks for the browser tests")
    mine = [item for item in items if Path(__file__).parent in item.path.parents]
    items[:] = [item for item in items if item not in mine]
    config.hook.pytest_deselected(items=mine)
    config.stash[LEFT_OUT] = len(mine)


LEFT_OUT = pytest.StashKey[int]()


def left_out(said):
    """For what npm brings: leave a test out, or fail where the browser is required."""
    (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(said)


def without_runtime(error):
    """As onnxruntime-web is not there."""
    left_out(f"the page that paints in a browser was not tested: {error} (for the tests: ORT_WEB=DIR)")


def pytest_terminal_summary(terminalreporter, config):
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"Chromium is not installed: {left_out} browser tests were left out", yellow=True)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def browser(chromium):
    opened = chromium.launch(executable_path=CHROMIUM, args=ARGS)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The page without a server, built; see without_runtime. ORT_WEB names a folder that holds the latter."""
    ort = os.environ.get("ORT_WEB")
    try:
        styles = [zoo.find(slug) for slug in STYLES]
        return once(tmp_path_factory, "page", lambda out: build(out, styles, Path(ort) if ort else None))
    except ConfigError as error:
        without_runtime(error)


DESKTOP, PHONE = pytest.param((1280, 900), id="desktop"), pytest.param((390, 844), id="phone")
# For what does not depend on the width, such as which of two answers wins; what is seen is tested at both.
on_a_phone = pytest.mark.parametrize("tab", [PHONE], indirect=True)


@pytest.fixture(scope="session")
def profile(chromium, tmp_path_factory):
    """A browser that remembers the page's own files, and what it compiled of them, from tab to tab, as a visitor's does: two
    thirds of the work of a visit."""
    folder = tmp_path_factory.mktemp("profile")
    opened = chromium.launch_persistent_context(folder, executable_path=CHROMIUM, args=ARGS)
    yield opened
    opened.close()


@pytest.fixture(params=[DESKTOP, PHONE])
def tab(profile, page, request):
    """The page in a fresh tab; `tab.outside` lists every request that left for elsewhere."""
    width, height = request.param
    opened = profile.new_page()
    opened.set_viewport_size({"width": width, "height": height})
    opened.outside, opened.complaints = [], []
    home = (page, page.replace("127.0.0.1", "localhost"), "data:", "blob:")
    opened.on("request", lambda r: None if r.url.startswith(home) else opened.outside.append(r.url))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.goto(page, wait_until="domcontentloaded")
    opened.locator("#styles").wait_for(state="visible", timeout=60_000)
    yield opened
    if opened.url.startswith(page):  # it may have gone elsewhere
        opened.evaluate("localStorage.clear(), sessionStorage.clear()")
    opened.close()
    profile.clear_cookies()
    profile.clear_permissions()


@pytest.fixture
def asked(monkeypatch):
    """Names of the styles that were asked for, in their order, as the requests come in."""
    names, compare = Queue(), actions.compare

    def tell(photo, slug, *args):
        names.put(slug)
        return compare(photo, slug, *args)

    monkeypatch.setattr(actions, "compare", tell)
    return names
