"""The tab "Textures" in a real browser."""

import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.acts import open_tab
from tests.browser.test_page import SMALL

pytestmark = pytest.mark.slow


def test_a_tile_is_there_when_one_looks_and_another_when_one_asks(tab):
    assert tab.locator("#tile img").count() == 0
    open_tab(tab, "Textures")
    first = tab.locator("#tile img")
    first.wait_for(timeout=60_000)
    before = first.get_attribute("src")
    tab.locator("#tile-side").get_by_text("256").click()
    expect(first).not_to_have_attribute("src", before, timeout=60_000)
    before = first.get_attribute("src")
    assert re.search(r"starry-night-texture-instance-256px-0\.png", before)
    tab.locator("#another-tile").click()
    expect(first).not_to_have_attribute("src", before, timeout=60_000)
    assert tab.locator("#tile-seed input").input_value() in first.get_attribute("src")
    expect(tab.locator("#laid img")).to_have_attribute("src", re.compile("laid"))
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
    assert tab.evaluate(SMALL) == []
    with tab.expect_download() as waiting:
        tab.locator("#tile").get_by_label("Download").click()
    with Image.open(waiting.value.path()) as kept:
        assert (kept.format, kept.size) == ("PNG", (256, 256)) and "A seamless tile" in kept.info["Description"]
    assert not tab.outside and not tab.complaints
