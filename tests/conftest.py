"""Shared fixtures: the bundled photos, a small style folder, the page on a local port. Nothing leaves the machine."""

import os
import subprocess
import sys
from pathlib import Path

for _key, _value in {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ[_key] = _value

import pytest  # noqa: E402
import torch  # noqa: E402

import zoo  # noqa: E402
from zoo.folder import twin_folder  # noqa: E402

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "space" / "examples"


@pytest.fixture
def examples() -> Path:
    """The folder of bundled photos."""
    return EXAMPLES


@pytest.fixture
def photo() -> Path:
    """One bundled photo, 512×512 px."""
    return EXAMPLES / "astronaut.jpg"


@pytest.fixture
def small_pair(tmp_path) -> Path:
    """A style folder with both norms, width 2, untrained: for testing files, never for painting."""
    folder = tmp_path / "small-pair"
    for norm in ("instance", "batch"):
        torch.manual_seed(0)
        generator = zoo.create(norm=norm, width=2, residual_blocks=1)
        zoo.save(generator, twin_folder(folder, norm))
    return folder


@pytest.fixture
def run_module():
    """Run `python -m MODULE ARGS...` at the root of the project; returns the completed process."""

    def run(module: str, *args: object, **env: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", module, *map(str, args)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, **env})

    return run


@pytest.fixture(scope="session")
def page():
    """The real page, served on a free local port; its URL."""
    from space import build_demo, launch_options

    demo = build_demo()
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url
    demo.close()
