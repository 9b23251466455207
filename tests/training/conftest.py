"""One real, tiny training of a pair, made once for all tests that look at it."""

import io
import shutil
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES, once
from tests.training.runs import command
from training.train import main


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
    with redirect_stderr(io.StringIO()) as said:
        assert main([str(word) for word in words]) == 0, said.getvalue()
    (folder / "said.txt").write_text(said.getvalue())
