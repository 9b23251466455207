"""Warm starts: what is copied, what stays frozen, what is recorded, what is refused."""

from dataclasses import replace
from unittest.mock import Mock

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from training.config import TrainConfig
from training.data.crops import PhotoFolder
from training.running.grid import Grid
from training.running.loop import resume
from training.running.optimizers import rate_factor
from training.running.run import Run
from training.running.start import WARMUP, describe_start, find_start, freeze, started_recipe, warm_start
from zoo.conditional import choose, export, make_conditional, norm_parameters
from zoo.errors import ConfigError, TrainingError
from zoo.folder import sha256
from zoo.registry import create
from zoo.style import style_at


def fresh(norm="instance", rows=1):
    generator = create(norm=norm)
    return make_conditional(generator, rows) if rows > 1 else generator


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_one_style_starts_all_rows(norm):
    trained, photos = zoo.load("udnie", norm), torch.rand(1, 3, 48, 40)
    plain, rows = fresh(norm), fresh(norm, 3)
    for generator in (plain, rows):
        warm_start(generator, [trained])
        for style in range(3):
            torch.testing.assert_close(choose(generator, style).eval()(photos), trained(photos), rtol=0, atol=1e-5)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_styles_that_were_trained_together_start_a_row_each(norm):
    generator, photos = fresh(norm, 3), torch.rand(1, 3, 48, 40)
    together = make_conditional(zoo.load("udnie", norm), 2)
    for i, p in enumerate(p for name, p in together.named_parameters() if ".rows.1." in name):
        torch.nn.init.normal_(p, generator=torch.Generator().manual_seed(i))
    trained = [export(together, row).eval() for row in range(2)]
    warm_start(generator, trained)
    for style, expected in enumerate([*trained, trained[0]]):  # a row beyond them, the identity's: from the first
        torch.testing.assert_close(export(generator, style).eval()(photos), expected(photos), rtol=0, atol=1e-5)


def test_styles_that_were_trained_apart_cannot_start_together():
    with pytest.raises(TrainingError, match="share no convolutions"):
        warm_start(fresh(rows=2), [zoo.load("udnie"), zoo.load("starry-night")])


@pytest.mark.parametrize("only, ends", [("norm", 0), ("norm+ends", 4)])
def test_the_rest_is_frozen(only, ends):
    generator = fresh()
    freeze(generator, only)
    trained = {name for name, p in generator.named_parameters() if p.requires_grad}
    assert len(trained - norm_parameters(generator)) == ends
    assert norm_parameters(generator) <= trained
    assert ends == 0 or {"enter.conv.weight", "leave.bias"} <= trained


def test_the_recipe_takes_over_the_generator(small_pair):
    style = style_at(small_pair)
    recipe = started_recipe({"width": 32, "steps": 9}, (style,), ("instance",))
    assert TrainConfig(**recipe).generator("instance") == zoo.load(small_pair).config
    assert recipe["steps"] == 9 and recipe["warmup"] == WARMUP
    assert started_recipe({"warmup": 7}, (style,), ("instance",))["warmup"] == 7
    assert started_recipe({"width": 32}, (), ("instance",)) == {"width": 32}
    assert started_recipe({"width": 32}, (style,), ("instance",), flags=["width"])["width"] == 32  # widened
    with pytest.raises(ConfigError, match="has width 2, it cannot be 1"):
        started_recipe({"width": 1}, (style,), ("instance",), flags=["width"])


def test_the_rate_warms_up():
    config = TrainConfig(steps=100, warmup=10, decay="constant")
    assert [rate_factor(config, step) for step in (1, 5, 10, 11, 100)] == [0.1, 0.5, 1, 1, 1]
    plain = TrainConfig(steps=100)
    assert rate_factor(TrainConfig(steps=100, warmup=10), 5) == rate_factor(plain, 5) / 2


def test_the_start_is_recorded_by_the_hash_of_its_weights(small_pair):
    (record,) = describe_start((style_at(small_pair),), ("instance", "batch"))
    assert record["style"] == "small-pair" and record["sha256"].keys() == {"instance", "batch"}
    assert describe_start((style_at(small_pair),)) == [record]  # each half of a pair says the same
    steps = describe_start(find_start(["udnie"], ("instance",), 1), ("instance",))[0]["steps"]
    assert steps == 1600 + 800  # of the style that it was itself started from, too


def test_a_start_whose_file_was_written_anew_is_the_same(small_pair, examples, tmp_path):
    """By its tensors; the first runs recorded the file, which has to be as it was."""
    weights, start = small_pair / "model.safetensors", (style_at(small_pair),)
    photos = PhotoFolder(examples, 32)

    def goes_on(recorded):
        """Whether a run does whose checkpoint says that it started from these hashes."""
        run = Run(TrainConfig(), [], "photos", tmp_path, ("instance",), start=start)
        record = {"recipe": {}, "start": [{"instance": sha} for sha in recorded]}
        here = {"recipe": {}, "start": run.identification(photos)["start"]}
        state = {"step": 4, "run": record, "instance": "weights"}
        return resume(run, state, here, [Mock(norm="instance")], lambda words: None) == 4

    grid = Grid(TrainConfig(), examples / "sunset.jpg", "photos", tmp_path, start)
    grid.check()
    file, tensors = sha256(weights), describe_start(start, ("instance",))[0]["sha256"]["instance"]
    assert file != tensors and goes_on([tensors]) and goes_on([file])
    with pytest.raises(TrainingError, match="differs in start"):
        goes_on(["0" * 64])
    probe = tmp_path / "probe.json"
    probe.write_text(probe.read_text().replace(tensors, file))
    grid.check()
    save_file(load_file(weights), weights, metadata={"norm": "instance", "of": "another hand"})
    assert sha256(weights) != file and goes_on([tensors])
    grid.check()
    with pytest.raises(TrainingError, match="differs in start"):
        goes_on([file])
    zoo.save(zoo.create(width=2, residual_blocks=1), small_pair)
    with pytest.raises(TrainingError, match="cells that differ in from"):
        replace(grid, start=(style_at(small_pair),)).check()


def test_what_cannot_be_started_from_is_named(small_pair):
    with pytest.raises(TrainingError, match="one for each of the 3"):
        find_start(["udnie", "tableau-no-2"], ("instance",), 3)
    (small_pair / "batch" / "config.json").unlink()
    with pytest.raises(TrainingError, match="no batch-norm generator"):
        find_start([str(small_pair)], ("instance", "batch"), 1)
