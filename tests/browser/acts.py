"""What a visitor does on the page and sees of it, for the tests in a browser."""

import io
import re

from PIL import Image
from playwright.sync_api import expect

from space.words import as_hung
from zoo.catalog import photo_styles


def upload(tab, name, content):
    with tab.expect_response(lambda r: "/upload" in r.url and r.request.method == "POST"):
        tab.locator("#photo input[type=file]").first.set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


def clear(tab):
    tab.locator("#photo").get_by_label(re.compile("clear|remove", re.I)).first.click()


def png(width, height):
    file = io.BytesIO()
    Image.effect_mandelbrot((width, height), (-2, -1.2, 0.8, 1.2), 60).convert("RGB").save(file, "PNG")
    return file.getvalue()


def wait_for_pictures(tab, width, height):
    tab.wait_for_function(
        "([w, h]) => { const i = [...document.querySelectorAll('#comparison img')];"
        "return i.length === 2 && i.every(x => x.complete && x.naturalWidth === w && x.naturalHeight === h) }",
        arg=[width, height],
        timeout=60_000,
    )


def shown(tab):
    """What stands on the page together: pictures and caption."""
    pictures = tab.locator("#comparison img").evaluate_all("images => images.map(i => i.src)")
    return pictures, tab.locator("#about").inner_text()


def paint_small(tab, asked):
    """Have the first style painted at 256 px."""
    tab.locator("#size").get_by_text("256 px").click()
    assert asked.get(timeout=20) == as_hung(photo_styles())[0].slug
    expect(tab.locator("#info")).to_contain_text("256×", timeout=60_000)


def open_tab(tab, name):
    """Choose a tab of the page, on a phone by the menu of those for which there is no room."""
    direct = tab.get_by_role("tab", name=name, exact=True).locator("visible=true")
    more = tab.locator("#tabs .overflow-menu > button").locator("visible=true")
    direct.or_(more).first.wait_for(timeout=60_000)
    if not direct.count():
        more.first.click()
        direct = tab.locator("#tabs .overflow-dropdown").get_by_text(name, exact=True)
    direct.first.click()
