"""Paintings and what is known of them; the order in which styles take turns."""

from pathlib import Path

import pytest

from training.paintings import make_slug, read_paintings, style_of_step
from zoo.errors import TrainingError


def test_slugs_come_from_names_or_from_about(tmp_path):
    about = tmp_path / "about.yaml"
    about.write_text("b.jpg: {slug: the-wave, title: The Wave, year: 1831, show: true}\n")
    first, second = read_paintings([Path("deep/The_Scream 2.jpg"), Path("b.jpg")], about)
    assert first.slug == "the-scream-2" and first.facts == {} and not first.show
    assert second.slug == "the-wave" and second.facts == {"title": "The Wave", "year": 1831} and second.show
    assert make_slug("Édtaonisl, No. 2!") == "edtaonisl-no-2"


@pytest.mark.parametrize(
    ("text", "message"),
    [("[1]", "mapping"), ("a.jpg: 3", "mapping"), ("a.jpg: {colour: red}", "colour"), ("a: [", "cannot read"),
     ("a.jpg: {slug: b}", "slug b")],
)  # fmt: skip
def test_bad_files_are_explained(tmp_path, text, message):
    (tmp_path / "about.yaml").write_text(text)
    with pytest.raises(TrainingError, match=message):
        read_paintings([Path("a.jpg"), Path("b.jpg")], tmp_path / "about.yaml")


def test_styles_take_turns():
    steps = [style_of_step(step, 5, seed=1) for step in range(1, 101)]
    assert all(sorted(steps[i : i + 5]) == [0, 1, 2, 3, 4] for i in range(0, 100, 5))
    assert len({tuple(steps[i : i + 5]) for i in range(0, 100, 5)}) > 5
    assert {style_of_step(step, 1, seed=1) for step in range(1, 9)} == {0}
