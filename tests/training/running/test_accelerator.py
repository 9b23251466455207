"""What the accelerator is asked for: precision of the generator, trackers, loader processes."""

import json
import os
import sqlite3

import pytest
import torch
from accelerate.state import AcceleratorState

from tests.training.runs import STEPS, command
from training.config import TrainConfig
from training.running.processes import make_accelerator, workers
from training.running.run import RunOptions
from training.train import main
from zoo.errors import DeviceError, TrainingError
from zoo.records import read_log


@pytest.mark.slow
def test_half_precision_trains_like_single_precision(lean, examples, tmp_path, run_here):
    """The first losses are those of float32 within bfloat16's rounding, and the stored generator is finite."""
    totals = {}
    for precision in ("float32", "bfloat16"):
        words = command(examples, tmp_path / precision, "--precision", precision, "--preview-every", 99)
        done = run_here(main, *words)
        assert done.returncode == 0, done.stderr
        log = [r for r in read_log(tmp_path / precision / "run" / "log.jsonl") if "seconds" in r]
        totals[precision] = [r[norm]["total"] for r in log for norm in ("instance", "batch")]
    assert len(totals["float32"]) == 2 * STEPS
    assert totals["bfloat16"] == pytest.approx(totals["float32"], rel=0.05)
    assert totals["bfloat16"] != totals["float32"]


@pytest.mark.slow
def test_trackio_gets_the_losses(examples, tmp_path, run_module):
    words = [w for w in command(examples, tmp_path / "out", "--track", "trackio") if w != "--pair"]
    done = run_module("training.train", *words)
    assert done.returncode == 0, done.stderr
    logged = read_log(tmp_path / "out" / "run" / "log.jsonl")
    (database,) = (tmp_path / "out" / "run" / "trackio").glob("*.db")
    with sqlite3.connect(database) as connection:
        rows = [json.loads(row) for (row,) in connection.execute("select metrics from metrics order by step")]
    tracked = [row["out/instance/total"] for row in rows if "out/instance/total" in row]
    assert tracked == pytest.approx([r["instance"]["total"] for r in logged if "instance" in r])


def test_a_tracker_that_is_not_installed_is_named(examples, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([str(w) for w in command(examples, tmp_path / "out", "--track", "tensorboard")]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err


def test_an_accelerator_of_somebody_elses_making_is_no_raw_error(tmp_path, monkeypatch):
    """accelerate has one state a process (issue 13, item 13)."""
    make_accelerator(TrainConfig(), 1, tmp_path, None)
    monkeypatch.setitem(AcceleratorState._shared_state, "_mixed_precision", "bf16")
    with pytest.raises(TrainingError, match="train in one of its own"):
        make_accelerator(TrainConfig(), 1, tmp_path, None)


def test_photos_are_read_beside_a_gpu_and_inline_on_a_cpu():
    assert workers(RunOptions(), torch.device("cpu")) == 0
    assert workers(RunOptions(), torch.device("cuda")) == min(8, (os.cpu_count() or 2) - 1)
    assert workers(RunOptions(workers=3), torch.device("cpu")) == 3
    with pytest.raises(TrainingError, match="--workers"):
        RunOptions(workers=-1)


def test_a_run_computes_on_the_device_it_is_told(tmp_path, monkeypatch):
    """The trainer took a GPU wherever there was one (issue 13, item 6)."""
    asked = []
    monkeypatch.setattr(
        "training.running.processes.Accelerator", lambda **words: asked.append(words["cpu"]) or FakeAccelerator("mps")
    )
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for device in ("auto", "mps"):
        assert make_accelerator(TrainConfig(), 1, tmp_path, None, device).device.type == "mps"
    with pytest.raises(DeviceError, match="trains on mps already"):
        make_accelerator(TrainConfig(), 1, tmp_path, None, "cpu")
    assert asked == [False, False, True]
    with pytest.raises(DeviceError, match="no CUDA GPU"):
        make_accelerator(TrainConfig(), 1, tmp_path, None, "cuda")


class FakeAccelerator:
    def __init__(self, device):
        self.device = torch.device(device)


def test_the_command_hands_the_device_to_the_run(examples, tmp_path, capsys, monkeypatch):
    """(issue 13, item 6)"""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([str(w) for w in command(examples, tmp_path / "out", "--device", "cuda")]) == 2
    assert "device cuda was asked for, but torch sees no CUDA GPU here" in capsys.readouterr().err
