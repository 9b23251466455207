"""Shared fixtures: the bundled photos, a small style folder, the page on a local port. Nothing leaves the machine."""

import builtins
import errno
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

for _key, _value in {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_XET": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "ORT_DISABLE_TELEMETRY": "1",  # for the tests that import onnxruntime themselves
    "MISSING_INGREDIENT_ENGINE": "torch",  # the same pictures on every machine
    # No test talks to anyone by TLS. A list of all authorities takes each HTTP client 30 to 100 ms to load; this is none.
    "SSL_CERT_DIR": str(Path(__file__).parent),
}.items():
    os.environ[_key] = _value
os.environ.pop("SSL_CERT_FILE", None)

import pytest  # noqa: E402
import torch  # noqa: E402
from filelock import FileLock  # noqa: E402
from PIL import Image  # noqa: E402

import zoo  # noqa: E402
from zoo.folder import twin_folder  # noqa: E402
from zoo.layers import norm_parameters  # noqa: E402

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "space" / "examples"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is tested over HTTP."""
    for item in items:
        if {"hub", "page"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("served")


@pytest.fixture
def examples() -> Path:
    """The folder of bundled photos."""
    return EXAMPLES


@pytest.fixture
def photo() -> Path:
    """One bundled photo, 512×512 px."""
    return EXAMPLES / "astronaut.jpg"


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture file, which is closed again."""
    with Image.open(path) as image:
        return image.size


@pytest.fixture
def small_pair(tmp_path) -> Path:
    """A style folder with both norms, width 2, untrained: for testing files, never for painting."""
    return make_pair(tmp_path / "small-pair")


def make_pair(folder: Path) -> Path:
    """The same, wherever it is wanted."""
    for norm in ("instance", "batch"):
        torch.manual_seed(0)
        generator = zoo.create(norm=norm, width=2, residual_blocks=1)
        zoo.save(generator, twin_folder(folder, norm))
    return folder


@pytest.fixture
def trained_together(tmp_path, monkeypatch) -> Path:
    """A folder of two local styles, "morning" and "evening", that differ in their norms alone, as those of one training do."""
    torch.manual_seed(0)
    generator = zoo.create(width=2, residual_blocks=1)
    zoo.save(generator, tmp_path / "styles" / "morning")
    for key in norm_parameters(generator):
        generator.state_dict()[key].add_(0.5)
    zoo.save(generator, tmp_path / "styles" / "evening")
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path / "styles"))
    return tmp_path / "styles"


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills at its first use, for all processes that run these tests together."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / name
    with FileLock(root / f"{name}.lock"):
        if not folder.exists():
            make(partial := root / f"{name}.part")
            partial.rename(folder)
    return folder


@pytest.fixture
def forbidden(monkeypatch):
    """Call it with a path that may not be read from then on, nor anything in it: also by root, who may read everything."""
    places = []

    def wrap(function, file_like):
        def guarded(path, *args, **options):
            if isinstance(path, (str, bytes, os.PathLike)):
                where = Path(os.fsdecode(path)).absolute()
                if any(place in where.parents or (file_like and place == where) for place in places):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return function(path, *args, **options)

        return guarded

    monkeypatch.setattr(os, "stat", wrap(os.stat, False))
    for module, name in ((os, "scandir"), (os, "listdir"), (os, "open"), (builtins, "open"), (io, "open")):
        monkeypatch.setattr(module, name, wrap(getattr(module, name), True))
    return places.append


@pytest.fixture
def run_module():
    """Run `python -m MODULE ARGS...` at the root of the project; returns the completed process."""

    def run(module: str, *args: object, **env: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", module, *map(str, args)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, **env})

    return run


@pytest.fixture
def run_here(capsys):
    """Run a command's `main` with ARGS... in this process, which has imported everything; returns what `run_module` does."""

    def run(main: Callable[[list[str]], int], *args: object) -> subprocess.CompletedProcess:
        words = [str(arg) for arg in args]
        capsys.readouterr()
        code = main(words)
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    return run


def free_port() -> int:
    """A port that nobody listens at. Gradio looks for one from 7860 on, where tests in another process look, too."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def served() -> Iterator[str]:
    """The real page, served on a free local port; its URL."""
    from space import build_demo, launch_options

    demo = build_demo()
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_port=free_port(), **launch_options())
    yield url
    demo.close()


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch, request):
    """No test is shown what was painted in another, but for the wall in a browser, as every visit would paint twelve tiles."""
    if (actions := sys.modules.get("space.actions")) is not None:
        monkeypatch.setattr(actions, "_kept", actions.Kept())
        if "tab" not in request.fixturenames:
            monkeypatch.setattr(actions, "_walls", actions.Kept())


@pytest.fixture(scope="session")
def page():
    """One page for all tests that only look at it."""
    with served() as url:
        yield url


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub on this machine, which the Hub's client asks for the time of a test; a cache of its own, and no login."""
    import huggingface_hub.constants as constants
    from huggingface_hub.utils import close_session

    from tests.hub.server import Fault, LocalHub

    server = LocalHub()
    close_session()  # no connection of the test before
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_URL_HOSTS", constants.HF_URL_HOSTS | {"127.0.0.1"})  # as if HF_ENDPOINT was set at start
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "assets"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("zoo.hub.waiting.PAUSES", (0.01, 0.03))  # nothing here takes that long to recover
    monkeypatch.setattr("zoo.hub.client._for_strangers", False)  # whatever page was built before
    yield server
    close_session()
    # Downloads that a test gave up try again from their own threads. Refused, they would close the connections that the next
    # test shares with them; told that there is no such thing, they end.
    server.faults[:] = [Fault("", 404)]


@pytest.fixture
def logged_in(monkeypatch):
    """As the account that the local Hub knows."""
    from tests.hub.server import TOKEN

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return TOKEN


@pytest.fixture
def painted_pair(small_pair) -> Path:
    """The small pair with a recipe that says what its painting is, as publishing wants it."""
    recipe = (ROOT / "zoo" / "styles" / "starry-night" / "recipe.yaml").read_text(encoding="utf-8")
    (small_pair / "recipe.yaml").write_text(recipe, encoding="utf-8")
    return small_pair


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Trainings on a page that take seconds, in a folder of the test's own; whatever is under way in the end is ended."""
    from space.train import job

    small = ("--crop-size", "64", "--style-size", "64", "--batch-size", "1", "--detail-crop", "0", "--device", "cpu")
    often = ("--preview-every", "2", "--checkpoint-every", "2", "--log-every", "1", "--export-stopped")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", "")
    monkeypatch.setattr(job, "RECIPE", (*job.RECIPE, *small))
    monkeypatch.setattr(job, "OFTEN", often)
    made, start = [], job.Trainer.start

    def remembered(self, who, order):
        made.append(start(self, who, order))
        return made[-1]

    monkeypatch.setattr(job.Trainer, "start", remembered)
    yield tmp_path
    for one in made:
        one.process.kill()
        one.process.wait()
