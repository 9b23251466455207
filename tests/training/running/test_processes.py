"""Several processes are one training: what one of them meets alone, all decide together (issue 13, item 14)."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator

from tests.conftest import ROOT
from tests.training.two_processes import PLAIN, noisy_loss
from training.running.checkpoint import load_checkpoint
from training.running.memory import with_less_memory
from training.running.processes import leave
from zoo.errors import TrainingError


@pytest.mark.slow
def test_processes_draw_the_noise_that_micro_batches_draw(two):
    assert two[1]["noisy loss"] == pytest.approx(noisy_loss(Accelerator(), micro_batch=2), rel=1e-5)


@pytest.mark.slow
def test_a_step_that_is_not_finite_in_one_process_is_skipped_in_all(two):
    assert two[1]["changed"] == [False, False]


@pytest.mark.slow
def test_a_signal_to_one_process_stops_all_after_the_same_step(two):
    assert two[1]["stopped"] == [True, True]
    assert load_checkpoint(two[0] / "stopped" / "run" / "checkpoints")["step"] == 5  # the next that is logged


@pytest.mark.slow
def test_processes_that_would_go_on_after_different_steps_are_refused(two):
    assert all("processes would go on after steps [0, 5]: let all of them see the same" in said for said in two[1]["apart"])
    assert len(two[1]["apart"]) == 2


def test_one_process_of_several_does_not_start_again_alone(tmp_path):
    """Where memory runs out in it: the others would wait for it for ever."""
    error, accelerator = torch.OutOfMemoryError("CUDA out of memory"), SimpleNamespace(num_processes=2, process_index=1)
    with pytest.raises(TrainingError, match="process 2 of 2, which computes 1 pictures at once: give a smaller --micro-batch"):
        with_less_memory(PLAIN, error, tmp_path, accelerator)
    assert with_less_memory(PLAIN, error, tmp_path, SimpleNamespace(num_processes=1)).micro_batch == 1


@pytest.mark.slow
def test_one_process_of_several_ends_without_taking_its_interpreter_apart():
    """Threads that DistributedDataParallel leaves behind abort an interpreter's end, now and then (seen once, in CI)."""
    with pytest.raises(SystemExit, match="2"):
        leave(2)
    code = "import atexit; from training.running.processes import leave; atexit.register(print, 'end'); print('done'); leave(3)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "WORLD_SIZE": "2"}
    )
    assert (done.returncode, done.stdout) == (3, "done\n")
