"""k*: on constructed curves with known answers, and on the real slow method."""

import json
import math
import shutil

import pytest
import torch

from training.equivalent import main
from training.measure.held_out import held_out_objective
from training.measure.iterations import compare, equivalent_iterations, in_words, quartiles, read_curves
from training.objective.gatys import optimise_pixels
from training.objective.vgg import load_vgg
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


@pytest.mark.slow
def test_the_curves_are_those_of_the_slow_method(made):
    out, painting, photos, _ = made
    record = read_curves(out, painting)
    objective = held_out_objective(load_vgg(), open_photo(painting))
    photo = to_tensor(fit_short_side(open_photo(photos[1]), 48))
    _, losses = optimise_pixels(objective, photo, 6, start="noise")
    assert record["curves"]["raccoon.jpg"]["noise"] == pytest.approx(losses, rel=1e-4)

    with pytest.raises(TrainingError, match="lack astronaut"):
        compare(torch.clone, record, objective, [photos[0].with_name("astronaut.jpg")])


@pytest.mark.slow
def test_k_star_of_a_painter_whose_objective_is_known(made):
    out, painting, photos, _ = made
    record, objective, steps = read_curves(out, painting), held_out_objective(load_vgg(), open_photo(painting)), 6
    for path in photos:  # the painter leaves the photo as it is
        photo = to_tensor(fit_short_side(open_photo(path), 48))
        own = objective(photo, objective.photo_features(photo))["total"].item()
        falling = [own * factor for factor in (3, 2, 1.001, 0.999, 0.5, 0.4)]
        record["curves"][path.name].update(photo=falling, noise=[2 * own] * steps)
    record["curves"]["dog.jpg"]["noise"][-1] = 0
    found = compare(torch.clone, record, objective, photos)
    assert found["photo"] == {"photos": {"dog.jpg": 4, "raccoon.jpg": 4}, "quartiles": [4, 4, 4]}
    assert found["noise"] == {"photos": {"dog.jpg": 6, "raccoon.jpg": None}, "quartiles": [None, None, None]}
    del record["curves"]["raccoon.jpg"]["noise"]  # not made yet
    assert compare(torch.clone, record, objective, photos) == {"photo": found["photo"]}


@pytest.mark.slow
def test_a_curve_that_diverges_ends_there_and_the_others_go_on(made, tmp_path, monkeypatch):
    def diverges(objective, photo, steps, start, watch):
        watch(1, 5.0, photo)
        raise TrainingError("diverged")

    monkeypatch.setattr("training.measure.iterations.optimise_pixels", diverges)
    words = [str(path) for path in made[2]] + ["--style-image", str(made[1]), "-o", str(tmp_path / "c.json"), "--size", "48"]
    assert main(words) == 0
    record = read_curves(tmp_path / "c.json", made[1])
    assert [record["curves"][path.name]["noise"] for path in made[2]] == [[5.0], [5.0]]


@pytest.mark.slow
def test_another_picture_of_the_same_name_is_refused(made, tmp_path, capsys):
    out, painting, photos, words = made
    shutil.copy(photos[1], tmp_path / "dog.jpg")
    assert main([str(tmp_path / "dog.jpg"), *words]) == 2
    assert "another picture named dog.jpg" in capsys.readouterr().err
    assert main([str(tmp_path / "absent.jpg"), *words]) == 2


@pytest.mark.slow
def test_other_curves_are_never_mixed_in(made, capsys, tmp_path):
    out, painting, photos, words = made
    assert main([str(photos[0]), *words[:-1], "7"]) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert main([str(photos[0]), "--style-image", str(photos[1]), *words[2:]]) == 2
    assert "another painting" in capsys.readouterr().err
    (tmp_path / "c.json").write_text("[]")
    assert main([str(photos[0]), "--style-image", str(painting), "-o", str(tmp_path / "c.json")]) == 2
    assert "is not what" in capsys.readouterr().err
