"""Other runtimes: the same pictures; where they are missing, or cannot, torch paints or an error says how to get them."""

import importlib.util
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.zoo.engine.test_torch_engine import noise, random_generator
from zoo.engine import runtimes
from zoo.engine.painting import Manner, paint_fast, paint_plainly
from zoo.errors import ConfigError
from zoo.memory import VARIABLE

NAMES = list(runtimes.RUNTIMES)


def needs(name):
    """Not importorskip: what is imported so reports to its makers."""
    if not runtimes.is_there(name):
        pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("name", NAMES)
def test_it_paints_as_the_module_does_from_several_threads(name):
    """Issue 15."""
    needs(name)
    generator, photos = random_generator(width=2, residual_blocks=1), [noise(47, 64), noise(64, 33)]
    found = {}

    def paint(i):
        found[i] = paint_fast(generator, photos[i % 2], Manner(name))

    threads = [threading.Thread(target=paint, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, one in found.items():
        wanted = paint_plainly(generator, photos[i % 2]).image
        assert one.engine == name and np.abs(np.subtract(one.image, wanted, dtype=int)).max() <= 1
    assert len(found) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_it_cannot_do_torch_does(name, monkeypatch):
    needs(name)
    assert paint_fast(random_generator(architecture="texture", width=1), noise(64, 64), Manner(name)).engine == "torch"
    monkeypatch.setenv(VARIABLE, "120M")  # less than all of the picture at once would take
    assert paint_fast(random_generator(width=2), noise(1200, 1200), Manner(name)).engine == "torch"


@pytest.mark.slow
def test_openvino_keeps_no_identifier_and_reports_nothing(tmp_path):
    """Its import does both, but on a CI service."""
    needs("openvino")
    code = """
import sys, zoo
from zoo.engine.openvino_engine import OpenVinoEngine

OpenVinoEngine(zoo.create(width=2, residual_blocks=1).eval())
print(any(name.startswith("openvino_telemetry.") for name in sys.modules))
"""
    env = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD", "JENKINS_URL")}
    command, env = [sys.executable, "-c", code], {**env, "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "False\n", done.stderr
    assert not list(tmp_path.iterdir())


def test_one_that_is_missing_is_told_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'missing-ingredient\[fast\]'"):
        paint_fast(random_generator(width=2), noise(64, 64), Manner("openvino"))
