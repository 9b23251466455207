"""The training on the page: who may, one at a time, stopped, gone on with, and what is said of it."""

import os
import time
from pathlib import Path

import pytest
import yaml

import zoo
from space import actions
from space.serve import main
from space.train import job
from space.train.commands import Wish
from space.train.words import NOTHING, how_it_stands
from tests.conftest import EXAMPLES
from zoo.errors import ConfigError, PhotoError, TrainingError

FACTS = {"title": "After Sunset", "author": "--nobody's", "licence": "CC0"}


def order(painting="sunset.jpg", **facts):
    return job.Order(EXAMPLES / painting, Wish(painting, {**FACTS, **facts}), "the-scream", 300, EXAMPLES / "dog.jpg")


def until(trainer, fits):
    """How the training stands once it does as is wished."""
    end = time.monotonic() + 300
    while not fits(stands := trainer.job().standing()):
        assert time.monotonic() < end and stands.state != "failed", stands
        time.sleep(0.2)
    return stands


def test_the_owner_alone_switches_it_on(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv(job.VARIABLE, raising=False)
    assert job.photos() is None
    for said, photos in (("0", None), ("1", EXAMPLES), (str(tmp_path), tmp_path)):
        monkeypatch.setenv(job.VARIABLE, said)
        assert job.photos() == photos
    monkeypatch.setenv("SPACE_ID", "somebody/page")
    monkeypatch.setenv("SYSTEM", "spaces")
    assert job.photos() is None
    monkeypatch.delenv("SYSTEM")
    monkeypatch.setenv(job.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="no folder of photos"):
        job.photos()
    assert main(["--train", str(tmp_path / "nowhere")]) == 2
    assert "no folder of photos" in capsys.readouterr().err
    monkeypatch.setattr(job.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="not installed"):
        job.photos()


def test_how_it_stands_in_words():
    stands = job.Standing("x", "running", 120, 300, 0.51234, 360)
    assert how_it_stands(stands, True) == "**Training**: step 120 of 300 · loss 0.512 · about 6 minutes left"
    assert how_it_stands(stands, False) == "Somebody else's training is under way: step 120 of 300 · about 6 minutes left."
    assert "first preview" in how_it_stands(job.Standing("x", "running", 0, 300), True)
    failed = job.Standing("x", "failed", error="<b>no</b>")
    assert "<b>" not in how_it_stands(failed, True) and how_it_stands(failed, False) == NOTHING


@pytest.mark.slow
def test_one_at_a_time_stopped_and_gone_on_with(tiny):
    trainer = job.Trainer(EXAMPLES)
    with pytest.raises(TrainingError, match="no training under way"):
        trainer.stop("a")
    with pytest.raises(PhotoError):
        trainer.start("a", job.Order(Path(__file__), Wish(), "the-scream", 300))
    assert not list((tiny / job.FOLDER).iterdir())
    trainer.start("a", order())
    assert not until(trainer, lambda stands: stands.step >= 2).style
    assert trainer.job().preview().width > 300
    with pytest.raises(TrainingError, match="one at a time"):
        trainer.start("b", order("dog.jpg"))
    with pytest.raises(TrainingError, match="no training under way"):
        trainer.stop("b")
    trainer.stop("a")
    trainer.stop("a")  # which must not end it at once
    stopped = until(trainer, lambda stands: not stands.runs)
    assert stopped.state == "stopped" and stopped.style and 2 <= stopped.step < 300 and "Go on" in how_it_stands(stopped, True)
    style = actions.find_in_zoo("after-sunset")
    assert style.painting["author"] == "--nobody's" and style.norms == ["instance"] and style.recipe["stopped_after"]
    assert "/" not in (style.folder / "recipe.yaml").read_text().replace("https://", "").split("painting:")[1]
    assert len(list((style.folder / "run" / "checkpoints").iterdir())) > 0
    assert zoo.stylize(EXAMPLES / "dog.jpg", style, size=64).size == (64, 64)

    trainer.start("a", order())
    on = until(trainer, lambda stands: stands.step > stopped.step)
    assert on.slug == "after-sunset"
    trainer.end()
    assert until(trainer, lambda stands: not stands.runs).state == "stopped"
    trainer.start("a", order(author="another"))
    assert trainer.job().folder.name == "after-sunset-2"


@pytest.mark.slow
def test_what_fails_is_said_without_paths(tiny, monkeypatch):
    monkeypatch.setattr(job, "RECIPE", (*job.RECIPE, "--width", "3"))
    trainer = job.Trainer(EXAMPLES)
    trainer.start("a", order())
    end = time.monotonic() + 300
    while (stands := trainer.job().standing()).runs:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert stands.state == "failed" and "it cannot be 3" in stands.error and not stands.style
    assert str(tiny) not in stands.error and how_it_stands(stands, True).startswith("**This did not work**")


@pytest.mark.slow
def test_a_training_to_its_end(tiny, monkeypatch):
    trainer = job.Trainer(EXAMPLES)
    trainer.start("a", job.Order(EXAMPLES / "sunset.jpg", Wish("udnie.jpg"), "udnie", 3))  # whose name is taken
    done = until(trainer, lambda stands: not stands.runs)
    assert (done.state, done.step, done.style, done.slug) == ("done", 3, True, "udnie-2")
    recipe = yaml.safe_load((tiny / job.FOLDER / "udnie-2" / "recipe.yaml").read_text())
    assert recipe["started_from"][0]["style"] == "udnie" and recipe["painting"]["file"] == "udnie.jpg"
    assert os.environ["MISSING_INGREDIENT_STYLES"] == str(tiny / job.FOLDER)
