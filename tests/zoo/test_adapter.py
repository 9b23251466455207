"""Adapters: a few kilobytes that come back as the very generator, on the very base they were trained on."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo.adapter import is_adapter, save_adapter
from zoo.conditional import norm_parameters
from zoo.errors import ConfigError, StyleFolderError, StyleNotFoundError, WeightsError
from zoo.style import style_at


def adapted(base, norm):
    """The base's generator with other norms and another last convolution."""
    generator, torch_rng = zoo.load(base, norm), torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, value in generator.named_parameters():
            if name in norm_parameters(generator):
                value.add_(torch.randn(value.shape, generator=torch_rng))
        generator.leave.bias.copy_((generator.leave.bias + 0.5).half())  # what float16 holds
    return generator


@pytest.fixture
def adapter(small_pair, tmp_path, monkeypatch):
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path))
    folder = tmp_path / "elsewhere" / "painting" / "adapter"
    for norm in ("instance", "batch"):
        save_adapter(adapted(small_pair, norm), small_pair, "small-pair", folder)
    return folder


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_an_adapter_loads_as_the_generator_it_was_made_from(adapter, small_pair, norm):
    photos = torch.rand(1, 3, 40, 37)
    loaded = zoo.load(adapter, norm)
    torch.testing.assert_close(loaded(photos), adapted(small_pair, norm)(photos), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(loaded(photos), zoo.load(small_pair, norm)(photos), atol=1e-3)
    assert not any(p.requires_grad for p in loaded.parameters()) and not loaded.training


def test_it_holds_what_was_changed_and_nothing_else(adapter):
    state = load_file(adapter / "adapter.safetensors")
    assert state.keys() == {"leave.bias", *(key for key in norm_parameters(zoo.load(adapter)))}
    assert json.loads((adapter / "config.json").read_text()).keys() == {"format", "base", "norm", "base_sha256"}
    assert is_adapter(adapter) and style_at(adapter).norms == ["instance", "batch"]


def test_it_paints_like_any_style(adapter, photo):
    assert zoo.stylize(photo, adapter, size=64).size == (64, 64)


def test_another_base_is_refused(adapter, small_pair):
    zoo.save(adapted(small_pair, "instance"), small_pair)
    with pytest.raises(WeightsError, match="trained on other weights of small-pair"):
        zoo.load(adapter)
    assert zoo.load(adapter, "batch")  # its own base is as it was


def test_an_identical_base_written_by_another_hand_is_taken(adapter, small_pair):
    """Its file has another hash, as the order of its metadata is random (issue 13, item 39)."""
    before = zoo.load(adapter)(torch.ones(1, 3, 32, 32))
    path = small_pair / "model.safetensors"
    save_file(load_file(path), path, metadata={"format": "pt", "norm": "instance", "of": "another hand"})
    assert torch.equal(zoo.load(adapter)(torch.ones(1, 3, 32, 32)), before)


def test_an_adapter_that_records_the_file_of_its_base_is_taken(adapter, small_pair):
    """As the first ones did: what was published stays loadable (issue 13, item 39)."""
    config = json.loads((adapter / "config.json").read_text())
    config["base_sha256"] = hashlib.sha256((small_pair / "model.safetensors").read_bytes()).hexdigest()
    (adapter / "config.json").write_text(json.dumps(config))
    (adapter / "metrics.json").unlink()  # nor had they hashes of their own
    assert zoo.load(adapter)


def test_a_flipped_bit_of_an_adapter_is_found(adapter):
    """(issue 13, item 38)"""
    data = bytearray((adapter / "adapter.safetensors").read_bytes())
    data[-1] ^= 0b100
    (adapter / "adapter.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        zoo.load(adapter)


def test_a_base_that_is_not_there_is_named(adapter, monkeypatch):
    monkeypatch.delenv("MISSING_INGREDIENT_STYLES")
    with pytest.raises(StyleNotFoundError, match="small-pair"):
        zoo.load(adapter)


@pytest.mark.parametrize(
    "change",
    [
        {"leave.bias": torch.zeros(4)},
        {"extra": torch.zeros(1)},
        {"leave.bias": torch.zeros(3, dtype=torch.int64)},
        {"leave.bias": torch.full((3,), torch.nan)},
    ],
)
def test_tensors_that_do_not_fit_are_refused(adapter, change):
    save_file({**load_file(adapter / "adapter.safetensors"), **change}, adapter / "adapter.safetensors")
    with pytest.raises(WeightsError):
        zoo.load(adapter)


@pytest.mark.parametrize("change", [{"format": 2}, {"more": 1}, {"base": 3}, {"norm": None}])
def test_a_config_of_another_form_is_refused(adapter, change):
    config = json.loads((adapter / "config.json").read_text())
    (adapter / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ConfigError):
        zoo.load(adapter)


def test_a_norm_it_does_not_have_is_named(adapter):
    (adapter / "batch" / "adapter.safetensors").unlink()
    with pytest.raises(StyleFolderError, match="no batch-norm generator"):
        zoo.load(adapter, "batch")
