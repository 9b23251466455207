"""What is set on the page, as a link and as a memory."""

import shutil

import pytest

from space.settings import MEANINGS, PHOTOS, REMEMBERED, Settings, from_link, remember, to_link
from space.words import LEFT

SLUGS = ["starry-night", "udnie"]


@pytest.mark.parametrize(
    "settings",
    [
        Settings("udnie"),
        Settings("eve/x@main", str(PHOTOS[2]), 1080, 35, 0.15, "photo", True, 0.6),
        Settings("udnie", contrast=10),
    ],
)
def test_a_link_brings_everything_back(settings):
    assert from_link(to_link(settings), SLUGS) == (settings, [])


def test_a_link_says_what_is_unusual_only_and_no_photo_of_one_s_own(tmp_path, photo):
    assert to_link(Settings("udnie")) == {"style": "udnie"}
    (tmp_path / "mine.jpg").write_bytes(b"mine")
    assert to_link(Settings("udnie", str(tmp_path / "mine.jpg"), 256)) == {"style": "udnie", "size": "256"}
    shutil.copy(photo, tmp_path / "raccoon.jpg")  # whatever it is called
    assert to_link(Settings("udnie", str(tmp_path / "raccoon.jpg")))["photo"] == photo.stem
    assert to_link(Settings("udnie", str(tmp_path / "gone.jpg"))) == {"style": "udnie"}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("style", ["no-such", "../udnie", "/etc/passwd", "", "a" * 10_000, "a/b/c"]),
        ("photo", ["../photo", "/etc/passwd", "photo.jpg", ""]),
        ("size", ["9", "2049", "512.0", "-1", "1e9", "nan"]),
        ("contrast", ["9", "101", "nan", "30%"]),
        ("strength", ["1.5", "-0.1", "nan", "inf"]),
        ("left", ["instance", ""]),
        ("colours", ["1", "true"]),
    ],
)
def test_what_is_not_there_is_named_and_left_out(key, values):
    for value in values:
        assert from_link({key: value, "other": "x"}, SLUGS) == (Settings(SLUGS[0]), [key])


def test_links_that_ask_for_nothing_of_ours():
    assert from_link({}, SLUGS) == (None, []) == from_link({"__theme": "dark"}, SLUGS)


def test_every_choice_has_a_word_and_its_own():
    assert set(MEANINGS["left"]) == set(LEFT) and len(set(MEANINGS["photo"].values())) == len(PHOTOS)
    assert set(MEANINGS) | {"style", "protect"} == set(Settings.__dataclass_fields__)


def test_a_visit_remembers_its_last_pictures_each_once():
    seen = []
    for k in (*range(20), 15):
        seen = remember(seen, Settings("udnie", contrast=k), f"{k}.jpg")
    assert [file for _, file in seen] == ["15.jpg", "19.jpg", "18.jpg", "17.jpg", "16.jpg", "14.jpg", "13.jpg", "12.jpg"]
    assert len(seen) == REMEMBERED


def test_of_pictures_that_differ_in_what_is_protected_the_last_is_remembered():
    seen = []
    for settings in (Settings("udnie"), Settings("eve/x"), Settings("udnie", protect="a"), Settings("udnie", protect="b")):
        seen = remember(seen, settings, "")
    assert [one for one, _ in seen] == [Settings("udnie", protect="b"), Settings("eve/x")]
    assert to_link(seen[0][0]) == {"style": "udnie"}
