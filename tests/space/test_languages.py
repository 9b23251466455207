"""What the page says in other languages: all of it, as it is said in English."""

import json
import re

import pytest

from space import build_demo, clips, community, languages, ui, why, words
from space.languages import LANGUAGES, t, translations
from space.train import job
from zoo.catalog import LOCAL_VARIABLE


def marked(text: str) -> list[str]:
    """What Markdown and HTML have beside words: headings, emphasis, links, tags; a star closes what a star opens."""
    return sorted(re.findall(r"^#+ |\*+|\]\([^)]*\)|<[^>]*>|\d+|◀|▶", text, re.MULTILINE))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    # Shown where they lead to something, where PyAV lacks, and where publishing is offered.
    for words_ in (ui.ALONE, why.MORE, clips.LACKING):
        t(words_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(community, "can_share", lambda: True)
        patch.chdir(tmp_path_factory.mktemp("trained"))
        patch.setenv(LOCAL_VARIABLE, "")
        patch.setenv(job.VARIABLE, "1")
        build_demo().close()
    return json.dumps(build_demo().get_config_file(), default=str)


def test_every_text_is_there_in_every_language_and_is_asked_for(config):
    said = translations().translations
    assert set(said) == {"en", *LANGUAGES}
    lacking = {" ".join(words.split()) for words in said["en"].values()} ^ set(languages._TEXTS)
    assert not {text for text in lacking if not text.startswith("An example")}  # of a zoo without its first style
    for language in LANGUAGES:
        assert set(said[language]) == set(said["en"]) and all(said[language].values())


def test_headings_links_and_figures_are_those_of_the_english():
    for english, others in languages._TEXTS.items():
        for language, text in others.items():
            assert [m.strip() for m in marked(text)] == [m.strip() for m in marked(english)], (language, text)


def test_keys_are_no_paths_and_each_text_has_its_own(config):
    keys = set(translations().translations["en"])
    assert not any("." in key for key in keys) and len(keys) == len(
        {" ".join(w["en"].split()) for w in languages._said.values()}
    )
    assert "Brush_strokes" in keys and "Brush_strokes" in config and "Brush strokes" not in config


def test_what_is_not_translated_is_an_error():
    with pytest.raises(KeyError, match="a text that nobody translated"):
        t("a text that nobody translated")


def test_what_may_be_shown_later_is_marked_when_the_page_is_made(config):
    for left in words.LEFT:
        assert t(words.captions(left)).key in translations().translations["en"]
