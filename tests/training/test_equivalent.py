"""k*: on constructed curves with known answers, and on the real slow method."""

import json
import math

import pytest
import torch

from training.equivalent import compare, equivalent_iterations, in_words, main, quartiles, read_curves
from training.gatys import gatys
from training.measure import held_out_objective
from training.vgg import load_vgg
from zoo.errors import TrainingError
from zoo.images import fit_short_side, open_photo, to_tensor


def test_the_first_iteration_at_or_below():
    curve = [9.0, 5.0, 7.0, 4.0, 3.0]
    assert [equivalent_iterations(curve, value) for value in (10, 9, 6, 5, 4.5, 3)] == [1, 1, 2, 2, 4, 5]
    assert equivalent_iterations(curve, 2.9) == math.inf


def test_quartiles_allow_for_what_was_not_reached():
    assert quartiles([1, 2, 3, 4, 5]) == (2, 3, 4)
    assert quartiles([4, 1, 3, 2]) == (1.75, 2.5, 3.25)
    assert quartiles([1, 2, 3, math.inf]) == (1.75, 2.5, math.inf)
    assert quartiles([1, math.inf, math.inf]) == (math.inf,) * 3
    assert (in_words(None, 300), in_words(12.0, 300)) == ("> 300", "12")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Curves of two photos, made in two goes."""
    from tests.conftest import EXAMPLES

    out = tmp_path_factory.mktemp("curves") / "sunset.json"
    photos, words = (
        [EXAMPLES / "dog.jpg", EXAMPLES / "raccoon.jpg"],
        ["--style-image", str(EXAMPLES / "sunset.jpg"), "-o", str(out)],
    )
    words += ["--size", "48", "--steps", "6"]
    assert main([str(photos[0]), *words]) == 0
    first = json.loads(out.read_text())["curves"]["dog.jpg"]
    assert main([*map(str, photos), *words]) == 0
    assert json.loads(out.read_text())["curves"]["dog.jpg"] == first  # not made again
    return out, EXAMPLES / "sunset.jpg", photos, words


def test_the_curves_are_those_of_the_slow_method(made):
    out, painting, photos, _ = made
    record = read_curves(out, painting)
    objective = held_out_objective(load_vgg(), open_photo(painting))
    photo = to_tensor(fit_short_side(open_photo(photos[1]), 48))
    picture, losses = gatys(objective, photo, 6, start="noise")
    assert record["curves"]["raccoon.jpg"]["noise"] == pytest.approx(losses, rel=1e-4)

    found = compare(lambda photos: picture if photos.shape == picture.shape else photos, record, objective, photos)
    own = objective(picture, objective.photo_features(photo))["total"].item()
    assert found["noise"]["photos"]["raccoon.jpg"] == next((k for k, v in enumerate(losses, 1) if v <= own), None)
    with pytest.raises(TrainingError, match="lack astronaut"):
        compare(torch.clone, record, objective, [photos[0].with_name("astronaut.jpg")])


def test_other_curves_are_never_mixed_in(made, capsys, tmp_path):
    out, painting, photos, words = made
    assert main([str(photos[0]), *words[:-1], "7"]) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert main([str(photos[0]), "--style-image", str(photos[1]), *words[2:]]) == 2
    assert "another painting" in capsys.readouterr().err
    (tmp_path / "c.json").write_text("[]")
    assert main([str(photos[0]), "--style-image", str(painting), "-o", str(tmp_path / "c.json")]) == 2
    assert "is not what" in capsys.readouterr().err
