"""The distribution: what `pip install` brings runs by itself, in an environment that has never seen the repository."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.util import find_spec

import pytest

from tests.conftest import ROOT
from tests.test_repository import tracked

NEEDED = ("build", "pip", "setuptools", "twine")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not all(map(find_spec, NEEDED)), reason=f"builds by this environment's {', '.join(NEEDED)}"),
]


def run(*command, cwd):
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the source distribution of what git tracks, both built without the network."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in tracked():
        if path.relative_to(ROOT).parts[0] not in ("docs", "tests"):
            (source / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            (source / path.relative_to(ROOT)).write_bytes(path.read_bytes())
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, cwd=source)
    assert "FAILED" not in run(sys.executable, "-m", "twine", "check", "--strict", *target.iterdir(), cwd=source)
    (built,) = target.glob("*.whl")
    assert built.stat().st_size < 48 * 2**20
    return built


def test_the_wheel_holds_everything_that_the_packages_hold(wheel):
    """(issue 13, item 29)"""
    with zipfile.ZipFile(wheel) as file:
        held = {name for name in file.namelist() if ".dist-info/" not in name}
        (metadata,) = (file.read(name).decode() for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        licences = {name.split("/licenses/")[1] for name in file.namelist() if "/licenses/" in name}
    packages = {path.relative_to(ROOT).as_posix() for path in tracked()}
    assert held == {name for name in packages if name == "app.py" or name.split("/")[0] in ("space", "training", "zoo")}
    assert licences == {"LICENSE", "NOTICE", "LICENSES/GPL-3.0.txt"}
    needed = {line.split(">=")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalpha()}
    listed = {
        line.split(": ")[1].split("<")[0]
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    }
    assert listed == needed and {"torch", "gradio"} <= needed and "pytest" not in needed


def test_what_is_installed_lists_paints_and_says_how_to_train(wheel, photo, tmp_path):
    """Offline, far from the repository, by either name of the command. (issue 13, item 29)"""
    venv.create(tmp_path / "env", with_pip=False)
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "-q",
        "--no-compile",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=tmp_path,
    )
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    with open(os.path.join(site, "libraries.pth"), "w") as file:
        file.write(sysconfig.get_path("purelib"))  # after the distribution's own place
    page = "import zoo, app; print(zoo.__file__, 'pages', len(app.demo.blocks))"
    place, *pages = run(python, "-c", page, cwd=tmp_path).split()
    assert place.startswith(site) and pages[0] == "pages"
    assert "starry-night" in run(scripts / "missing-ingredient", "list", cwd=tmp_path)
    assert "starry-night" in run(python, "-m", "zoo", "list", cwd=tmp_path)
    run(scripts / "missing-ingredient", "stylize", photo, "-s", "udnie", "-o", "a.png", "--size", 64, cwd=tmp_path)
    assert (tmp_path / "a.png").is_file()
    assert "--style-image" in run(scripts / "missing-ingredient", "train", "--help", cwd=tmp_path)
    assert "--port" in run(scripts / "missing-ingredient", "demo", "--help", cwd=tmp_path)
    assert "training.train" in run(scripts / "missing-ingredient", "--help", cwd=tmp_path)
