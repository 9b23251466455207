"""Checkpoints are whole or absent."""

import pytest
import torch

from training.checkpoint import load_checkpoint, save_checkpoint
from zoo.errors import TrainingError


def test_the_newest_comes_back_and_two_are_kept(tmp_path):
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, step, {"x": torch.tensor(step)})
    assert load_checkpoint(tmp_path)["x"] == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_000020.pt", "step_000030.pt"]


def test_a_torn_one_is_skipped_with_a_word(tmp_path):
    for step in (10, 20):
        save_checkpoint(tmp_path, step, {"x": torch.arange(1000)})
    torn = tmp_path / "step_000020.pt"
    torn.write_bytes(torn.read_bytes()[:500])
    said = []
    assert load_checkpoint(tmp_path, said.append)["step"] == 10
    assert "step_000020.pt" in said[0]


def test_none_is_none(tmp_path):
    assert load_checkpoint(tmp_path / "nowhere") is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TrainingError, match="cannot write checkpoint"):
        save_checkpoint(tmp_path / "file", 1, {})
