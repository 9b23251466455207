"""The benchmarks run and print their tables (issue 13, item 16)."""

import importlib
import json
import os
import re
import sys

import pytest

from benchmarks import inference, steps, stylization, training
from benchmarks.steps import VARIANTS
from tests.browser.conftest import CHROMIUM


@pytest.mark.parametrize("command", [inference, steps, stylization, training])
def test_they_load_where_there_is_no_resource(command, monkeypatch):
    """As on Windows."""
    monkeypatch.setitem(sys.modules, "resource", None)
    importlib.reload(command)


@pytest.mark.slow
def test_steps_measures_speed_and_memory_of_every_variant(run_module):
    done = run_module("benchmarks.steps", "--crop-size", 32, "--batch-size", 1, "--width", 2, "--steps", 1, "--rounds", 1)
    assert done.returncode == 0, done.stderr
    for variant in VARIANTS:
        speed, ratio, peak, share = map(float, re.search(rf"^{variant} +(.+)$", done.stdout, re.M)[1].split())
        assert speed > 0 and ratio > 0 and 100 < peak < 10_000 and 0.1 < share < 10


@pytest.mark.slow
def test_training_draws_both_curves(run_module, examples, tmp_path):
    words = ["--style-image", examples / "sunset.jpg", "--content", examples, "--held-out", examples, "--photos", 1]
    few = ["--minutes", 0.02, "--every", 0.01, "--share", 0.5, "--sizes", 64, "--width", 2, "--recipe", "smoke"]
    done = run_module("benchmarks.training", *words, *few, "--out", tmp_path / "curves.json")
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
def test_stylization_times_every_generator(run_module):
    done = run_module("benchmarks.stylization", "--size", 32, "--iterations", 7)
    assert done.returncode == 0, done.stderr
    for name in (*stylization.GENERATORS, "one iteration of Gatys et al.", "7 iterations"):
        assert f"\n{name} " in done.stdout


@pytest.mark.slow
def test_inference_times_every_engine(run_module):
    """Issue 15."""
    done = run_module("benchmarks.inference", "--sizes", 64, "--widths", 2, "--rounds", 1)
    assert done.returncode == 0, done.stderr
    for name in ("eager", "module", "torch engine"):
        found = re.search(rf"^\| 2 \| 64 \| {name} \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \|$", done.stdout, re.M)
        assert found and float(found[1]) > 0 and float(found[2]) > 0


@pytest.mark.slow
def test_browser_times_the_page_beside_onnxruntime(run_module):
    """Issue 17."""
    pytest.importorskip("onnxruntime")
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    where = ["--ort", os.environ["ORT_WEB"]] if "ORT_WEB" in os.environ else []
    done = run_module("benchmarks.browser", "--sizes", 64, "--rounds", 1, *where)
    if "--ort DIR" in done.stderr and not os.environ.get("REQUIRE_BROWSER"):
        pytest.skip("there is no onnxruntime-web: ORT_WEB=DIR")
    assert done.returncode == 0, done.stderr
    found = re.search(r"^\| 64 \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", done.stdout, re.M)
    assert found and all(float(value) > 0 for value in found.groups()) and "frames a second" in done.stdout
