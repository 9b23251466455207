"""What the page in a browser is built from, small."""

from pathlib import Path

import pytest

from space.browser.runtime import NAMES
from tests.conftest import make_pair


@pytest.fixture(scope="session")
def pair(tmp_path_factory) -> Path:
    """The small pair, for tests that only read it."""
    return make_pair(tmp_path_factory.mktemp("styles") / "small-pair")


@pytest.fixture(scope="session")
def ort(tmp_path_factory) -> Path:
    """A folder that looks as npm's package does."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "dist").mkdir()
    for name in NAMES:
        (folder / "dist" / name).write_text(f"// {name}")
    return folder
