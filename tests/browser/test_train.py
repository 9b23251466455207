"""The tab "Train" in a real browser: the commands, and a tiny training from painting to picker."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from space.train import job
from space.train.commands import MACHINES
from tests.browser.acts import open_tab
from tests.browser.test_page import SMALL
from tests.conftest import EXAMPLES, served
from zoo.catalog import photo_styles

pytestmark = pytest.mark.slow


def drop(tab, path, name):
    content = Path(path).read_bytes()
    with tab.expect_response(lambda r: "/upload" in r.url and r.request.method == "POST"):
        tab.locator("#to-train input[type=file]").first.set_input_files(
            {"name": name, "mimeType": "image/jpeg", "buffer": content}
        )


def say(tab, key, words):
    tab.locator(f"#{key} input").fill(words)
    tab.locator(f"#{key} input").press("Enter")


def test_a_painting_becomes_a_command_for_each_machine(tab):
    open_tab(tab, "Train")
    expect(tab.locator("#code-command")).to_contain_text("--recipe minutes --from the-scream", timeout=20_000)
    assert not tab.locator("#start").count() and tab.locator("#not-here").is_visible()
    drop(tab, EXAMPLES / "sunset.jpg", "it's mine.jpg")
    expect(tab.locator("#code-command")).to_contain_text("--style-image 'it'\"'\"'s mine.jpg'", timeout=20_000)
    say(tab, "fact-title", "$(rm -rf) 'x'")
    say(tab, "owner", "me")
    for one in MACHINES.values():
        tab.locator("#machine").get_by_text(one.label, exact=True).click()
        expect(tab.locator("#code-command")).to_contain_text(one.recipe, timeout=20_000)
        expect(tab.locator("#code-command")).to_contain_text("--title='$(rm -rf) '\"'\"'x'\"'\"''")
        bold = re.search(r"\*\*(.*?)\*\*", one.says)[1]
        expect(tab.locator("#advice")).to_contain_text(bold)
    expect(tab.locator("#code-command")).to_contain_text("--push-to me/rm-rf-x")
    assert tab.locator(".command button").count() == 3  # to copy
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
    assert tab.evaluate(SMALL) == []
    assert not tab.outside and not tab.complaints


def test_a_training_from_the_page(browser, tiny, monkeypatch):
    monkeypatch.setenv(job.VARIABLE, "1")
    with served() as url:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        complaints: list[str] = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(url, wait_until="domcontentloaded")
        tab.locator("#styles").wait_for(state="visible", timeout=60_000)
        open_tab(tab, "Train")
        tab.locator("#start").click()
        expect(tab.get_by_text("there is no painting yet")).to_be_visible(timeout=20_000)
        drop(tab, EXAMPLES / "sunset.jpg", "sunset.jpg")
        say(tab, "fact-title", "After <b>Sunset</b>")
        tab.locator("#start").click()
        expect(tab.locator("#standing")).to_contain_text(re.compile(r"step [1-9]\d* of 300 · loss \d.*left"), timeout=300_000)
        expect(tab.locator("#so-far img")).to_be_visible(timeout=60_000)
        expect(tab.locator("#start")).to_be_disabled()
        tab.locator("#stop").click()
        expect(tab.locator("#standing")).to_contain_text("Stopped after", timeout=300_000)
        expect(tab.locator("#start")).to_have_text("Go on")
        expect(tab.locator("#code-share")).to_contain_text(
            "zoo publish trained-here/after-b-sunset-b --to YOUR-NAME/after-b-sunset-b"
        )
        assert len(photo_styles()) == 13 and os.listdir(tiny / job.FOLDER) == ["after-b-sunset-b"]
        tab.locator("#try-trained").click()
        expect(tab.locator("#about")).to_contain_text("After <b>Sunset</b>", timeout=60_000)
        expect(tab.locator("#info")).to_contain_text("no batch-norm twin")
        expect(tab.locator("#captions")).to_contain_text("Your photo")
        expect(tab.locator("#styles .thumbnail-item")).to_have_count(13, timeout=60_000)
        expect(tab.locator("#styles .thumbnail-item").last).to_have_class(re.compile("selected"))
        tab.locator("#styles .thumbnail-item").first.click()
        expect(tab.locator("#about")).to_contain_text("The Starry Night", timeout=60_000)
        tab.locator("#styles .thumbnail-item").last.click()
        expect(tab.locator("#about")).to_contain_text("After <b>Sunset</b>", timeout=60_000)
        assert not complaints
        tab.close()
