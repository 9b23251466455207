"""The page in the visitor's language, by what the browser is set to."""

import pytest
from playwright.sync_api import expect

from space.languages import LANGUAGES
from tests.browser.acts import open_tab

pytestmark = pytest.mark.slow
LEFT = {"de": "Auf der linken Seite", "fr": "À gauche", "es": "A la izquierda", "zh-CN": "左侧显示", "pt": "On the left"}
PHOTO = {"de": "Dein Foto", "fr": "Votre photo", "es": "Tu foto", "zh-CN": "你的照片", "pt": "Your photo"}


@pytest.mark.parametrize("language", [*LANGUAGES, "pt"])
def test_it_speaks_it_and_english_to_others(browser, page, language):
    context = browser.new_context(
        locale=language if "-" in language else f"{language}-XX", viewport={"width": 390, "height": 844}
    )
    tab = context.new_page()
    tab.goto(page)
    expect(tab.locator("#photo")).to_contain_text(PHOTO[language], timeout=60_000)
    tab.locator("#more > button").click()
    expect(tab.locator("#left")).to_contain_text(LEFT[language])
    said = tab.inner_text("body")
    assert "__i18n__" not in said and "translation_metadata" not in said and "[object" not in said
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    if language == "de":  # also where the page answers
        tab.locator("#left").get_by_text("mein Foto").click()
        tab.locator("#size").get_by_text("256 px").click()
        expect(tab.locator("#captions")).to_contain_text("wie das Netz es bekommt", timeout=60_000)
        open_tab(tab, "Video")
        expect(tab.locator("#clips")).to_contain_text("Ein kurzer Clip")
        tab.locator("#camera").get_by_text("Webcam").click()
        expect(tab.locator("#camera-trouble")).to_contain_text("neben der Adresse")
        open_tab(tab, "Trainieren")
        tab.locator("#machine").get_by_text("Ein Laptop, beide Normen").click()
        expect(tab.locator("#advice")).to_contain_text("Eine Dreiviertelstunde")
    context.close()
