"""Which painting a result is nearest to."""

import pytest
import yaml

import zoo
from training.measure.held_out import held_out_objective, whole_photos
from training.measure.nearest import nearest_paintings
from training.nearest import main
from training.objective.vgg import load_vgg
from zoo.folder import sha256
from zoo.images import list_photos, open_photo


@pytest.fixture
def style(small_pair, examples):
    record = {"painting": {"title": "Sunset", "file": "sunset.jpg", "sha256": sha256(examples / "sunset.jpg")}}
    (small_pair / "recipe.yaml").write_text(yaml.safe_dump(record))
    return zoo.find(small_pair)


@pytest.mark.slow
def test_it_is_the_painting_with_the_lowest_style_loss(style, examples):
    paintings, photos = [examples / "sunset.jpg", examples / "dog.jpg"], list_photos(examples)[:2]
    found = nearest_paintings([style], paintings, photos, 48)
    generator, vgg = zoo.load(style), load_vgg()
    for photo, name in zip(whole_photos(photos, 48), found[style.slug], strict=True):
        losses = {}
        for path in paintings:
            objective = held_out_objective(vgg, open_photo(path))
            losses[path.name] = objective(generator(photo), objective.photo_features(photo))["style"].item()
        assert name == min(losses, key=losses.get)


def test_the_table_and_a_painting_that_is_missing(style, examples, capsys):
    words = ["--styles", str(style.folder), "--content", str(examples), "--size", "32", "--style-images"]
    assert main([*words, str(examples / "sunset.jpg")]) == 0
    assert "5 of 5" in capsys.readouterr().out
    assert main([*words, str(examples / "dog.jpg")]) == 2
    assert "sunset.jpg" in capsys.readouterr().err
    words[words.index("32")] = "0"
    assert main([*words, str(examples / "sunset.jpg")]) == 2
    assert "at least" in capsys.readouterr().err


def test_what_a_run_keeps_beside_its_styles_is_none(style, examples, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    words = ["--content", str(examples), "--size", "32", "--style-images", str(examples / "sunset.jpg"), "--styles"]
    assert main([*words, str(tmp_path / "run"), str(style.folder)]) == 0
    assert "5 of 5" in capsys.readouterr().out
    assert main([*words, str(tmp_path / "run")]) == 2
    assert "no style among" in capsys.readouterr().err
