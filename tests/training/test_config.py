"""Recipes: every bundled one is valid, every key is checked and named."""

import dataclasses

import pytest
import yaml

from training.config import RECIPES, TrainConfig, load_recipe
from training.train import layer_weights, main, make_parser
from zoo.errors import ConfigError


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.yaml")))
def test_bundled_recipes_are_valid(name):
    config = TrainConfig.from_dict(load_recipe(name))
    assert TrainConfig.from_dict(dataclasses.asdict(config)) == config


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("steps", 0), ("steps", 1.5), ("steps", "many"), ("batch_size", True), ("learning_rate", float("nan")),
        ("learning_rate", -1), ("decay", "linear"), ("style_weight", float("inf")), ("crop_size", 16),
        ("style_layers", {"relu7_1": 1}), ("content_layers", {"relu1_1": -1}), ("style_layers", ["relu1_1"]),
        ("style_layers", {}), ("content_layers", {"relu1_1": 0}), ("learning_rate", "fast"),
        ("padding", "mirror"), ("width", 10_000), ("vgg_precision", "int8"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_name(key, value):
    with pytest.raises(ConfigError, match=f"'{key}'"):
        TrainConfig.from_dict({key: value})


def test_numbers_as_yaml_reads_them(tmp_path):
    (tmp_path / "r.yaml").write_text("tv_weight: 1e-6\nlearning_rate: 1\n")
    config = TrainConfig.from_dict(load_recipe(tmp_path / "r.yaml"))
    assert config.tv_weight == 1e-6 and config.learning_rate == 1.0


def test_unknown_keys_are_refused_and_the_known_listed():
    with pytest.raises(ConfigError, match="stlye_weight.*style_weight"):
        TrainConfig.from_dict({"stlye_weight": 3})


def test_a_resolved_recipe_is_a_recipe(tmp_path):
    record = {"painting": {"title": "x"}, "photos": {"number": 3}, "made_with": "here"}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**dataclasses.asdict(TrainConfig(steps=7)), **record}))
    assert TrainConfig.from_dict(load_recipe(tmp_path / "recipe.yaml")) == TrainConfig(steps=7)


def test_bad_recipe_files(tmp_path):
    with pytest.raises(ConfigError, match="laptop"):
        load_recipe("no-such-recipe")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match="mapping"):
        load_recipe(tmp_path / "list.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_recipe(tmp_path / "broken.yaml")


def test_every_recipe_key_has_a_flag():
    flags = make_parser().format_help()
    for field in dataclasses.fields(TrainConfig):
        assert f"--{field.name.replace('_', '-')} " in flags


def test_layers_on_the_command_line():
    assert layer_weights(["relu1_2", "relu3_3:0.5"]) == {"relu1_2": 1.0, "relu3_3": 0.5}
    with pytest.raises(ConfigError, match="NAME:WEIGHT"):
        layer_weights(["relu1_2:much"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--steps", "0"], "'steps'"),
        (["--style-layers", "relu9_9"], "relu9_9"),
        (["--recipe", "no-such"], "bundled recipes"),
        (["--content", "away"], "no such folder or archive"),
        (["--style-image", "away.jpg"], "no such file"),
        (["--preview-every", "0"], "--preview-every"),
        (["--stop-at", "0"], "--stop-at"),
        (["--workers", "-1"], "--workers"),
        (["--vgg-weights", "away.safetensors"], "VGG16 weights"),
    ],
)
def test_mistakes_end_with_code_2_and_one_plain_line(capsys, tmp_path, examples, photo, flags, message):
    need = {"--recipe": "smoke", "--style-image": str(photo), "--content": str(examples), "--out": str(tmp_path / "out")}
    if flags[0] in need:
        need.pop(flags[0])
    code = main([*(word for pair in need.items() for word in pair), *flags])
    err = capsys.readouterr().err
    assert code == 2 and message in err and err.startswith("error: ") and err.count("\n") == 1
