"""A real, tiny training of a pair: bundled VGG16, bundled photos, one of them as the painting."""

import json
import shutil
from contextlib import nullcontext

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

import zoo
from tests.conftest import EXAMPLES
from tests.training.conftest import smaller
from tests.training.runs import SMALL, STEPS, command, losses
from training import equivalent, evaluate
from training.config import TrainConfig
from training.running import loop
from training.running.optimizers import rate_factor
from training.running.start import describe_start
from training.train import main

pytestmark = pytest.mark.slow


def test_it_makes_a_complete_style_folder(trained):
    out, _ = trained
    style = zoo.find(out)
    assert style.norms == ["instance", "batch"] and style.title == "After Sunset"
    for name in ("README.md", "recipe.yaml", "metrics.json", "images/curves.png", "images/preview.jpg"):
        assert (out / name).stat().st_size > 0
    assert all(style.picture(kind) for kind in ("photo", "batch", "instance", "preview"))
    assert style.picture("painting").read_bytes() == (EXAMPLES / "sunset.jpg").read_bytes()
    assert zoo.stylize(Image.new("RGB", (40, 33), "teal"), style).size == (40, 33)
    assert style.metrics["held_out"][str(SMALL)]["instance"]["objective"] > 0
    for norm in style.norms:
        storage = style.metrics["storage"][norm]
        assert 0.999 < storage["within_2_levels"] <= 1 and 0 < storage["largest_difference"] < 3


def test_training_changes_the_weights_of_both_twins_apart(trained):
    out, _ = trained
    start = zoo.create(TrainConfig(width=4, residual_blocks=1).generator("instance")).state_dict()
    instance, batch = load_file(out / "model.safetensors"), load_file(out / "batch" / "model.safetensors")
    assert start.keys() == instance.keys()
    assert not torch.equal(instance["leave.weight"], batch["leave.weight"])
    assert batch["enter.norm.num_batches_tracked"] == STEPS


def test_the_log_previews_and_progress(trained):
    out, stderr = trained
    assert [step for step, *_ in losses(out)] == list(range(1, STEPS + 1))
    assert all(value > 0 for _, instance, batch in losses(out) for value in (*instance.values(), *batch.values()))
    assert sorted(p.name for p in (out / "run" / "previews").iterdir()) == [f"step_00000{n}.jpg" for n in (0, 3, 6)]
    assert "step/s" in stderr or "s/step" in stderr
    history = zoo.find(out).metrics["history"]["steps"]
    assert [entry["step"] for entry in history] == [0, 6]
    assert {"photo", "instance", "batch", "batch, batch statistics"} <= history[0].keys()


def test_the_recipe_repeats_the_run_and_names_no_path(trained):
    out, _ = trained
    text = (out / "recipe.yaml").read_text()
    recipe = yaml.safe_load(text)
    assert recipe["steps"] == STEPS and recipe["photos"]["number"] == 5 and recipe["painting"]["file"] == "sunset.jpg"
    assert len(recipe["painting"]["sha256"]) == 64
    for name in ("recipe.yaml", "metrics.json", "README.md"):
        assert str(out.parent) not in (out / name).read_text()


def test_evaluate_measures_what_training_measured(lean, trained, run_here, examples, tmp_path):
    shutil.copytree(trained[0], tmp_path / "after-sunset")
    before = zoo.find(tmp_path / "after-sunset").metrics["held_out"][str(SMALL)]
    words = ["--content", examples, "--style-image", examples / "sunset.jpg", "--size", 64]
    done = run_here(evaluate.main, tmp_path / "after-sunset", *words)
    assert done.returncode == 0, done.stderr
    assert "whole photos, 64 px" in done.stdout and "of photo" in done.stdout
    assert "square_crops_in_batches_of_4" in before  # at that size alone
    found = zoo.find(tmp_path / "after-sunset").metrics["held_out"]
    assert found[str(SMALL)] == before and found["64"]["photo"]["content"] == 0
    assert found["64"]["command"].startswith("python -m training.evaluate after-sunset --content examples")
    assert "Held-out objective at 64 px" in (tmp_path / "after-sunset" / "README.md").read_text()


def test_evaluate_measures_robustness_frozen_statistics_and_iterations(lean, trained, run_here, examples, tmp_path):
    style = tmp_path / "after-sunset"
    shutil.copytree(trained[0], style)
    painting, dog = ["--style-image", examples / "sunset.jpg"], examples / "dog.jpg"
    curves = tmp_path / "c.json"
    assert run_here(equivalent.main, dog, *painting, "-o", curves, "--size", 64, "--steps", 2).returncode == 0
    kinds = ["--measure", "objective", "robustness", "iterations", "--curves", curves, "--frozen-on", examples]
    done = run_here(evaluate.main, style, "--content", dog, *painting, "--size", 64, *kinds)
    assert done.returncode == 0, done.stderr
    assert "k* from photo" in done.stdout and "output contrast" in done.stdout and "frozen" in done.stdout
    metrics = zoo.find(style).metrics
    assert metrics["robustness"]["64"]["instance"]["contrast"]["1"]["share"] == 1
    assert metrics["robustness"]["64"]["batch"]["parameters"] > 100
    assert metrics["equivalent_iterations"]["64"]["batch"]["noise"]["photos"].keys() == {"dog.jpg"}
    assert metrics["held_out"]["64"]["instance, frozen statistics"]["objective"] > 0
    assert str(SMALL) in metrics["held_out"]  # as before
    for record in (metrics["robustness"], metrics["equivalent_iterations"], metrics["held_out"]):
        assert str(tmp_path) not in record["64"]["command"] and "--size 64" in record["64"]["command"]
    done = run_here(evaluate.main, style, "--content", dog, *painting, "--measure", "iterations")
    assert done.returncode == 2 and "needs --curves" in done.stderr


def test_evaluate_refuses_what_it_cannot_measure(run_here, examples, tmp_path):
    done = run_here(evaluate.main, "no-such", "--content", examples, "--style-image", examples / "sunset.jpg")
    assert done.returncode == 2 and done.stderr.startswith("error: no style")


def test_the_learning_rate_depends_on_the_step_alone():
    config = TrainConfig(steps=100)
    assert rate_factor(config, 1) == 1 and 0 < rate_factor(config, 100) < 1e-2
    assert rate_factor(config, 51) == pytest.approx(0.5)
    assert rate_factor(TrainConfig(steps=100, decay="constant"), 99) == 1


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Two paintings in one conditional pair, interrupted and resumed."""
    out = tmp_path_factory.mktemp("several")
    (out / "about.yaml").write_text("sunset.jpg: {slug: after-sunset, title: After Sunset, show: true}\n")
    words = ["--recipe", "smoke", "--auto", "--pair", "--content", EXAMPLES, "--out", out, "--about", out / "about.yaml"]
    words += ["--style-image", EXAMPLES / "sunset.jpg", EXAMPLES / "raccoon.jpg", "--log-every", 1, "--checkpoint-every", 2]
    with smaller():
        for stop in (["--stop-at", 3], []):
            assert main([str(word) for word in [*words, *stop]]) == 0
    return out


def test_several_paintings_come_out_as_a_style_folder_each(several):
    styles = [zoo.find(several / slug) for slug in ("after-sunset", "raccoon")]
    assert [style.title for style in styles] == ["After Sunset", "Raccoon"]
    assert all(style.norms == ["instance", "batch"] for style in styles)
    assert styles[0].recipe["trained_with"] == ["sunset.jpg", "raccoon.jpg"]
    assert styles[0].recipe["balance"] == "relative" and styles[0].recipe["style_weight"] == 5
    assert styles[0].picture("painting") and not styles[1].picture("painting")
    assert "one of 2 styles trained together" in (styles[0].folder / "README.md").read_text()
    first, second = (load_file(style.folder / "model.safetensors") for style in styles)
    assert torch.equal(first["leave.weight"], second["leave.weight"])
    assert not torch.equal(first["enter.norm.weight"], second["enter.norm.weight"])


def test_every_style_gets_its_turn(several):
    records = [json.loads(line) for line in (several / "run" / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records] == list(range(1, STEPS + 1))
    assert sorted(r["style"] for r in records) == ["after-sunset"] * 3 + ["raccoon"] * 3
    steps = load_file(several / "raccoon" / "batch" / "model.safetensors")["enter.norm.num_batches_tracked"]
    assert steps == 3  # statistics of its own


def test_a_texture_needs_no_photos(lean, examples, tmp_path, run_here):
    words = ["--recipe", "texture", "--pair", "--steps", 2, "--width", 2, "--crop-size", 64, "--preview-every", 1]
    words += ["--style-size", 128, "--detail-crop", 48, "--batch-size", 2]
    done = run_here(main, *words, "--style-image", examples / "sunset.jpg", "--out", tmp_path / "tiles")
    assert done.returncode == 0, done.stderr
    assert zoo.texture(tmp_path / "tiles", 64).size == (64, 64)
    assert "zoo texture" in (tmp_path / "tiles" / "README.md").read_text()
    assert (tmp_path / "tiles" / "images" / "preview.jpg").is_file()


def test_a_run_that_is_stopped_may_leave_a_style_and_goes_on_all_the_same(lean, trained, examples, tmp_path, monkeypatch):
    out = tmp_path / "after-sunset"
    words = [str(word) for word in command(examples, out, "--export-stopped")]
    assert main([*words, "--stop-at", "3"]) == 0
    style = zoo.find(out)
    assert style.recipe["steps"] == STEPS and style.recipe["stopped_after"] == 3
    assert "3 of 6 steps" in (out / "README.md").read_text() and style.picture("preview")
    assert describe_start((style,), ("instance",))[0]["steps"] == 3
    early = load_file(out / "model.safetensors")
    monkeypatch.setattr(loop, "stop_signals", lambda: nullcontext([2]))  # Ctrl-C in the very next step
    assert main(words) == 130
    assert zoo.find(out).recipe["stopped_after"] == 4
    monkeypatch.undo()
    assert main(words) == 0
    assert "stopped_after" not in zoo.find(out).recipe and losses(out) == losses(trained[0])
    late = load_file(out / "model.safetensors")
    assert not torch.equal(early["leave.weight"], late["leave.weight"])
    assert torch.equal(late["leave.weight"], load_file(trained[0] / "model.safetensors")["leave.weight"])
