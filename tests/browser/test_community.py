"""The Community tab in a real browser: a style of the Hub is browsed, used and compared; nothing leaves the machine."""

import re
import shutil
import threading

import pytest
from playwright.sync_api import expect

from space import actions, community
from space.words import as_hung
from tests.browser.acts import open_tab
from tests.browser.conftest import on_a_phone
from tests.conftest import served
from zoo.catalog import photo_styles
from zoo.style import BUNDLED

pytestmark = pytest.mark.slow


@pytest.fixture
def shared(hub, monkeypatch):
    """Two bundled styles, as others share them, on a Hub that is waited for however busy this machine is."""
    monkeypatch.setattr(community, "TIMEOUT", 30)
    for id, slug in (("bob/wave", "great-wave"), ("eve/scream", "the-scream")):
        hub.add(id, {str(p.relative_to(BUNDLED / slug)): p.read_bytes() for p in (BUNDLED / slug).rglob("*") if p.is_file()})
    return hub


def wait_for_comparison(tab):
    expect(tab.locator("#info")).to_contain_text(re.compile(r"instance norm \d"), timeout=60_000)
    expect(tab.locator("#comparison")).to_be_visible()


def use(tab, name):
    """Enter a name and use it, once the page has taken it in."""
    entry = tab.locator("#hub-name textarea, #hub-name input")
    entry.fill(name)
    entry.blur()
    expect(entry).to_have_value(name)
    tab.locator("#use").click()


def test_the_hub_is_asked_only_when_the_tab_is_opened(shared, tab):
    tab.locator("#styles").wait_for(state="visible")
    assert shared.requests == []
    open_tab(tab, "Community")
    expect(tab.locator("#community img")).to_have_count(2, timeout=30_000)
    assert shared.requests and not tab.outside and not tab.complaints
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]


@on_a_phone
def test_a_style_is_picked_and_compared(shared, tab):
    open_tab(tab, "Community")
    tab.locator("#community button.thumbnail-item, #community .grid-wrap button").first.click(timeout=30_000)
    wait_for_comparison(tab)
    expect(tab.locator("#about")).to_contain_text("Katsushika Hokusai")
    expect(tab.locator("#about")).to_contain_text(f"bob/wave@{shared.repos['model', 'bob/wave'].refs['main']}")
    expect(tab.locator("#painting img")).to_be_visible()
    assert tab.locator("#painting img").evaluate("image => image.naturalWidth") > 100
    assert not tab.outside


@on_a_phone
def test_no_bundled_tile_stays_marked_beside_a_style_of_the_hub(shared, tab):
    """(issue 13, item 27)"""
    marked = tab.locator("#styles button.thumbnail-item.selected")
    expect(marked).to_have_count(1)
    open_tab(tab, "Community")
    use(tab, "eve/scream")
    wait_for_comparison(tab)
    expect(marked).to_have_count(0)
    tab.locator("#styles button.thumbnail-item").nth(3).click()
    expect(marked).to_have_count(1)


@on_a_phone
def test_a_tile_picked_while_a_style_is_downloaded_wins(shared, tab, monkeypatch):
    """(issue 13, item 3)"""
    asked, let_go, fetch = threading.Event(), threading.Event(), community.fetch

    def slow(name):
        style = fetch(name)
        asked.set()
        assert let_go.wait(30)
        return style

    monkeypatch.setattr(community, "fetch", slow)
    open_tab(tab, "Community")
    use(tab, "eve/scream")
    assert asked.wait(20)
    open_tab(tab, "Compare")
    tab.locator("#styles button.thumbnail-item").nth(2).click()
    wait_for_comparison(tab)
    title = as_hung(photo_styles())[2].title
    expect(tab.locator("#about")).to_contain_text(title)
    let_go.set()
    tab.wait_for_timeout(1500)
    expect(tab.locator("#about")).to_contain_text(title)
    expect(tab.locator("#styles button.thumbnail-item.selected")).to_have_count(1)


def test_a_name_is_entered(shared, tab):
    open_tab(tab, "Community")
    use(tab, "eve/scream")
    wait_for_comparison(tab)
    expect(tab.locator("#about")).to_contain_text("Edvard Munch")


@on_a_phone
def test_a_wrong_name_is_said_in_words(shared, tab):
    open_tab(tab, "Community")
    use(tab, "eve/none")
    expect(tab.get_by_text("no such repository")).to_be_visible(timeout=30_000)


@on_a_phone
def test_without_a_hub_the_tab_says_so_and_the_zoo_works(shared, tab, monkeypatch):
    """What was fetched before hangs there still (issue 16)."""
    monkeypatch.setattr(community, "TIMEOUT", actions.TIMEOUT)
    community.fetch("eve/scream")
    shared.close()
    open_tab(tab, "Community")
    expect(tab.locator("#community-note")).to_contain_text("the Hub does not answer", timeout=10_000)
    expect(tab.locator("#community-note")).to_contain_text("Search asks the Hub again")
    expect(tab.locator("#community button.thumbnail-item")).to_have_text("eve/scream")
    open_tab(tab, "Compare")
    tab.locator("#size").get_by_text("256 px").click()
    wait_for_comparison(tab)


def test_a_style_is_published_from_the_page(hub, logged_in, browser, painted_pair, monkeypatch, tmp_path):
    """Where the machine's owner switched it on: a zip goes in, a repository comes out."""
    monkeypatch.setenv("MISSING_INGREDIENT_SHARE", "1")
    archive = shutil.make_archive(str(tmp_path / "mine"), "zip", painted_pair)
    with served() as url:
        tab = browser.new_page()
        tab.goto(url, wait_until="domcontentloaded")
        open_tab(tab, "Community")
        tab.locator("#share").get_by_text("Share a style").click()
        with tab.expect_response(lambda r: "/upload" in r.url and r.request.method == "POST"):
            tab.locator("#zip input[type=file]").set_input_files(archive)
        tab.locator("#share-name textarea, #share-name input").fill("mine")
        tab.locator("#publish").click()
        expect(tab.locator("#published")).to_contain_text(f"Published: {hub.url}/alice/mine", timeout=60_000)
        tab.close()
    assert hub.repos["model", "alice/mine"].tags()[0] == "missing-ingredient"
