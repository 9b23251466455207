"""Peak memory is in MiB on every system (issue 13, item 16)."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.memory import peak_memory
from tests.conftest import ROOT


def test_it_is_the_peak_of_this_process_alone():
    """Not what it holds now, and not what the process that started it held."""
    code = """
from benchmarks.memory import peak_memory
before = peak_memory()
block = bytearray(64 << 20)
del block
print(before, peak_memory())
"""
    ballast = b"x" * (96 << 20)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before < len(ballast) / 2**20 and after - before == pytest.approx(64, abs=8)


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("freebsd14", 2**10)])
def test_where_there_is_no_proc_the_unit_is_the_systems(monkeypatch, platform, unit):
    usage = SimpleNamespace(ru_maxrss=300 * 2**20 // unit)
    monkeypatch.setitem(sys.modules, "resource", SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda _: usage))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    assert peak_memory() == 300


def test_windows_has_no_resource(monkeypatch):
    process = SimpleNamespace(memory_info=lambda: SimpleNamespace(peak_wset=300 * 2**20))
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setitem(sys.modules, "psutil", SimpleNamespace(Process=lambda: process))
    monkeypatch.setattr(sys, "platform", "win32")
    assert peak_memory() == 300
