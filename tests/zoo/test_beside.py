"""Files half made: their names are short, hidden and those of one file alone."""

import os

from zoo.beside import beside, new_part, remove_parts


def test_what_was_left_of_one_file_is_removed_and_nothing_else(tmp_path):
    picture, other = tmp_path / "a.png", tmp_path / "b.png"
    left = [new_part(picture), new_part(picture)]
    kept = [picture, new_part(other), beside(picture, ".tries"), tmp_path / ".part"]
    for path in left + kept:
        path.touch()
    assert len({*left, *kept}) == 6
    remove_parts(picture)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_the_longest_name_and_bytes_that_are_no_text_have_one(tmp_path):
    for name in ("x" * 251 + ".png", os.fsdecode(b"caf\xe9[*].png")):
        part = new_part(tmp_path / name)
        part.touch()
        assert part.name.startswith(".") and len(part.name) < 100
        remove_parts(tmp_path / name)
        assert not part.exists()
