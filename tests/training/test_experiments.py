"""Experiments are ordinary trainings whose record is kept."""

import json
import shutil

import pytest
import torch

from tests.conftest import EXAMPLES
from training import experiments
from training.config import TrainConfig, load_recipe
from zoo.folder import load_generator
from zoo.images import open_photo, to_tensor

WORDS = ["--content", str(EXAMPLES), "--style-image", str(EXAMPLES / "sunset.jpg")]


@pytest.mark.slow
def test_what_is_kept_is_what_was_trained(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": ("smoke", ("instance", "none"))})
    monkeypatch.setattr(experiments, "PAINTED", ("tiny",))
    monkeypatch.setattr(experiments, "EVERY", 3)
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
    photo = to_tensor(open_photo(EXAMPLES / "dog.jpg").resize((64, 64)))
    for norm, where in (("instance", "."), ("none", "none")):
        kept, trained = (load_generator(tmp_path / root / "tiny" / where) for root in ("kept", "runs"))
        assert kept.config.norm == norm and torch.equal(kept(photo), trained(photo))
    assert experiments.main(["tiny", *words]) == 0  # finished: left alone
    assert json.loads((tmp_path / "kept" / "tiny.json").read_text()) == record


def test_recipes_of_the_experiments_differ_in_what_they_say():
    base = TrainConfig.from_dict(load_recipe("paper/residual"))
    differ = {
        name: {key for key, value in vars(TrainConfig.from_dict(load_recipe(recipe))).items() if value != getattr(base, key)}
        for name, (recipe, _) in experiments.EXPERIMENTS.items()
    }
    texture = {"architecture", "width", "padding"}
    assert differ.pop("residual") == differ.pop("residual-norms") == set()
    assert differ.pop("residual-seed-1") == {"seed"}
    assert differ.pop("texture") == differ.pop("texture-replicate") == texture
    assert differ.pop("texture-16-photos") == texture | {"photo_count"} and not differ


def test_an_unknown_experiment_is_named(tmp_path, capsys):
    assert experiments.main(["nothing", *WORDS, "--held-out", str(EXAMPLES), "--runs", str(tmp_path)]) == 2
    assert "no experiment 'nothing'" in capsys.readouterr().err
