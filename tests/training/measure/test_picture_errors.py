"""Content and style errors against the sums written out; the command that compares pictures."""

import pytest
import torch
from PIL import Image

from training.judge import main
from training.measure.held_out import untouched
from training.measure.picture_errors import PictureErrors, mean_errors, painters_errors
from training.objective.vgg import load_vgg
from zoo.images import fit_short_side, open_photo, to_tensor


@pytest.fixture(scope="module")
def vgg():
    return load_vgg()


def test_both_errors_are_the_sums_written_out(vgg, examples):
    photo, painting, picture = (open_photo(examples / f"{name}.jpg") for name in ("dog", "sunset", "raccoon"))
    found = PictureErrors(vgg, painting, (64, 96))(photo, {"it": picture})["it"]
    for size in (64, 96):
        original = fit_short_side(photo, size)
        shown = picture.resize(original.size, Image.Resampling.LANCZOS)
        layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
        mine, theirs, wanted = (vgg(to_tensor(x), layers) for x in (shown, original, fit_short_side(painting, size)))
        content = (mine["relu3_3"] - theirs["relu3_3"]).double().square().mean() / theirs["relu3_3"].double().square().mean()
        style = 0.0
        for name in layers:
            grams = [x[name][0].double().flatten(1) for x in (mine, wanted)]
            gram, target = (flat @ flat.T / flat.numel() for flat in grams)
            style += (gram - target).square().mean() / target.square().mean() / 4
        assert found[str(size)] == pytest.approx({"content": content.item(), "style": style.item()}, rel=1e-3)
    assert found["mean"] == mean_errors([found["64"], found["96"]])


def test_the_photo_keeps_all_content_and_the_painting_has_all_style(vgg, examples):
    photo, painting = open_photo(examples / "dog.jpg"), open_photo(examples / "sunset.jpg")
    errors = PictureErrors(vgg, painting, (64,))
    assert errors(photo, {"photo": photo})["photo"]["64"]["content"] == 0
    assert errors(painting, {"painting": painting})["painting"]["64"]["style"] < 1e-9


def test_painters_are_judged_by_what_they_make_of_each_photo(vgg, examples):
    photos = [fit_short_side(open_photo(examples / f"{name}.jpg"), 64) for name in ("dog", "raccoon")]
    errors = PictureErrors(vgg, open_photo(examples / "sunset.jpg"), (64,))
    found = painters_errors(errors, {"photo": untouched, "grey": lambda x: torch.full_like(x, 0.5)}, photos)
    assert found["photo"]["64"]["content"] == 0 < found["grey"]["64"]["content"]
    one_by_one = [errors(photo, {"it": photo})["it"]["64"] for photo in photos]
    assert found["photo"]["mean"] == mean_errors(one_by_one)


def test_the_command_compares_and_says_what_it_cannot_read(examples, tmp_path, capsys):
    dog, sunset = str(examples / "dog.jpg"), str(examples / "sunset.jpg")
    assert main([dog, sunset, sunset, "--sizes", "64"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("dog.jpg") and lines[2].startswith("sunset.jpg") and len(lines) == 3
    assert main([dog, sunset, str(tmp_path / "none.png")]) == 2
    assert "no such file" in capsys.readouterr().err
