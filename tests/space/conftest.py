"""What the page in a browser is built from, small."""

import itertools
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


NUMBERS = itertools.count(1)


@pytest.fixture
def two_visitors(monkeypatch):
    """Headers of two visitors of a Space, as its proxies send them; others in each test, as what one asked for ends later."""
    monkeypatch.setenv("SPACE_ID", "alice/demo")
    return [{"x-forwarded-for": f"10.1.2.3, {a}.8.8.{next(NUMBERS)}, 10.0.0.1"} for a in (8, 9)]
