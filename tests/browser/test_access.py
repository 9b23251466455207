"""Who sees the page, by day or by night, hears it or speaks to it: all of its tabs, and what axe-core finds on them."""

import io
import itertools
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from space.browser.runtime import files_of_npm
from space.words import as_hung
from tests.browser.acts import open_tab
from tests.browser.conftest import DESKTOP, left_out
from tests.browser.static import Host, visit
from training.drawing.sheet import contact_sheet
from zoo.catalog import photo_styles
from zoo.errors import ConfigError

pytestmark = pytest.mark.slow
TABS = ("Compare", "Why instance norm?", "Video", "Train", "Community", "Textures")
# Only what is serious; the rest is gradio's for the most part, such as a picture and its caption that say the same.
FOUND = """rules => axe.run(rules ? {runOnly: rules} : {}).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.failureSummary}`)))"""
SIGHTS = list(itertools.product((1280, 390), (False, True)))  # px of the window's width, whether it is night
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"


@pytest.fixture(scope="module")
def axe():
    """axe-core in one file, as npm has it; AXE_CORE names one that is there already."""
    if "AXE_CORE" in os.environ:
        return Path(os.environ["AXE_CORE"]).read_text(encoding="utf-8")
    try:
        return files_of_npm("axe-core", "4.14.1", ["axe.min.js"])[0].decode()
    except ConfigError as error:
        left_out(f"the pages' names and colours were not looked at: {error} (for the tests: AXE_CORE=axe.min.js)")


@pytest.mark.parametrize("tab", [DESKTOP], indirect=True)
def test_every_tab_is_seen_and_heard(tab, axe):
    """On a desk and on a phone, by day and by night: nothing wider than its window, nothing serious that axe finds, nobody else
    is asked (issue 16). SCREENS=docs/images draws the documentation's pictures of the page anew.
    """
    tab.add_style_tag(content=STILL)
    tab.evaluate(axe)
    found, shots, places = [], {}, set()
    for name in TABS:
        tab.set_viewport_size({"width": 1280, "height": 900})
        expect(tab.locator("#tabs .overflow-menu")).to_be_hidden()  # there is room for all of them, once it is looked at
        open_tab(tab, name)
        tab.wait_for_timeout(700)  # until it is drawn
        if name == "Community":
            tab.locator("#community-note p").first.wait_for(timeout=60_000)  # no Hub answers here
        if name == "Textures":
            tab.locator("#laid img").wait_for(timeout=60_000)
        for width, dark in SIGHTS:
            turn(tab, width, dark)
            shots[name, width, dark] = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            places.add((width, tab.locator("#hero h1").bounding_box()["x"]))
        if name == "Compare":
            tab.locator("#more").get_by_text("More", exact=True).click()
            tab.locator("#keep").get_by_text("Keep a part of the photo").click()
            tab.locator("#protect canvas").wait_for()
        found += serious(tab, name)
    assert not found, "\n".join(found)
    assert not tab.complaints and not tab.outside
    assert len(places) == 2  # one a width: no tab is narrower than the others
    for name, shot in shots.items():
        assert len(shot.quantize(32).getcolors()) > 8, name  # not blank
    if folder := os.environ.get("SCREENS"):
        shots["Compare", 1280, False].save(Path(folder) / "page-desktop.jpg", quality=80)
        shots["Compare", 390, False].save(Path(folder) / "page-phone.jpg", quality=80)
        rows = [[reduced(shots[(name, *sight)]) for sight in SIGHTS] for name in TABS]
        contact_sheet(rows, ["a desk", "by night", "a phone", "by night"]).save(Path(folder) / "page-tabs.webp", quality=60)


def turn(tab, width, dark, root="body"):
    """Another window, another time of day; `root` takes the class that makes it night."""
    tab.set_viewport_size({"width": width, "height": 900 if width > 640 else 844})
    tab.evaluate("([root, dark]) => document.querySelector(root).classList.toggle('dark', dark)", [root, dark])
    tab.wait_for_timeout(100)


def reduced(shot, height=281):
    return shot.resize((round(shot.width * height / shot.height), height), Image.Resampling.LANCZOS)


def serious(tab, name, root="body"):
    """What axe finds in every sight, in words."""
    found = []
    for width, dark in SIGHTS:
        turn(tab, width, dark, root)
        only = ["color-contrast"] if dark else None
        found += [f"{name} {width} dark={dark} {one}" for one in tab.evaluate(FOUND, only)]
    return found


def test_axe_finds_nothing_serious_on_the_page_without_a_server(browser, folder, axe):
    """Issue 17."""
    host, context = Host(folder), browser.new_context(bypass_csp=True)  # axe is none of its scripts
    tab = visit(context, host.url)
    tab.add_style_tag(content=STILL)
    tab.evaluate(axe)
    tab.locator("#more summary").click()
    found = serious(tab, "page", "html")
    context.close()
    host.stop()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("tab", [DESKTOP], indirect=True)
def test_tiles_and_examples_are_called_by_what_they_show(tab):
    last = as_hung(photo_styles())[-1]
    expect(tab.locator("#styles").get_by_role("button", name=last.title, exact=True)).to_be_visible()
    tab.locator("#examples").get_by_role("button", name="Example: raccoon").click()
    expect(tab.locator("#info")).to_contain_text("batch norm", timeout=60_000)
    tab.wait_for_timeout(1000)
    assert tab.locator("#styles [aria-label^=Thumbnail]").count() == 0  # nor of the wall that was hung meanwhile
