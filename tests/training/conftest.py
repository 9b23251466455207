"""One real, tiny training of a pair, made once for all tests that look at it; what makes trainings of tests cheap."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES, ROOT, once
from tests.training.runs import SMALL, command
from training.drawing import style_pictures
from training.measure import held_out, metrics, robustness
from training.paper import experiments
from training.running import export, report
from training.train import main


@contextmanager
def smaller() -> Iterator[None]:
    """Inside, held-out photos and paintings are measured at SMALL px, at whose 256 VGG16 takes longer for two photos than the
    tiny training itself; robustness on photos from 64 px up; the pictures of a style folder and previews are small. The true
    sizes are held in test_held_out.py and test_robustness.py in tests/training/measure, and tests/training/test_pictures.py.
    Not `monkeypatch`, which tests undo.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_out, "PAINTING_SIZE", SMALL)
        for module in (held_out, metrics, report, export, experiments):
            patch.setattr(module, "PHOTO_SIZE", SMALL)
        patch.setattr(robustness, "MARGIN", 16)
        patch.setattr(robustness, "BORDER", 4)
        for module in (report, style_pictures):
            patch.setattr(module, "PREVIEW_SIZE", SMALL)
        patch.setattr(style_pictures, "PICTURE_SIZE", SMALL)
        patch.setattr(style_pictures, "SIZES", (SMALL, SMALL + 8, 2 * SMALL))
        yield


@pytest.fixture
def lean():
    """As `smaller`, and no curves are drawn: for trainings of which neither is looked at."""
    with smaller(), pytest.MonkeyPatch.context() as patch:
        for module in (report, export):
            patch.setattr(module, "loss_curves", lambda *_: None)
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The uninterrupted run: its folder, and what it said on the way."""
    folder = once(tmp_path_factory, "trained", train)
    return folder / "after-sunset", (folder / "said.txt").read_text()


def train(folder: Path) -> None:
    (held_out := folder / "held-out").mkdir(parents=True)
    shutil.copy(EXAMPLES / "dog.jpg", held_out)
    words = command(EXAMPLES, folder / "after-sunset", "--title", "After Sunset", "--show-painting", "--preview-every", 3)
    words += ["--held-out", held_out, "--held-out-every", 6]
    with smaller(), redirect_stderr(io.StringIO()) as said:
        assert main([str(word) for word in words]) == 0, said.getvalue()
    (folder / "said.txt").write_text(said.getvalue())


@pytest.fixture(scope="session")
def two(tmp_path_factory):
    """What two processes found together, on the CPU, see tests/training/two_processes.py: their folder, and what they say."""
    folder = once(tmp_path_factory, "two", launch)
    return folder, json.loads((folder / "found.json").read_text())


def launch(folder: Path) -> None:
    folder.mkdir()
    command = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "tests.training.two_processes", folder]
    env = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=150, env=env)
    assert done.returncode == 0, done.stderr
