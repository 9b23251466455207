"""docs/API.md: its examples, run as they stand against a running page."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")


def example(language, page):
    (found,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)
    return found.replace("http://127.0.0.1:7860", page.rstrip("/")).replace("512", "96")


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def there(tmp_path, photo):
    shutil.copy(photo, tmp_path / "photo.jpg")
    return tmp_path


@pytest.fixture
def check(photo):
    """That a file is the photo as the library paints it."""

    def check(path, norm="instance"):
        with Image.open(path) as picture:
            assert np.array_equal(np.asarray(picture), np.asarray(zoo.stylize(photo, "starry-night", norm, 96)))

    return check


@pytest.mark.slow
def test_python(page, there, check):
    said = run(sys.executable, "-c", example("python", page) + "\nprint(picture, batch, instance, sep='\\n')", cwd=there)
    for path, norm in zip(said.splitlines()[-3:], ("instance", "batch", "instance"), strict=True):
        check(path, norm)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl(page, there, check):
    run("sh", "-euc", example("sh", page), cwd=there)
    check(there / "painted.png")


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_javascript(page, there, check):
    script = (
        example("js", page)
        + """
const { readFileSync, writeFileSync } = require("fs");
(async () => {
  const url = await stylize(new Blob([readFileSync("photo.jpg")]), "starry-night", "instance", 96);
  writeFileSync("painted.png", Buffer.from(await (await fetch(url)).arrayBuffer()));
  await stylize(new Blob([readFileSync("photo.jpg")]), "no-such-style", "batch", 96).catch((error) => console.log(`${error}`));
})();
"""
    )
    assert "no-such-style" in run("node", "-e", script, cwd=there)
    check(there / "painted.png")
