"""No work is lost: runs that stop, are killed, or are called again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import EXAMPLES, ROOT
from tests.training.runs import STEPS, command, losses, measurements
from tests.training.two_processes import SEVERAL
from training import evaluate
from training.config import TrainConfig
from training.running.checkpoint import load_checkpoint
from training.running.processes import check_processes
from training.train import main
from zoo.errors import TrainingError
from zoo.records import read_log

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("lean")]


def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(trained, run_here, examples, tmp_path):
    out, part, held_out = trained[0], tmp_path / "part", tmp_path / "held-out"
    held_out.mkdir()
    shutil.copy(EXAMPLES / "dog.jpg", held_out)
    words = command(examples, part, "--preview-every", 99, "--held-out", held_out, "--held-out-every", 3)
    done = run_here(main, *words, "--stop-at", 4, "--checkpoint-every", 2)
    assert done.returncode == 0 and not (part / "model.safetensors").exists(), done.stderr
    (part / "run" / "checkpoints" / "step_000004.pt").unlink()  # as if it died after step 3: resumes after 2
    done = run_here(main, *words)
    assert done.returncode == 0, done.stderr
    assert "resuming after step 2" in done.stdout
    assert losses(part) == losses(out) and [step for step, _ in measurements(part)] == [0, 3, 6]
    assert measurements(part)[-1] == measurements(out)[-1]
    for twin in (".", "batch"):
        a, b = load_file(out / twin / "model.safetensors"), load_file(part / twin / "model.safetensors")
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_twins_trained_apart_are_the_twins_trained_in_lockstep(trained, run_here, examples, tmp_path):
    out, _ = trained
    words = [w for w in command(examples, tmp_path / "apart", "--preview-every", 99) if w != "--pair"]
    done = run_here(main, *words, "--norm", "batch")
    assert done.returncode == 0, done.stderr
    a, b = (load_file(folder / "batch" / "model.safetensors") for folder in (out, tmp_path / "apart"))
    assert all(torch.equal(a[key], b[key]) for key in a)
    words[words.index("--out") + 1] = apart = tmp_path / "apart"
    measured = ["--content", examples / "dog.jpg", "--style-image", examples / "sunset.jpg", "--size", 64]
    half = run_here(evaluate.main, apart, *measured)
    assert half.returncode == 0 and "batch" in half.stdout, half.stderr
    shutil.rmtree(apart / "run")  # its other half, as another run
    other = run_here(main, *words, "--norm", "instance", "--style-weight", 3)
    assert other.returncode == 2 and "training differs in style_weight (5.0 there, 3.0 here)" in other.stderr
    assert not (apart / "model.safetensors").exists()
    shutil.rmtree(apart / "run", ignore_errors=True)
    done = run_here(main, *words, "--norm", "instance")
    assert done.returncode == 0, done.stderr
    assert "beside its batch-norm twin" in (apart / "README.md").read_text()


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--style-weight", 3], "style_weight (5.0 there, 3.0 here)"),
        (["--style-image", EXAMPLES / "dog.jpg"], "paintings.after-sunset ("),
        (["--content", ROOT / "zoo"], "photos ("),
    ],
)
def test_another_run_does_not_go_on_in_the_same_folder(trained, examples, tmp_path, capsys, flags, what):
    shutil.copytree(trained[0], tmp_path / "after-sunset")
    before = (tmp_path / "after-sunset" / "recipe.yaml").read_text()
    assert main([str(word) for word in command(examples, tmp_path / "after-sunset", *flags)]) == 2
    assert f"differs in {what}" in capsys.readouterr().err
    assert (tmp_path / "after-sunset" / "recipe.yaml").read_text() == before


def test_a_finished_run_says_what_it_does_where_it_is_ready_and_how_to_paint(trained, run_here, examples, tmp_path):
    """Painting and measuring take minutes, the same command once more included."""
    out = shutil.copytree(trained[0], tmp_path / "my own" / "after-sunset")
    held_out = trained[0].parent / "held-out"
    words = command(examples, out, "--title", "After Sunset", "--held-out", held_out)
    done = run_here(main, *words)
    assert done.returncode == 0, done.stderr
    painted, measured, ready = done.stdout.splitlines()[-3:]
    assert painted == f"painting the pictures of {out} ..." and "measuring its stored weights on 1 held-out photos" in measured
    assert ready == (f"{out} is ready: see {out}/images/preview.jpg; python -m zoo stylize photo.jpg -s '{out}' -o painted.png")


def test_a_torn_log_line_does_not_stop_a_resume(trained, examples, tmp_path):
    out = tmp_path / "after-sunset"
    shutil.copytree(trained[0], out)
    with open(out / "run" / "log.jsonl", "a") as log:
        log.write('{"step": 6, "inst')
    before = losses(trained[0])
    assert main([str(word) for word in command(examples, out, "--title", "After Sunset")]) == 0
    assert losses(out) == before  # a finished run, called again, only writes its folder anew


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_step_it_came_in(number, examples, tmp_path):
    """It arrives while a step is computed, at the whole group, as terminals, `timeout` and job queues send it: the step, whose
    photos another process may still read, is finished, kept, and the run goes on from it.
    """
    more = ("--steps", 500, "--workers", 1)
    words = [sys.executable, "-m", "training.train", *map(str, command(examples, tmp_path / "out", *more))]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(words, cwd=ROOT, start_new_session=True, **pipes)
    log = tmp_path / "out" / "run" / "log.jsonl"
    while process.poll() is None and not (log.exists() and len(log.read_text().splitlines()) > 2):
        time.sleep(0.05)
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on" in err and out.count("stopping after this step") == 1
    kept = load_checkpoint(tmp_path / "out" / "run" / "checkpoints")
    assert kept["step"] == len(log.read_text().splitlines()) > 2


def run_killed(words, out, kills, seed):
    """Run the command again and again, killing it (SIGKILL) at random moments after a step, until that was often enough or it
    ended before; returns the kills."""
    rng, killed = random.Random(seed), 0
    while True:
        process = subprocess.Popen([sys.executable, "-m", "training.train", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE)
        log = out / "run" / "log.jsonl"
        seen = {log.stat().st_mtime_ns if log.exists() else 0}
        while process.poll() is None and len(seen) < 3:  # until it has written its log anew, and a step
            time.sleep(0.01)
            seen |= {log.stat().st_mtime_ns} if log.exists() else set()
        if killed == kills or process.poll() is not None:
            assert process.wait(300) == 0, process.stderr.read()
            return killed
        time.sleep(rng.random() * 0.7)
        killed += process.poll() is None
        process.kill()
        process.communicate()


def test_a_run_killed_at_any_moment_ends_in_the_losses_of_an_uninterrupted_one(examples, tmp_path):
    """Two kills here; KILLS=20 for the thorough version."""
    kills = int(os.environ.get("KILLS", "2"))
    steps = 6 * kills
    flags = ["--steps", steps, "--checkpoint-every", 2, "--preview-every", 999]
    whole = [str(word) for word in command(examples, tmp_path / "whole", *flags)]
    assert main(whole) == 0
    assert run_killed(command(examples, tmp_path / "killed", *flags), tmp_path / "killed", kills, seed=kills)
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert len(losses(tmp_path / "killed")) == steps


def test_two_processes_have_the_losses_of_one(trained, run_module, examples, tmp_path):
    """Instance norm, the same effective batch, gloo on the CPU."""
    words = [w for w in command(examples, tmp_path / "two", "--preview-every", 99) if w != "--pair"]
    launch = ["--standalone", "--nproc_per_node", 2, "-m", "training.train", *words]
    done = run_module("torch.distributed.run", *launch, ACCELERATE_USE_CPU="true", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    totals = [[instance["total"] for _, instance, _ in losses(trained[0])]]
    totals.append([record["instance"]["total"] for record in read_log(tmp_path / "two" / "run" / "log.jsonl")])
    assert len(totals[0]) == len(totals[1]) == STEPS
    assert totals[1] == pytest.approx(totals[0], rel=1e-3)


def test_two_processes_train_several_styles(two, tmp_path):
    """Rows that a step leaves alone are no trouble, and the losses are those of one process."""
    assert main([*SEVERAL, "--out", str(tmp_path / "one")]) == 0
    logs = [read_log(folder / "run" / "log.jsonl") for folder in (tmp_path / "one", two[0] / "several")]
    totals = [[record["instance"]["total"] for record in log] for log in logs]
    assert len(totals[0]) == 3 and totals[1] == pytest.approx(totals[0], rel=1e-3)


@pytest.mark.parametrize(("file", "kept"), [("checkpoints/step_000006.part", 3), ("previews/step_000006.jpg", 6)])
def test_a_full_disk_ends_in_words_and_keeps_the_last_checkpoint(examples, tmp_path, file, kept, capsys):
    """/dev/full takes no byte: what a disk without room answers. A checkpoint is kept before the preview of its step."""
    words = [str(w) for w in command(examples, tmp_path / "out", "--checkpoint-every", 3, "--preview-every", 3)]
    assert main([*words, "--stop-at", "3"]) == 0
    full = tmp_path / "out" / "run" / file
    full.symlink_to("/dev/full")
    assert main(words) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: cannot write") and "No space" in error
    assert load_checkpoint(tmp_path / "out" / "run" / "checkpoints")["step"] == kept
    full.unlink()
    assert main(words) == 0  # there is room again
    assert [step for step, *_ in losses(tmp_path / "out")] == list(range(1, STEPS + 1))


def test_batch_norm_in_several_processes_is_refused():
    with pytest.raises(TrainingError, match="one process"):
        check_processes(2, TrainConfig(), ("instance", "batch"))
    with pytest.raises(TrainingError, match="cannot be shared evenly by 3"):
        check_processes(3, TrainConfig(), ("instance",))
    check_processes(2, TrainConfig(), ("instance",))
    check_processes(1, TrainConfig(), ("instance", "batch"))
