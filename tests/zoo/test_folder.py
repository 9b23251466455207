"""Style folders: what is written comes back; whatever does not fit is refused."""

import hashlib
import json
import os
import resource
import struct
from unittest.mock import Mock

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import zoo
from zoo.config import NORMS
from zoo.errors import ConfigError, StyleFolderError, WeightsError
from zoo.folder import list_norms, load, load_generator, twin_folder, write_whole


@pytest.mark.parametrize("norm", NORMS)
def test_a_saved_generator_paints_as_before(tmp_path, norm):
    torch.manual_seed(3)
    generator = zoo.create(norm=norm, width=4, residual_blocks=2)
    with torch.no_grad():
        generator(torch.rand(2, 3, 40, 40))  # gives batch norm statistics that differ from the initial ones
        for p in generator.parameters():
            p.copy_(p.half().float())  # what float16 holds, so that the comparison can be exact
    zoo.save(generator, tmp_path)
    photos = torch.rand(1, 3, 48, 36)
    torch.testing.assert_close(load_generator(tmp_path)(photos), generator.eval()(photos), rtol=1e-5, atol=1e-6)


def test_weights_are_half_norms_and_statistics_are_single_precision(small_pair):
    for norm in ("instance", "batch"):
        state = load_file(twin_folder(small_pair, norm) / "model.safetensors")
        floats = {key: value.dtype for key, value in state.items() if value.is_floating_point()}
        assert any(".norm." in key for key in floats)
        assert all(dtype == (torch.float32 if ".norm." in key else torch.float16) for key, dtype in floats.items())
    assert {p.dtype for p in load(small_pair).parameters()} == {torch.float32}


def test_the_twin_lies_in_batch(small_pair):
    assert list_norms(small_pair) == ["instance", "batch"]
    assert load(small_pair, "batch").config.norm == "batch"
    assert not load(small_pair, "batch").training


def test_batch_norm_weights_do_not_go_into_an_instance_norm_generator_nor_back(small_pair):
    instance, batch = small_pair / "model.safetensors", small_pair / "batch" / "model.safetensors"
    kept = instance.read_bytes()
    instance.write_bytes(batch.read_bytes())
    with pytest.raises(WeightsError, match="batch-norm"):
        load(small_pair)
    save_file(load_file(batch), instance)  # the same without metadata
    with pytest.raises(WeightsError, match="running statistics"):
        load(small_pair)
    batch.write_bytes(kept)
    with pytest.raises(WeightsError, match="instance-norm"):
        load(small_pair, "batch")
    save_file(load_file(batch), batch)
    with pytest.raises(WeightsError, match="missing"):
        load(small_pair, "batch")


def test_a_config_that_asks_for_a_huge_net_is_refused_before_there_is_one(small_pair):
    config = json.loads((small_pair / "config.json").read_text())
    (small_pair / "config.json").write_text(json.dumps({**config, "width": 256, "residual_blocks": 32}))  # 2.5 GB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match="does not fit"):
        load(small_pair)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def damage(path, change):
    state = load_file(path)
    change(state)
    save_file(state, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(extra=torch.zeros(1)), "unknown"),
        (lambda s: s.pop("leave.bias"), "missing"),
        (lambda s: s.update({"leave.bias": torch.zeros(4)}), "leave.bias"),
        (lambda s: s.update({"leave.bias": torch.tensor([0.0, float("nan"), 0])}), "not finite"),
        (lambda s: s.update({"leave.bias": torch.zeros(3, dtype=torch.float64)}), "float64"),
        (lambda s: s.update({"leave.bias": torch.zeros(3, dtype=torch.int64)}), "int64"),
    ],
)
def test_weights_that_do_not_fit_are_refused(small_pair, change, message):
    damage(small_pair / "model.safetensors", change)
    with pytest.raises(WeightsError, match=message):
        load(small_pair)


def test_negative_variances_are_refused(small_pair):
    def negate(state):
        state["enter.norm.running_var"] = -state["enter.norm.running_var"]

    damage(small_pair / "batch" / "model.safetensors", negate)
    with pytest.raises(WeightsError, match="negative variances"):
        load(small_pair, "batch")


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_a_flipped_bit_of_the_weights_is_found(small_pair, norm):
    """Most left finite weights that ruin the picture, and nobody noticed (issue 13, item 38)."""
    path = twin_folder(small_pair, norm) / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 0b100  # in the exponent of a weight in float16
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        load(small_pair, norm)
    with pytest.raises(WeightsError, match="damaged"):
        zoo.stylize(Image.new("RGB", (40, 40)), small_pair, norm)
    load(small_pair, "batch" if norm == "instance" else "instance")


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_another_value_of_the_config_is_found(small_pair, norm):
    """Another eps paints other pictures, and nobody would notice; another layout of the file paints the same."""
    path = twin_folder(small_pair, norm) / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config, sort_keys=True))
    assert load(small_pair, norm)
    path.write_text(json.dumps({**config, "eps": 1e-4}))
    with pytest.raises(WeightsError, match=f"damaged config of {norm} norm.*take config out of metrics.json"):
        load(small_pair, norm)
    load(small_pair, "batch" if norm == "instance" else "instance")
    metrics = json.loads((small_pair / "metrics.json").read_text())
    (small_pair / "metrics.json").write_text(json.dumps({"weights": metrics["weights"]}))  # of before there was such a record
    assert load(small_pair, norm).config.eps == 1e-4


def test_the_hash_of_the_weights_follows_what_is_saved_and_keeps_what_was_measured(small_pair):
    """(issue 13, item 38)"""
    record = json.loads((small_pair / "metrics.json").read_text())
    assert record["weights"].keys() == {"instance", "batch"}
    (small_pair / "metrics.json").write_text(json.dumps({"note": "kept", **record}))
    zoo.save(zoo.create(norm="batch", width=4, residual_blocks=0), small_pair / "batch")
    assert load(small_pair, "batch").config.width == 4 and load(small_pair)
    now = json.loads((small_pair / "metrics.json").read_text())
    assert now["note"] == "kept" and now["weights"]["instance"] == record["weights"]["instance"]
    assert now["weights"]["batch"] != record["weights"]["batch"]


def test_the_recorded_hash_is_that_of_names_shapes_and_values(small_pair):
    """So that it outlives other ways to store them (issue 13, items 38 and 39)."""
    path = small_pair / "model.safetensors"
    state, expected = load_file(path), hashlib.sha256()
    for key in sorted(state):
        values = state[key].double().flatten().tolist()
        expected.update(f"{key} torch.float32 {tuple(state[key].shape)}\n".encode() + struct.pack(f"<{len(values)}f", *values))
    assert json.loads((small_pair / "metrics.json").read_text())["weights"]["instance"] == expected.hexdigest()
    save_file({key: value.float() for key, value in reversed(state.items())}, path, metadata={"by": "another hand"})
    assert load(small_pair)


def test_weights_without_a_record_of_their_hash_load_as_ever(small_pair):
    """Folders that were made before it (issue 13, item 38)."""
    (small_pair / "metrics.json").unlink()
    assert load(small_pair) and load(small_pair, "batch")
    (small_pair / "metrics.json").write_text('{"weights": {"instance": 3}}')
    with pytest.raises(StyleFolderError, match="weights should map"):
        load(small_pair)


def test_the_same_weights_make_the_same_file(small_pair, tmp_path):
    """The order of several metadata keys is random (issue 13, item 39)."""
    generator, wanted = load(small_pair), (small_pair / "model.safetensors").read_bytes()
    for _ in range(8):
        zoo.save(generator, tmp_path / "again")
        assert (tmp_path / "again" / "model.safetensors").read_bytes() == wanted


def test_a_loaded_generator_does_not_change_with_its_file(small_pair):
    """Tensors mapped to the file changed when it was written over, and a shorter file killed the process (issue 13, item 1)."""
    path = twin_folder(small_pair, "batch") / "model.safetensors"
    generator = load(small_pair, "batch")
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    with open(path, "r+b") as file:  # in place, as `cp` does
        file.write(data[:header] + bytes(len(data) - header))
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())
    os.truncate(path, 0)  # reading a mapped tensor would now end the process with a bus error
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())


def test_weights_can_be_read_by_whoever_can_read_the_config(small_pair):
    weights, config = ((small_pair / name).stat().st_mode & 0o777 for name in ("model.safetensors", "config.json"))
    assert weights == config


def test_a_huge_file_of_holes_is_refused_before_it_is_read(small_pair):
    """(issue 13, item 34)"""
    os.truncate(small_pair / "model.safetensors", 2**40)
    with pytest.raises(WeightsError, match=r"model.safetensors has 1,048,576 MiB: such a generator needs \d+ at most"):
        load(small_pair)


def test_another_width_is_refused(small_pair):
    config = json.loads((small_pair / "config.json").read_text())
    (small_pair / "config.json").write_text(json.dumps({**config, "width": 4}))
    with pytest.raises(WeightsError, match="config.json needs"):
        load(small_pair)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x80\x04\x95pickle"])
def test_a_file_that_is_not_safetensors_is_refused(small_pair, content):
    (small_pair / "model.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="cannot read"):
        load(small_pair)


@pytest.mark.parametrize(
    ("shape", "dtype"), [([0, 2**63], "F16"), ([0, 2**62, 8], "F16"), ([0] * 65, "F16"), ([0], "F8_E8M0"), ([0], "F4")]
)
def test_a_sound_file_of_tensors_that_torch_cannot_hold_is_refused(small_pair, shape, dtype):
    header = json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]}}).encode()
    (small_pair / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        load(small_pair)


def test_missing_files_are_named(small_pair, tmp_path):
    (small_pair / "batch" / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        load(small_pair, "batch")
    (small_pair / "batch" / "config.json").unlink()
    with pytest.raises(StyleFolderError, match="holds instance"):
        load(small_pair, "batch")
    with pytest.raises(ConfigError, match=r"config\.json"):
        load_generator(tmp_path / "nothing")


def test_a_twin_in_the_wrong_place_is_refused(small_pair):
    for name in ("config.json", "model.safetensors"):
        (small_pair / name).write_bytes((small_pair / "batch" / name).read_bytes())
    with pytest.raises(StyleFolderError, match="should hold instance"):
        load(small_pair)


def test_a_generator_with_infinite_weights_is_not_saved(tmp_path):
    generator = zoo.create(width=2)
    with torch.no_grad():
        generator.leave.bias[0] = float("inf")
    with pytest.raises(WeightsError, match="leave.bias"):
        zoo.save(generator, tmp_path / "style")
    assert not (tmp_path / "style" / "model.safetensors").exists()


@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError])
def test_nothing_is_left_of_files_whose_writing_was_ended(tmp_path, monkeypatch, end):
    """(issue 13, item 42)"""
    (tmp_path / "a").write_bytes(b"before")

    def fail(*paths):
        raise end

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(end):
        write_whole({tmp_path / "a": b"after", tmp_path / "b": b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"before"


def test_two_writers_of_one_file_do_not_meet(tmp_path, monkeypatch):
    replace = os.replace

    def after_another(*paths):
        monkeypatch.undo()
        write_whole({tmp_path / "a": b"another's"})
        replace(*paths)

    monkeypatch.setattr(os, "replace", after_another)
    write_whole({tmp_path / "a": b"mine"})
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"mine"


def test_weights_whose_header_says_nothing_of_themselves_are_read(small_pair):
    """`"__metadata__": null` is sound safetensors, and was a traceback (issue 13)."""
    path = small_pair / "model.safetensors"
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps({**json.loads(data[8:end]), "__metadata__": None}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data[end:])
    assert load_generator(small_pair).config.norm == "instance"


def test_memory_that_runs_out_says_nothing_of_the_weights(small_pair, monkeypatch):
    """(issue 13, item 11)"""
    monkeypatch.setattr("zoo.folder.deserialize", Mock(side_effect=RuntimeError("DefaultCPUAllocator: can't allocate memory")))
    with pytest.raises(WeightsError, match="there is not enough memory to read"):
        load(small_pair)
