"""One real, tiny training of a pair, made once for all tests that look at it."""

import shutil
import subprocess
import sys

import pytest

from tests.conftest import EXAMPLES, ROOT
from tests.training.runs import command


@pytest.fixture(scope="session")
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
