"""The benchmarks run and print their tables (issue 13, item 16)."""

import importlib
import json
import os
import re
import sys

import numpy as np
import pytest

from benchmarks import batch, flicker, inference, steps, stylization, training, ultra
from benchmarks.steps import VARIANTS
from tests.browser.conftest import CHROMIUM, without_runtime
from training.config import TrainConfig
from zoo.engine.choice import TORCH, candidates


@pytest.mark.parametrize("command", [batch, flicker, inference, steps, stylization, training, ultra])
def test_they_load_where_there_is_no_resource(command, monkeypatch):
    """As on Windows."""
    monkeypatch.setitem(sys.modules, "resource", None)
    importlib.reload(command)


@pytest.mark.slow
def test_steps_measures_speed_and_memory_of_every_variant(run_here):
    few = ["--crop-size", 32, "--style-size", 64, "--batch-size", 1, "--width", 2, "--steps", 1, "--rounds", 1]
    done = run_here(steps.main, *few)
    assert done.returncode == 0, done.stderr
    for variant in VARIANTS:
        speed, ratio, peak, share = map(float, re.search(rf"^{variant} +(.+)$", done.stdout, re.M)[1].split())
        assert speed > 0 and ratio > 0 and 100 < peak < 10_000 and 0.1 < share < 10


@pytest.mark.slow
def test_training_draws_both_curves(run_here, examples, tmp_path, monkeypatch):
    def small(**keys):
        return TrainConfig(**keys, crop_size=64, style_size=64, batch_size=1)

    small.from_dict = TrainConfig.from_dict
    monkeypatch.setattr(training, "TrainConfig", small)  # of the textbook loop, a step of which would take ten seconds
    words = ["--style-image", examples / "sunset.jpg", "--content", examples, "--held-out", examples, "--photos", 1]
    few = ["--minutes", 0.02, "--every", 0.01, "--share", 0.5, "--sizes", 64, "--width", 2, "--recipe", "smoke"]
    done = run_here(training.main, *words, *few, "--out", tmp_path / "curves.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "curves.json").read_text())
    for name, minutes in (("textbook", 0.02), ("ours", 0.01)):
        curve = found["curves"][name]
        assert 1 <= len(curve) <= 2 and curve[-1]["minutes"] >= minutes and curve[0]["steps"] > 0
    assert re.search(r"^batch norm: textbook [\d.]+ after 0.02 minutes; ours is there (after|never)", done.stdout, re.M)


def test_a_curve_passes_a_goal_at_its_first_point_below():
    curve = [{"minutes": m, "batch": {"content": c, "style": 0.1}} for m, c in ((1, 2.0), (2, 1.0), (3, 0.5))]
    assert training.error(curve[0], "batch") == pytest.approx(2.4)
    assert training.passed(curve, "batch", 1.4) == 2 and training.passed(curve, "batch", 0.1) is None


@pytest.mark.slow
def test_stylization_times_every_generator(run_here):
    done = run_here(stylization.main, "--size", 32, "--iterations", 7)
    assert done.returncode == 0, done.stderr
    for name in (*stylization.GENERATORS, "one iteration of Gatys et al.", "7 iterations"):
        assert f"\n{name} " in done.stdout


@pytest.mark.slow
def test_inference_times_every_engine(run_here):
    """Issue 15."""
    done = run_here(inference.main, "--sizes", "96x64", "--widths", 2, "--rounds", 1)
    assert done.returncode == 0, done.stderr
    for name in ("eager", "module", "torch", "GEMM"):
        found = re.search(rf"^\| 2 \| 96x64 \| {name} \| ([\d.]+) \|[\d. ]*\| ([\d.]+) \|", done.stdout, re.M)
        assert found and float(found[1]) >= 0 and float(found[2]) > 0


@pytest.mark.slow
def test_ultra_paints_within_its_limit(run_here, small_pair):
    """Issue 15."""
    few = ["--size", "900x700", "--whole", "300x200", "--limit", "200M", "--style", small_pair]
    done = run_here(ultra.main, *few)
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"differs by at most (\S+)", done.stdout)[1]) < 1e-4
    for engine in (engine for engine in candidates() if engine in TORCH):
        seconds, most = map(int, re.search(rf"^\| {engine} \| (\d+) \| (\d+) \|$", done.stdout, re.M).groups())
        assert seconds > 0 and 200 < most < 2000


@pytest.mark.slow
def test_ultra_compares_quick_pictures_with_exact_ones(run_module, small_pair):
    """Issue 15."""
    done = run_module("benchmarks.ultra", "--size", "1500x1000", "--limit", "400M", "--quick", "--style", small_pair)
    assert done.returncode == 0, done.stderr
    for name in ("exact", "quick"):
        assert all(
            float(value) > 0 for value in re.search(rf"^\| {name} \| (\d+) \| (\d+) \| (\d+) \|$", done.stdout, re.M).groups()
        )
    mean, most = map(float, re.search(r"off by ([\d.]+) of 255 levels in the mean, 99.9% within (\d+)", done.stdout).groups())
    assert 0 < mean < most < 100 and "photo.jpg is quick, off by" in done.stderr


@pytest.mark.slow
def test_inference_measures_memory_in_another_process():
    """A picture of 1 MP takes the torch engine some hundred MiB and eager more (issue 15)."""
    small, large = (inference.memory_of("torch", 4, size) for size in ("64", "1024"))
    assert 0 <= small < 0.5 * large < 500 and large < inference.memory_of("eager", 4, "1024")


@pytest.mark.slow
def test_batch_times_every_loop(run_here, small_pair, tmp_path):
    """Issue 15."""
    few = ["--photos", 2, "--sides", 200, 150, "--size", 64, "--rounds", 1, "--style", small_pair]
    done = run_here(batch.main, *few, "--out", tmp_path / "figures.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "figures.json").read_text())
    assert list(found["pictures_a_second"]) == ["eager", "one by one", "batch"]
    for name, (speed,) in found["pictures_a_second"].items():
        printed = re.search(rf"^\| {name} \| ([\d.]+) \| [\d.]+ \| [\d.]+ \|$", done.stdout, re.M)
        assert speed > 0 and float(printed[1]) == pytest.approx(speed, abs=0.01)


@pytest.mark.parametrize("name", flicker.CLIPS)
def test_what_does_not_flicker_is_measured_as_such(name):
    """Without noise, all that differs from frame to frame is the lamp's brightness (issue 15)."""
    photo = np.random.default_rng(0).integers(0, 200, (512, 600, 3)).astype(float)
    frames = list(flicker.CLIPS[name].frames(photo, 4, 0))
    assert all(not np.array_equal(frames[0], frame) for frame in frames[1:]) == (name != "still")
    found = flicker.mean_flicker(flicker.CLIPS[name], iter(frames))
    assert found > 4 if name == "lamp" else found == 0


def test_noise_flickers_by_its_deviation():
    """The mean of |a - b| of two normal numbers is 2 deviations / sqrt(pi) (issue 15)."""
    clip, photo = flicker.CLIPS["pan"], np.full((512, 600, 3), 120.0)
    assert flicker.mean_flicker(clip, clip.frames(photo, 3, 10)) == pytest.approx(20 / np.pi**0.5, rel=0.01)


@pytest.mark.slow
def test_flicker_measures_every_option(run_here, tmp_path):
    """Issue 15."""
    done = run_here(flicker.main, "--frames", 2, "--out", tmp_path / "flicker.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "flicker.json").read_text())["levels"]
    assert found.keys() == {"the film itself", *flicker.OPTIONS}
    assert found["--still 0.9"]["starry-night"]["still"] < found["nothing"]["starry-night"]["still"]
    for option in flicker.OPTIONS:
        assert re.search(rf"^\| {re.escape(option)} (\| [\d.]+ ){{4}}\|$", done.stdout, re.M)


@pytest.mark.slow
def test_browser_times_the_page_beside_onnxruntime(run_module):
    """Issue 17."""
    pytest.importorskip("onnxruntime")
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    where = ["--ort", os.environ["ORT_WEB"]] if "ORT_WEB" in os.environ else []
    done = run_module("benchmarks.browser", "--sizes", 64, "--rounds", 1, *where)
    if "--ort DIR" in done.stderr:
        without_runtime(done.stderr)
    assert done.returncode == 0, done.stderr
    found = re.search(r"^\| 64 \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", done.stdout, re.M)
    assert found and all(float(value) > 0 for value in found.groups()) and "frames a second" in done.stdout
