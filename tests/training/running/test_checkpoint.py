"""Checkpoints are whole or absent, and what was damaged since is not taken up."""

from unittest.mock import Mock

import pytest
import torch

from training.running.checkpoint import SEAL, load_checkpoint, save_checkpoint
from zoo.errors import TrainingError

RUN = {"run": {"recipe": {}}, "seconds": 1.0}  # what every state holds


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_comes_back_and_two_are_kept(tmp_path):
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, step, {**RUN, "x": torch.tensor(step)})
    assert load_checkpoint(tmp_path)["x"] == 30
    assert names(tmp_path) == ["step_000020.pt", "step_000030.pt"]


def test_the_millionth_step_is_the_newest(tmp_path):
    for step in (999_998, 999_999, 1_000_000):
        save_checkpoint(tmp_path, step, RUN)
    assert load_checkpoint(tmp_path)["step"] == 1_000_000
    assert names(tmp_path) == ["step_1000000.pt", "step_999999.pt"]


def test_a_torn_one_is_skipped_with_a_word(tmp_path):
    for step in (10, 20):
        save_checkpoint(tmp_path, step, {**RUN, "x": torch.arange(1000)})
    torn = tmp_path / "step_000020.pt"
    torn.write_bytes(torn.read_bytes()[:500])
    said = []
    assert load_checkpoint(tmp_path, said.append)["step"] == 10
    assert "step_000020.pt" in said[0]


def test_no_flipped_bit_changes_what_is_taken_up(tmp_path):
    """Each either falls back to the older checkpoint or lies where nothing is stored (issue 13, item 36)."""
    weights = torch.linspace(-1, 1, 500)
    for step in (10, 20):
        newest = save_checkpoint(tmp_path, step, {**RUN, "x": weights, "rate": 0.25})
    sound = newest.read_bytes()
    fallen = 0
    for k in range(200):
        spoilt = bytearray(sound)
        spoilt[k * len(sound) // 200] ^= 1 << k % 8
        newest.write_bytes(spoilt)
        found = load_checkpoint(tmp_path, lambda _: None)
        assert torch.equal(found["x"], weights) and found["rate"] == 0.25
        fallen += found["step"] == 10
    assert fallen > 100


def test_nor_does_one_in_the_archive_s_list_of_files(tmp_path):
    """Which its check sums do not cover: that a file were a folder makes torch read something else (issue 13, item 36)."""
    for step in (10, 20):
        newest = save_checkpoint(tmp_path, step, {**RUN, "x": torch.linspace(-1, 1, 500)})
    sound = newest.read_bytes()
    entry = sound.rindex(b"PK\x01\x02", 0, sound.rindex(b"/data/0"))
    spoilt = bytearray(sound)
    spoilt[entry + 38] ^= 16  # external attributes: a folder of DOS
    newest.write_bytes(spoilt)
    assert load_checkpoint(tmp_path, lambda _: None)["step"] == 10


def test_one_of_before_there_was_a_seal_is_taken_up(tmp_path):
    path = save_checkpoint(tmp_path, 10, {**RUN, "x": torch.arange(3)})
    path.write_bytes(path.read_bytes()[: -len(SEAL) - 32])
    assert load_checkpoint(tmp_path)["step"] == 10
    path.write_bytes(path.read_bytes().replace(torch.arange(3).numpy().tobytes(), bytes(24)))
    assert load_checkpoint(tmp_path, lambda _: None) is None


@pytest.mark.parametrize("state", [{}, {"run": {}}, {"seconds": 1.0}])
def test_one_without_its_keys_is_skipped_with_a_word(tmp_path, state):
    """It ended in a KeyError's traceback (issue 13, item 42)."""
    save_checkpoint(tmp_path, 10, RUN)
    save_checkpoint(tmp_path, 20, state)
    torch.save([1, 2], tmp_path / "step_000030.pt")
    said = []
    assert load_checkpoint(tmp_path, said.append)["step"] == 10
    assert "step_000030.pt: it lacks step and run and seconds" in said[0] and "step_000020.pt: it lacks" in said[1]


def test_a_damaged_one_does_not_take_the_place_of_a_sound_one(tmp_path):
    for step in (10, 20):
        save_checkpoint(tmp_path, step, RUN)
    (tmp_path / "step_000020.pt").write_bytes(b"damaged")
    save_checkpoint(tmp_path, 15, RUN)  # of the run that fell back to step 10
    assert names(tmp_path) == ["step_000010.pt", "step_000015.pt"]


def test_one_that_may_not_be_read_is_not_passed_over(tmp_path):
    save_checkpoint(tmp_path, 10, RUN)
    (tmp_path / "step_000020.pt").mkdir()  # an OSError whoever reads it
    with pytest.raises(TrainingError, match="cannot read checkpoint .*step_000020"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")])
def test_one_that_finds_no_memory_is_not_passed_over(tmp_path, monkeypatch, error):
    """The run would begin anew, and delete it (issue 13, items 11 and 36)."""
    save_checkpoint(tmp_path, 10, RUN)
    monkeypatch.setattr(torch, "load", Mock(side_effect=error))
    with pytest.raises(TrainingError, match="out of memory while reading checkpoint"):
        load_checkpoint(tmp_path)


def test_none_is_none(tmp_path):
    assert load_checkpoint(tmp_path / "nowhere") is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TrainingError, match="cannot write checkpoint"):
        save_checkpoint(tmp_path / "file", 1, RUN)
