"""One real, tiny training of a pair, made once for all tests that look at it."""

import io
import shutil
from contextlib import redirect_stderr

import pytest

from tests.conftest import EXAMPLES
from tests.training.runs import command
from training.train import main


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The uninterrupted run."""
    out, held_out = tmp_path_factory.mktemp("trained") / "after-sunset", tmp_path_factory.mktemp("held-out")
    shutil.copy(EXAMPLES / "dog.jpg", held_out)
    words = command(EXAMPLES, out, "--title", "After Sunset", "--show-painting", "--preview-every", 3)
    words += ["--held-out", held_out, "--held-out-every", 6]
    with redirect_stderr(io.StringIO()) as stderr:
        assert main([str(word) for word in words]) == 0, stderr.getvalue()
    return out, stderr.getvalue()
