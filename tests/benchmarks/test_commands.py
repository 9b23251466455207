"""The benchmarks run and print their tables (issue 13, item 16)."""

import importlib
import re
import sys

import pytest

from benchmarks import stylization, training
from benchmarks.training import VARIANTS


@pytest.mark.parametrize("command", [training, stylization])
def test_they_load_where_there_is_no_resource(command, monkeypatch):
    """As on Windows."""
    monkeypatch.setitem(sys.modules, "resource", None)
    importlib.reload(command)


@pytest.mark.slow
def test_training_measures_speed_and_memory_of_every_variant(run_module):
    done = run_module("benchmarks.training", "--crop-size", 32, "--batch-size", 1, "--width", 2, "--steps", 1, "--rounds", 1)
    assert done.returncode == 0, done.stderr
    for variant in VARIANTS:
        speed, ratio, peak, share = map(float, re.search(rf"^{variant} +(.+)$", done.stdout, re.M)[1].split())
        assert speed > 0 and ratio > 0 and 100 < peak < 10_000 and 0.1 < share < 10


@pytest.mark.slow
def test_stylization_times_every_generator(run_module):
    done = run_module("benchmarks.stylization", "--size", 32, "--iterations", 7)
    assert done.returncode == 0, done.stderr
    for name in (*stylization.GENERATORS, "one iteration of Gatys et al.", "7 iterations"):
        assert f"\n{name} " in done.stdout
