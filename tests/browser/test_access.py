"""Who hears the page, speaks to it or sees little: what axe-core finds on it."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from space.words import as_hung
from tests.browser.acts import open_tab
from tests.browser.conftest import DESKTOP
from zoo.catalog import photo_styles

pytestmark = pytest.mark.slow
AXE = "axe-core@4.14.1"
TABS = ("Compare", "Why instance norm?", "Video", "Train", "Community", "Textures")
# Only what is serious; the rest is gradio's for the most part, such as a picture and its caption that say the same.
FOUND = """rules => axe.run(rules ? {runOnly: rules} : {}).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.failureSummary}`)))"""
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """axe-core in one file, as npm has it; AXE_CORE names one that is there already."""
    if "AXE_CORE" in os.environ:
        return Path(os.environ["AXE_CORE"]).read_text(encoding="utf-8")
    there = tmp_path_factory.mktemp("npm")
    npm = shutil.which("npm")
    if npm:
        subprocess.run([npm, "pack", "--silent", "--prefer-offline", AXE], cwd=there, capture_output=True, timeout=120)
    packed = next(there.glob("*.tgz"), None)
    if packed is None:
        said = f"the page's names and colours were not looked at: npm has no {AXE} (for the tests: AXE_CORE=axe.min.js)"
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(said)
    with tarfile.open(packed) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


@pytest.mark.parametrize("tab", [DESKTOP], indirect=True)
def test_axe_finds_nothing_serious_on_any_tab(tab, axe):
    """On a desk and on a phone, by day and by night."""
    tab.add_style_tag(content=STILL)
    tab.evaluate(axe)
    found = []
    for name in TABS:
        tab.set_viewport_size({"width": 1280, "height": 900})
        open_tab(tab, name)
        tab.wait_for_timeout(700)  # until it is drawn
        if name == "Compare":
            tab.locator("#more").get_by_text("More", exact=True).click()
            tab.locator("#keep").get_by_text("Keep a part of the photo").click()
            tab.locator("#protect canvas").wait_for()
        if name == "Community":
            tab.locator("#community-note p").wait_for(timeout=60_000)  # no Hub answers here
        for width in (1280, 390):
            tab.set_viewport_size({"width": width, "height": 900})
            for dark in (False, True):
                tab.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
                tab.wait_for_timeout(100)
                found += [
                    f"{name} {width} dark={dark} {one}" for one in tab.evaluate(FOUND, ["color-contrast"] if dark else None)
                ]
    assert not found, "\n".join(found)
    assert not tab.complaints


@pytest.mark.parametrize("tab", [DESKTOP], indirect=True)
def test_tiles_and_examples_are_called_by_what_they_show(tab):
    last = as_hung(photo_styles())[-1]
    expect(tab.locator("#styles").get_by_role("button", name=last.title, exact=True)).to_be_visible()
    tab.locator("#examples").get_by_role("button", name="Example: raccoon").click()
    expect(tab.locator("#info")).to_contain_text("batch norm", timeout=60_000)
    tab.wait_for_timeout(1000)
    assert tab.locator("#styles [aria-label^=Thumbnail]").count() == 0  # nor of the wall that was hung meanwhile
