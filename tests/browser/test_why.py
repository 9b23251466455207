"""The tab "Why instance norm?" in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.acts import open_tab, png, upload
from tests.browser.test_page import SMALL

pytestmark = pytest.mark.slow


def test_each_lesson_is_tried_on_one_s_own_photo(tab):
    upload(tab, "mandel.png", png(640, 480))
    open_tab(tab, "Why instance norm?")
    for name, count in (("readings", 4), ("border", 2), ("sizes", 2)):  # which are laid out one after the other
        expect(tab.locator(f"#{name} img")).to_have_count(count)
        tab.locator(f"#{name}").scroll_into_view_if_needed()  # pictures are loaded when they are looked at
        tab.locator(f"#{name} img").first.wait_for(state="visible")
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
    assert tab.evaluate(SMALL) == []
    height = tab.evaluate("document.documentElement.scrollHeight")
    for name, count in (("readings", 4), ("border", 2), ("sizes", 2)):
        pictures = tab.locator(f"#{name} img")
        before = pictures.first.get_attribute("src")
        tab.locator(f"#try-{name}").click()
        expect(pictures.first).not_to_have_attribute("src", before, timeout=60_000)
        expect(pictures).to_have_count(count)
    assert abs(tab.evaluate("document.documentElement.scrollHeight") - height) <= 60  # another shape of the middle
    curves = tab.locator("#fading svg.marks")
    curves.scroll_into_view_if_needed()
    before = curves.inner_html()
    expect(tab.locator("#learning svg.marks")).to_be_visible()
    tab.locator("#try-fading").click()
    tab.wait_for_function(
        "before => document.querySelector('#fading svg.marks')?.innerHTML !== before", arg=before, timeout=60_000
    )
    assert not tab.outside and not tab.complaints
