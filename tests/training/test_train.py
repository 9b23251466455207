"""A real, tiny training of a pair in a subprocess: bundled VGG16, bundled photos, one of them as the painting."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

import zoo
from tests.conftest import EXAMPLES, ROOT
from training.checkpoint import load_checkpoint
from training.config import TrainConfig
from training.loop import check_processes
from training.records import read_log
from training.train import main
from training.twins import learning_rate
from zoo.errors import TrainingError

STEPS = 6


def command(examples, out, *more):
    painting = examples / "sunset.jpg"
    return [
        "--recipe",
        "smoke",
        "--pair",
        "--style-image",
        painting,
        "--content",
        examples,
        "--out",
        out,
        "--log-every",
        1,
        *more,
    ]


def losses(out):
    """What a log says of every step, held-out measurements apart; speeds are left out, they differ from run to run."""
    records = [json.loads(line) for line in (out / "run" / "log.jsonl").read_text().splitlines()]
    return [(r["step"], r["instance"], r["batch"]) for r in records if "held_out" not in r]


def measurements(out):
    records = [json.loads(line) for line in (out / "run" / "log.jsonl").read_text().splitlines()]
    return [(r["step"], r["held_out"]) for r in records if "held_out" in r]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The uninterrupted run."""
    out, held_out = tmp_path_factory.mktemp("trained") / "after-sunset", tmp_path_factory.mktemp("held-out")
    shutil.copy(EXAMPLES / "dog.jpg", held_out)
    words = command(
        EXAMPLES,
        out,
        "--title",
        "After Sunset",
        "--show-painting",
        "--preview-every",
        3,
        "--held-out",
        held_out,
        "--held-out-every",
        6,
    )
    done = subprocess.run([sys.executable, "-m", "training.train", *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out, done.stderr


def test_it_makes_a_complete_style_folder(trained):
    out, _ = trained
    style = zoo.find(out)
    assert style.norms == ["instance", "batch"] and style.title == "After Sunset"
    for name in ("README.md", "recipe.yaml", "metrics.json", "images/curves.png", "images/preview.jpg"):
        assert (out / name).stat().st_size > 0
    assert all(style.picture(kind) for kind in ("photo", "batch", "instance", "preview"))
    assert style.picture("painting").read_bytes() == (EXAMPLES / "sunset.jpg").read_bytes()
    assert zoo.stylize(Image.new("RGB", (40, 33), "teal"), style).size == (40, 33)
    assert style.metrics["held_out"]["256"]["instance"]["objective"] > 0
    for norm in style.norms:
        storage = style.metrics["storage"][norm]
        assert 0.999 < storage["within_2_levels"] <= 1 and 0 < storage["largest_difference"] < 3


def test_training_changes_the_weights_of_both_twins_apart(trained):
    out, _ = trained
    start = zoo.create(TrainConfig(width=4, residual_blocks=1).generator("instance")).state_dict()
    instance, batch = load_file(out / "model.safetensors"), load_file(out / "batch" / "model.safetensors")
    assert start.keys() == instance.keys()
    assert not torch.equal(instance["leave.weight"], batch["leave.weight"])
    assert batch["enter.norm.num_batches_tracked"] == STEPS


def test_the_log_previews_and_progress(trained):
    out, stderr = trained
    assert [step for step, *_ in losses(out)] == list(range(1, STEPS + 1))
    assert all(value > 0 for _, instance, batch in losses(out) for value in (*instance.values(), *batch.values()))
    assert sorted(p.name for p in (out / "run" / "previews").iterdir()) == [f"step_00000{n}.jpg" for n in (0, 3, 6)]
    assert "step/s" in stderr or "s/step" in stderr
    history = zoo.find(out).metrics["history"]["steps"]
    assert [entry["step"] for entry in history] == [0, 6]
    assert {"photo", "instance", "batch", "batch, batch statistics"} <= history[0].keys()


def test_the_recipe_repeats_the_run_and_names_no_path(trained):
    out, _ = trained
    text = (out / "recipe.yaml").read_text()
    recipe = yaml.safe_load(text)
    assert recipe["steps"] == STEPS and recipe["photos"]["number"] == 5 and recipe["painting"]["file"] == "sunset.jpg"
    assert len(recipe["painting"]["sha256"]) == 64
    for name in ("recipe.yaml", "metrics.json", "README.md"):
        assert str(out.parent) not in (out / name).read_text()


def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(trained, run_module, examples, tmp_path):
    out, part, held_out = trained[0], tmp_path / "part", tmp_path / "held-out"
    held_out.mkdir()
    shutil.copy(EXAMPLES / "dog.jpg", held_out)
    words = command(examples, part, "--preview-every", 99, "--held-out", held_out, "--held-out-every", 3)
    done = run_module("training.train", *words, "--stop-at", 4, "--checkpoint-every", 2)
    assert done.returncode == 0 and not (part / "model.safetensors").exists(), done.stderr
    (part / "run" / "checkpoints" / "step_000004.pt").unlink()  # as if it died after step 3: resumes after 2
    done = run_module("training.train", *words)
    assert done.returncode == 0, done.stderr
    assert "resuming after step 2" in done.stdout
    assert losses(part) == losses(out) and [step for step, _ in measurements(part)] == [0, 3, 6]
    assert measurements(part)[-1] == measurements(out)[-1]
    for twin in (".", "batch"):
        a, b = load_file(out / twin / "model.safetensors"), load_file(part / twin / "model.safetensors")
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_twins_trained_apart_are_the_twins_trained_in_lockstep(trained, run_module, examples, tmp_path):
    out, _ = trained
    words = [w for w in command(examples, tmp_path / "apart", "--preview-every", 99) if w != "--pair"]
    done = run_module("training.train", *words, "--norm", "batch")
    assert done.returncode == 0, done.stderr
    a, b = (load_file(folder / "batch" / "model.safetensors") for folder in (out, tmp_path / "apart"))
    assert all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--style-weight", 3], "recipe"),
        (["--style-image", EXAMPLES / "dog.jpg"], "paintings"),
        (["--content", ROOT / "zoo"], "photos"),
    ],
)
def test_another_run_does_not_go_on_in_the_same_folder(trained, examples, tmp_path, capsys, flags, what):
    shutil.copytree(trained[0], tmp_path / "after-sunset")
    before = (tmp_path / "after-sunset" / "recipe.yaml").read_text()
    assert main([str(word) for word in command(examples, tmp_path / "after-sunset", *flags)]) == 2
    assert f"another {what}" in capsys.readouterr().err
    assert (tmp_path / "after-sunset" / "recipe.yaml").read_text() == before


def test_a_torn_log_line_does_not_stop_a_resume(trained, examples, tmp_path):
    out = tmp_path / "after-sunset"
    shutil.copytree(trained[0], out)
    with open(out / "run" / "log.jsonl", "a") as log:
        log.write('{"step": 6, "inst')
    before = losses(trained[0])
    assert main([str(word) for word in command(examples, out, "--title", "After Sunset")]) == 0
    assert losses(out) == before  # a finished run, called again, only writes its folder anew


def test_ctrl_c_keeps_the_step_it_came_in(examples, tmp_path):
    """The signal arrives while a step is computed: the step is finished, kept, and the run goes on from it."""
    words = [sys.executable, "-m", "training.train", *map(str, command(examples, tmp_path / "out", "--steps", 500))]
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    log = tmp_path / "out" / "run" / "log.jsonl"
    while process.poll() is None and not (log.exists() and len(log.read_text().splitlines()) > 2):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on" in err and "stopping after this step" in out
    kept = load_checkpoint(tmp_path / "out" / "run" / "checkpoints")
    assert kept["step"] == len(log.read_text().splitlines()) > 2


def test_batch_norm_in_several_processes_is_refused():
    with pytest.raises(TrainingError, match="one process"):
        check_processes(2, TrainConfig(), ("instance", "batch"))
    with pytest.raises(TrainingError, match="cannot be shared evenly by 3"):
        check_processes(3, TrainConfig(), ("instance",))
    check_processes(2, TrainConfig(), ("instance",))
    check_processes(1, TrainConfig(), ("instance", "batch"))


def test_evaluate_measures_what_training_measured(trained, run_module, examples, tmp_path):
    shutil.copytree(trained[0], tmp_path / "after-sunset")
    before = zoo.find(tmp_path / "after-sunset").metrics["held_out"]["256"]
    words = ["--content", examples, "--style-image", examples / "sunset.jpg", "--size", 64]
    done = run_module("training.evaluate", tmp_path / "after-sunset", *words)
    assert done.returncode == 0, done.stderr
    assert "batch, batch statistics" in done.stdout and "of photo" in done.stdout
    found = zoo.find(tmp_path / "after-sunset").metrics["held_out"]
    assert found["256"] == before and found["64"]["photo"]["content"] == 0
    assert found["64"]["command"].startswith("python -m training.evaluate after-sunset --content examples")
    assert "Held-out objective at 64 px" in (tmp_path / "after-sunset" / "README.md").read_text()


def test_evaluate_refuses_what_it_cannot_measure(run_module, examples, tmp_path):
    done = run_module("training.evaluate", "no-such", "--content", examples, "--style-image", examples / "sunset.jpg")
    assert done.returncode == 2 and done.stderr.startswith("error: no style")


def test_the_learning_rate_depends_on_the_step_alone():
    config = TrainConfig(steps=100, learning_rate=1e-3)
    assert learning_rate(config, 1) == 1e-3 and 0 < learning_rate(config, 100) < 1e-5
    assert learning_rate(config, 51) == pytest.approx(5e-4)
    assert learning_rate(TrainConfig(steps=100, decay="constant"), 99) == 1e-3


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Two paintings in one conditional pair, interrupted and resumed."""
    out = tmp_path_factory.mktemp("several")
    (out / "about.yaml").write_text("sunset.jpg: {slug: after-sunset, title: After Sunset, show: true}\n")
    words = ["--recipe", "smoke", "--auto", "--pair", "--content", EXAMPLES, "--out", out, "--about", out / "about.yaml"]
    words += ["--style-image", EXAMPLES / "sunset.jpg", EXAMPLES / "raccoon.jpg", "--log-every", 1, "--checkpoint-every", 2]
    for stop in (["--stop-at", 3], []):
        command = [sys.executable, "-m", "training.train", *map(str, [*words, *stop])]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return out


def test_several_paintings_come_out_as_a_style_folder_each(several):
    styles = [zoo.find(several / slug) for slug in ("after-sunset", "raccoon")]
    assert [style.title for style in styles] == ["After Sunset", "Raccoon"]
    assert all(style.norms == ["instance", "batch"] for style in styles)
    assert styles[0].recipe["trained_with"] == ["sunset.jpg", "raccoon.jpg"]
    assert styles[0].recipe["balance"] == "relative" and styles[0].recipe["style_weight"] == 20
    assert styles[0].picture("painting") and not styles[1].picture("painting")
    assert "one of 2 styles trained together" in (styles[0].folder / "README.md").read_text()
    first, second = (load_file(style.folder / "model.safetensors") for style in styles)
    assert torch.equal(first["leave.weight"], second["leave.weight"])
    assert not torch.equal(first["enter.norm.weight"], second["enter.norm.weight"])


def test_every_style_gets_its_turn(several):
    records = [json.loads(line) for line in (several / "run" / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records] == list(range(1, STEPS + 1))
    assert sorted(r["style"] for r in records) == ["after-sunset"] * 3 + ["raccoon"] * 3
    steps = load_file(several / "raccoon" / "batch" / "model.safetensors")["enter.norm.num_batches_tracked"]
    assert steps == 3  # statistics of its own


def run_killed(words, out, kills, seed):
    """Run the command again and again, killing it (SIGKILL) at random moments, until it ends by itself; returns the kills."""
    rng, killed = random.Random(seed), 0
    while True:
        process = subprocess.Popen([sys.executable, "-m", "training.train", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE)
        log = out / "run" / "log.jsonl"
        before = log.stat().st_mtime_ns if log.exists() else 0
        while process.poll() is None and not (log.exists() and log.stat().st_mtime_ns != before):
            time.sleep(0.01)  # until it trains
        if killed == kills:
            assert process.wait(300) == 0, process.stderr.read()
            return killed
        time.sleep(rng.random() * 1.5)
        killed += process.poll() is None
        process.kill()
        process.communicate()


def test_a_run_killed_at_any_moment_ends_in_the_losses_of_an_uninterrupted_one(examples, tmp_path):
    """Two kills here; KILLS=20 for the thorough version."""
    kills, steps = int(os.environ.get("KILLS", "2")), 60
    flags = ["--steps", steps, "--checkpoint-every", 3, "--preview-every", 999]
    whole = [str(word) for word in command(examples, tmp_path / "whole", *flags)]
    assert main(whole) == 0
    run_killed(command(examples, tmp_path / "killed", *flags), tmp_path / "killed", kills, seed=kills)
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert len(losses(tmp_path / "killed")) == steps


def test_two_processes_have_the_losses_of_one(run_module, examples, tmp_path):
    """Instance norm, the same effective batch, gloo on the CPU."""
    words = [w for w in command(examples, tmp_path / "one", "--preview-every", 99) if w != "--pair"]
    assert main([str(word) for word in words]) == 0
    words = [tmp_path / "two" if w == tmp_path / "one" else w for w in words]
    launch = ["--standalone", "--nproc_per_node", 2, "-m", "training.train", *words]
    done = run_module("torch.distributed.run", *launch, ACCELERATE_USE_CPU="true", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    logs = [read_log(tmp_path / name / "run" / "log.jsonl") for name in ("one", "two")]
    totals = [[record["instance"]["total"] for record in log] for log in logs]
    assert len(totals[0]) == len(totals[1]) == STEPS
    assert totals[1] == pytest.approx(totals[0], rel=1e-3)
