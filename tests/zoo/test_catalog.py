"""Names lead to style folders: bundled, local by variable, local by path."""

import pytest

import zoo
from zoo.catalog import LOCAL_VARIABLE, at, find, list_styles
from zoo.errors import StyleFolderError, StyleNotFoundError


def test_bundled_styles_are_listed_and_found():
    styles = list_styles()
    assert styles and all(style.source == "bundled" for style in styles)
    assert find(styles[0].slug) == styles[0]


def test_local_styles_by_variable_and_by_path(small_pair, monkeypatch):
    assert find(small_pair).source == "local" and find(str(small_pair)).slug == "small-pair"
    monkeypatch.setenv(LOCAL_VARIABLE, str(small_pair.parent))
    local = [style for style in list_styles() if style.source == "local"]
    assert [style.slug for style in local] == ["small-pair"] and local[0].title == "Small Pair"
    assert zoo.load("small-pair", "batch").config.norm == "batch"


def test_an_unknown_name_lists_what_there_is(tmp_path):
    with pytest.raises(StyleNotFoundError, match=list_styles()[0].slug):
        find("no-such-style")
    with pytest.raises(StyleNotFoundError):
        find(tmp_path)


def test_a_path_means_that_very_folder(tmp_path):
    slug = list_styles()[0].slug
    assert at(tmp_path / slug).folder == tmp_path / slug and at(tmp_path / slug).source == "local"


def test_the_record_of_a_style(small_pair):
    style = find(small_pair)
    assert style.recipe == {} and style.metrics.keys() == {"weights"} and style.painting == {} and style.picture() is None
    (small_pair / "recipe.yaml").write_text("painting: {title: The Ladder, year: 1923}\n")
    style = find(small_pair)
    assert style.title == "The Ladder" and style.painting["year"] == 1923


@pytest.mark.parametrize(("name", "text"), [("recipe.yaml", "a: ["), ("metrics.json", "{"), ("metrics.json", "[1]")])
def test_a_broken_record_is_named(small_pair, name, text):
    (small_pair / name).write_text(text)
    with pytest.raises(StyleFolderError, match=name.replace(".", r"\.")):
        getattr(find(small_pair), name.split(".")[0])
