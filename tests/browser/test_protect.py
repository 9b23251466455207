"""What is brushed over stays the photo, in a real browser."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.acts import png, upload
from tests.browser.conftest import on_a_phone

pytestmark = pytest.mark.slow
DRAWN = "pad => pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data.some(Boolean)"
PHOTO = np.asarray(Image.open(io.BytesIO(png(256, 192))).convert("RGB"), int)


def shown(tab):
    """How far what is shown of both norms lies from the photo, at two places: where it is brushed, and elsewhere."""
    found = []
    for place in (0, 1):
        data = tab.request.get(tab.locator("#comparison img").nth(place).get_attribute("src")).body()
        far = np.abs(np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int) - PHOTO)
        found.append((far[92:100, 100:156].max(), far[:40].max()))
    return found


def until_painted(tab, act):
    """Do something, and wait for the picture of it."""
    before = tab.locator("#comparison img").nth(1).get_attribute("src")
    act()
    expect(tab.locator("#comparison img").nth(1)).not_to_have_attribute("src", before, timeout=60_000)


def brush(tab):
    """From left to right, through the middle."""
    pad = tab.locator("#protect canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 0.3 * box["width"], y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.7 * box["width"], y, steps=5)
    assert float(pad.evaluate("pad => getComputedStyle(pad).opacity")) > 0.5
    tab.mouse.up()


@on_a_phone
def test_what_is_brushed_stays_the_photo_until_it_is_cleared_or_another_comes(tab, asked):
    upload(tab, "mandel.png", png(256, 192))
    expect(tab.locator("#info")).to_contain_text("256×192 px", timeout=60_000)
    tab.locator("#more").get_by_text("More", exact=True).click()
    tab.locator("#keep").get_by_text("Keep a part of the photo").click()
    tab.locator("#protect canvas[width='256'][height='192']").wait_for()
    plain = shown(tab)
    assert min(min(pair) for pair in plain) > 30
    until_painted(tab, lambda: brush(tab))
    for (brushed, elsewhere), before in zip(shown(tab), plain, strict=True):
        assert brushed <= 2 and elsewhere == before[1]
    expect(tab.locator("#protect canvas")).not_to_have_class("wet")  # what is painted is seen, not what was drawn
    box = tab.locator("#protect .pad").bounding_box()
    assert box["width"] > 0.7 * tab.viewport_size["width"] and abs(box["width"] / box["height"] - 4 / 3) < 0.05
    assert "protect" not in tab.url
    until_painted(tab, lambda: tab.locator("#protect").get_by_text("Clear").click())
    assert shown(tab) == plain
    until_painted(tab, lambda: brush(tab))
    kept = shown(tab)
    until_painted(tab, lambda: upload(tab, "other.png", png(256, 190)))
    expect(tab.locator("#info")).to_contain_text("256×190 px", timeout=60_000)
    assert not tab.locator("#protect canvas").evaluate(DRAWN)
    strip = tab.locator("#strip button.thumbnail-item")
    until_painted(tab, lambda: strip.nth(1).click())
    expect(tab.locator("#info")).to_contain_text("256×192 px", timeout=60_000)
    assert shown(tab) == kept and tab.locator("#protect canvas").evaluate(DRAWN)
    assert not tab.outside and not tab.complaints
