"""Warm starts: what is copied, what stays frozen, what is recorded, what is refused."""

import pytest
import torch

import zoo
from training.config import TrainConfig
from training.running.optimizers import rate_factor
from training.running.start import WARMUP, describe_start, find_start, freeze, started_recipe, warm_start
from zoo.conditional import choose, export, make_conditional, norm_parameters
from zoo.errors import ConfigError, TrainingError
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
    steps = describe_start(find_start(["udnie"], ("instance",), 1), ("instance",))[0]["steps"]
    assert steps == 1200 + 400  # of the style that it was itself started from, too


def test_what_cannot_be_started_from_is_named(small_pair):
    with pytest.raises(TrainingError, match="one for each of the 3"):
        find_start(["udnie", "tableau-no-2"], ("instance",), 3)
    (small_pair / "batch" / "config.json").unlink()
    with pytest.raises(TrainingError, match="no batch-norm generator"):
        find_start([str(small_pair)], ("instance", "batch"), 1)
