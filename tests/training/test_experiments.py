"""Experiments are ordinary trainings whose record is kept."""

import json
import shutil

import pytest
from PIL import Image, ImageChops, ImageStat

import zoo
from tests.conftest import EXAMPLES
from training import experiments
from training.config import TrainConfig, load_recipe
from training.paper import experiments as paper
from training.paper.records import photo
from zoo.folder import load_generator

WORDS = ["--content", str(EXAMPLES), "--style-image", str(EXAMPLES / "sunset.jpg")]


@pytest.mark.slow
def test_what_is_kept_is_what_was_trained(lean, tmp_path, monkeypatch, capsys):
    for module in (paper, experiments):
        monkeypatch.setattr(module, "EXPERIMENTS", {"tiny": ("smoke", ("instance", "none"))})
    monkeypatch.setattr(paper, "PAINTED", ("tiny",))
    monkeypatch.setattr(paper, "EVERY", 3)
    monkeypatch.setattr(paper, "bundled_photos", lambda: [EXAMPLES / "dog.jpg"])
    (tmp_path / "held-out").mkdir()
    shutil.copy(EXAMPLES / "dog.jpg", tmp_path / "held-out")
    words = [*WORDS, "--held-out", str(tmp_path / "held-out")]
    words += ["--runs", str(tmp_path / "runs"), "--keep", str(tmp_path / "kept")]
    assert experiments.main(words) == 0, capsys.readouterr().err
    record = json.loads((tmp_path / "kept" / "tiny.json").read_text())
    assert [r["step"] for r in record["history"]] == [0, 3, 6]
    assert record["history"][2]["none"]["objective"] > 0 and record["norms"] == ["instance", "none"]
    assert TrainConfig.from_dict(record["recipe"]) == TrainConfig.from_dict(load_recipe("smoke"))
    assert str(tmp_path) not in json.dumps(record)
    for norm, where in (("instance", "."), ("none", "none")):
        trained = load_generator(tmp_path / "runs" / "tiny" / where)
        assert trained.config.norm == norm
        assert record["robustness"][norm]["parameters"] == sum(p.numel() for p in trained.parameters())
        with Image.open(tmp_path / "kept" / "tiny" / f"{norm}-astronaut.jpg") as kept:
            difference = ImageChops.difference(kept, zoo.paint(trained, photo("astronaut")))
        assert ImageStat.Stat(difference).mean[0] < 8  # a JPEG of it
    monkeypatch.setattr(paper, "complete", None)
    assert experiments.main(["tiny", *words]) == 0  # finished: left alone
    assert json.loads((tmp_path / "kept" / "tiny.json").read_text())["history"] == record["history"]


def test_recipes_of_the_experiments_differ_in_what_they_say():
    base = TrainConfig.from_dict(load_recipe("paper/residual"))
    differ = {
        name: {key for key, value in vars(TrainConfig.from_dict(load_recipe(recipe))).items() if value != getattr(base, key)}
        for name, (recipe, _) in paper.EXPERIMENTS.items()
    }
    texture = {"architecture", "width", "padding"}
    assert differ.pop("residual") == differ.pop("residual-norms") == set()
    assert differ.pop("residual-seed-1") == {"seed"}
    assert differ.pop("texture") == differ.pop("texture-replicate") == texture
    assert differ.pop("texture-16-photos") == texture | {"photo_count"} and not differ


def test_an_unknown_experiment_is_named_and_a_trial_keeps_elsewhere(tmp_path, capsys):
    assert experiments.main(["texture", *WORDS, "--held-out", str(EXAMPLES), "--runs", str(tmp_path), "--steps", "2"]) == 2
    assert "--keep of its own" in capsys.readouterr().err
    assert experiments.main(["nothing", *WORDS, "--held-out", str(EXAMPLES), "--runs", str(tmp_path)]) == 2
    assert "no experiment 'nothing'" in capsys.readouterr().err
