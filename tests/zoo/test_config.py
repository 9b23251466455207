"""GeneratorConfig and its config.json: every key is checked, and named when it is wrong."""

import json

import pytest

from zoo import GeneratorConfig
from zoo.errors import ConfigError


def test_round_trip(tmp_path):
    config = GeneratorConfig(norm="batch", width=32, padding="circular", upsampling="bilinear", eps=1e-6)
    (tmp_path / "config.json").write_text(config.to_json())
    assert GeneratorConfig.load(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("norm", "layer"), ("padding", "mirror"), ("upsampling", "cubic"), ("width", 0),
        ("width", 1000), ("width", "16"), ("width", 16.5), ("width", True), ("residual_blocks", -1), ("eps", 0.0),
        ("eps", float("nan")), ("norm", None), ("format", 2),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_name(key, value):
    with pytest.raises(ConfigError, match=f"'{key}'"):
        GeneratorConfig.from_dict({**GeneratorConfig().to_dict(), key: value})


def test_unknown_and_missing_keys_are_refused_by_name():
    with pytest.raises(ConfigError, match="unknown config key: depth"):
        GeneratorConfig.from_dict({**GeneratorConfig().to_dict(), "depth": 3})
    partial = GeneratorConfig().to_dict()
    del partial["padding"], partial["width"]
    with pytest.raises(ConfigError, match="missing config keys: padding, width"):
        GeneratorConfig.from_dict(partial)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\xff"])
def test_a_broken_file_is_named(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"config\.json"):
        GeneratorConfig.load(path)


def test_json_keys_are_the_fields(tmp_path):
    (tmp_path / "config.json").write_text(GeneratorConfig().to_json())
    data = json.loads((tmp_path / "config.json").read_text())
    assert list(data) == ["format", "architecture", "norm", "width", "residual_blocks", "padding", "upsampling", "eps"]
