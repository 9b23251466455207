"""A visit in a real browser: photos of one's own, links, and the way back to what was painted."""

import re
import time

import pytest
from playwright.sync_api import expect

from space import events, opening
from space.events import teller
from space.words import as_hung
from tests.browser.acts import paint_small, png, shown, upload, wait_for_pictures
from tests.browser.conftest import on_a_phone
from tests.conftest import size_of
from zoo.catalog import photo_styles

pytestmark = pytest.mark.slow


@on_a_phone
def test_a_photo_of_one_s_own_is_painted_once(tab, asked):
    """Though the contrast, which was the last one's, begins anew with it (issue 16)."""
    expect(tab.locator("#contrast input[type=number]")).to_have_value(str(opening.CONTRAST))
    upload(tab, "mandel.png", png(320, 240))
    expect(tab.locator("#info")).to_contain_text("320×240 px", timeout=60_000)
    tab.wait_for_timeout(1000)
    assert asked.qsize() == 1
    tab.locator("#examples button, #examples .gallery-item").nth(1).click()
    expect(tab.locator("#info")).to_contain_text("512×", timeout=60_000)
    tab.wait_for_timeout(1000)
    assert asked.qsize() == 2


LINK = "?style=udnie&photo=raccoon&size=256&contrast=50&strength=0.8&left=photo&colours=own"


@on_a_phone
def test_a_link_restores_what_was_set_and_the_address_follows(tab, page, asked):
    """Issue 16."""
    tab.goto(f"{page}{LINK}&theme=x", wait_until="domcontentloaded")
    expect(tab.locator("#info")).to_contain_text("256×192 px", timeout=60_000)
    expect(tab.locator("#about")).to_contain_text("Udnie")
    expect(tab.locator("#captions")).to_contain_text("Your photo")
    expect(tab.locator("#contrast input[type=number]")).to_have_value("50")
    expect(tab.locator("#styles button.selected, #styles .thumbnail-item.selected")).to_have_count(1)
    tab.locator("#more").get_by_text("More").click()
    expect(tab.locator("#keep-colours input")).to_be_checked()
    expect(tab.locator("#strength input[type=number]")).to_have_value("0.8")
    tab.wait_for_timeout(500)
    assert asked.qsize() == 1 and tab.url == f"{page}?theme=x&{LINK[1:]}"
    tab.locator("#styles button.thumbnail-item").first.click()
    expect(tab).to_have_url(re.compile("style=starry-night&photo=raccoon"), timeout=30_000)
    upload(tab, "mandel.png", png(320, 240))
    expect(tab.locator("#info")).to_contain_text("256×192 px", timeout=60_000)
    expect(tab).to_have_url(re.compile("style=starry-night&size=256&strength"), timeout=30_000)  # nobody else has this photo
    assert not tab.complaints and not tab.outside


@on_a_phone
def test_who_only_opens_the_page_asks_nothing_of_its_queue(tab, page):
    asked = []
    tab.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    tab.goto(page, wait_until="domcontentloaded")
    tab.locator("#styles").wait_for(state="visible", timeout=60_000)
    tab.wait_for_timeout(1000)
    assert asked == []


@on_a_phone
def test_the_link_is_copied(tab, page):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.locator("#size").get_by_text("256 px").click()
    expect(tab).to_have_url(re.compile(r"\?style=starry-night&size=256&contrast=30$"), timeout=60_000)
    tab.locator("#copy-link").click()
    expect(tab.locator("#copy-link")).to_have_text("Copied")
    assert tab.evaluate("navigator.clipboard.readText()") == tab.url
    tab.locator("#comparison .outer").hover()
    field = tab.locator("#comparison img").first.bounding_box()
    tab.mouse.down()
    tab.mouse.move(field["x"] + field["width"] / 4, field["y"] + field["height"] / 2, steps=5)
    tab.mouse.up()
    expect(tab.locator("#copy-link")).to_have_text("Copy link")
    tab.locator("#copy-link").click()
    expect(tab).to_have_url(re.compile(r"&line=2[456]$"))
    link = tab.evaluate("navigator.clipboard.readText()")
    tab.goto(link, wait_until="domcontentloaded")
    expect(tab.locator("#info")).to_contain_text("256×171 px", timeout=60_000)
    moved = tab.locator("#comparison .outer").bounding_box()
    field = tab.locator("#comparison img").first.bounding_box()
    assert abs(moved["x"] + moved["width"] / 2 - field["x"] - field["width"] / 4) < 0.02 * field["width"]


@on_a_phone
def test_who_copies_a_link_is_told_that_it_leaves_out_a_photo_of_one_s_own(tab):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(tab.locator("#strip")).to_be_hidden()  # nothing is in it yet
    expect(tab.locator("footer")).to_have_text("Settings", use_inner_text=True)  # and no dot before it
    upload(tab, "mandel.png", png(320, 240))
    expect(tab.locator("#copy-link")).to_have_attribute("data-own", "true", timeout=60_000)
    expect(tab.locator("#strip")).to_be_visible()
    tab.locator("#copy-link").click()
    expect(tab.locator("#copy-link")).to_have_text("Copied, without your photo")
    expect(tab.locator("#copy-link")).to_have_text("Copy link")
    tab.locator("#examples button, #examples .gallery-item").nth(1).click()
    expect(tab.locator("#copy-link")).to_have_attribute("data-own", "false", timeout=60_000)
    tab.locator("#copy-link").click()
    expect(tab.locator("#copy-link")).to_have_text("Copied")


@on_a_phone
def test_an_old_link_says_what_is_not_there_and_shows_the_rest(tab, page):
    tab.goto(f"{page}?style=gone&size=9999&photo=%3Cb%3E&contrast=40", wait_until="domcontentloaded")
    expect(tab.locator(".toast-body")).to_contain_text("photo, size, style", timeout=30_000)
    expect(tab.locator("#info")).to_contain_text("512×341 px", timeout=60_000)
    expect(tab.locator("#contrast input[type=number]")).to_have_value("40")
    assert not tab.complaints


@on_a_phone
def test_pictures_of_the_visit_come_back_with_all_that_was_set(tab, asked):
    """Issue 16."""
    tiles, strip = tab.locator("#styles button.thumbnail-item"), tab.locator("#strip button.thumbnail-item")
    height = "document.documentElement.scrollHeight"
    wait_for_pictures(tab, *size_of(opening.PICTURES["instance"]))
    before = tab.evaluate(height)
    paint_small(tab, asked)
    expect(strip).to_have_count(1)
    assert abs(tab.evaluate(height) - before) <= 1  # nothing moved
    first = shown(tab)[0]
    tiles.nth(1).click()
    expect(strip).to_have_count(2, timeout=30_000)
    upload(tab, "mandel.png", png(320, 240))
    expect(strip).to_have_count(3, timeout=30_000)
    strip.nth(2).click()
    expect(tab.locator("#about")).to_contain_text(as_hung(photo_styles())[0].title, timeout=30_000)
    expect(tab.locator("#contrast input[type=number]")).to_have_value(str(opening.CONTRAST))
    tab.wait_for_timeout(500)
    assert shown(tab)[0] == first and strip.count() == 3  # once each
    assert not tab.complaints


@on_a_phone
def test_a_large_picture_shows_how_far_it_is_and_can_be_stopped(tab, monkeypatch):
    """At its own size; what was there stays, and what is asked for next is painted (issue 15)."""

    def slowly(progress):
        """So that it is not done before it is stopped, however busy the machine is with other tests."""
        tell = teller(progress)
        return lambda share: time.sleep(0.2) or tell(share)

    monkeypatch.setattr(events, "teller", slowly)
    upload(tab, "mandel.png", png(3000, 2000))
    expect(tab.locator("#info")).to_contain_text("512×341 px", timeout=60_000)
    expect(tab.locator("#stop")).to_be_hidden()
    tab.locator("#size").get_by_text("original").click()
    expect(tab.locator("#comparison")).to_contain_text(re.compile(r"about \d+ s left - \d+\.\d%"), timeout=60_000)
    over = tab.locator("#comparison [data-testid=status-tracker]")
    assert over.evaluate("one => getComputedStyle(one).backgroundColor") == "rgba(0, 0, 0, 0)"  # what was there is seen
    tab.locator("#stop").click()
    expect(tab.locator("#comparison")).not_to_contain_text("%", timeout=30_000)
    expect(tab.locator("#info")).to_contain_text("512×341 px")
    tab.locator("#size").get_by_text("256 px").click()
    expect(tab.locator("#info")).to_contain_text("256×171 px", timeout=60_000)
    expect(tab.locator("#stop")).to_be_hidden()
    assert not tab.complaints
