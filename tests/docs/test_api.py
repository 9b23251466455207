"""docs/API.md: its examples, run as they stand against a running page."""

import json
import re
import shutil
import subprocess
import sys
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image

import zoo
from space.settings import MEANINGS, from_link, to_link
from space.words import GALLERY
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")


def examples_in(language, page):
    found = re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)
    return [each.replace("512", "96").replace("http://127.0.0.1:7860", page.rstrip("/")) for each in found]


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def there(tmp_path, photo, trained_together):
    shutil.copy(photo, tmp_path / "photo.jpg")
    return tmp_path


@pytest.fixture
def check(photo, trained_together):
    """That a file is the photo as the library paints it, with a norm or blended."""

    def check(path, norm="instance"):
        if norm == "blend":
            wanted = zoo.paint(
                zoo.blend({str(trained_together / "morning"): 0.3, str(trained_together / "evening"): 0.7}), photo, 96
            )
        else:
            wanted = zoo.stylize(photo, "starry-night", norm, 96)
        with Image.open(path) as picture:
            assert np.abs(np.asarray(picture, int) - np.asarray(wanted, int)).max() <= (norm == "blend")  # by another engine

    return check


def test_links_are_what_the_page_reads():
    (link,) = re.findall(r"7860/\?(\S+)`", TEXT)
    said = dict(parse_qsl(link))
    settings, wrong = from_link(said, ["udnie"])
    assert not wrong and to_link(settings) == said and set(said) == {"style", *MEANINGS}
    for key, meanings in MEANINGS.items():
        (row,) = re.findall(rf"^\| `{key}` \| (.*)", TEXT, re.M)
        assert len(meanings) > 20 or set(re.findall(r"\w+", row)) >= set(meanings)


@pytest.mark.slow
def test_python(page, there, check):
    (example,) = examples_in("python", page)
    said = run(sys.executable, "-c", example + "\nprint(picture, batch, instance, between, sep='\\n')", cwd=there)
    for path, norm in zip(said.splitlines()[-4:], ("instance", "batch", "instance", "blend"), strict=True):
        check(path, norm)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl(page, there, check):
    asking, operating = examples_in("sh", page)
    run("sh", "-euc", asking, cwd=there)
    check(there / "painted.png")
    check(there / "between.png", "blend")
    ((first, *_),) = json.loads((there / "styles.json").read_text())
    assert first["slug"] == GALLERY[0]
    said = run("sh", "-euc", operating, cwd=there)
    assert zoo.__version__ in said
    for name in re.findall(r"`(\w+_(?:total|length|work|bytes))", TEXT):
        assert f"# HELP {name} " in said


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_javascript(page, there, check):
    (example,) = examples_in("js", page)
    script = (
        example
        + """
const { readFileSync, writeFileSync } = require("fs");
(async () => {
  const photo = new Blob([readFileSync("photo.jpg")]);
  const save = async (name, { url }) => writeFileSync(name, Buffer.from(await (await fetch(url)).arrayBuffer()));
  await save("painted.png", await paintInTheFirstStyle(photo));
  await save("between.png", await blend(photo, { morning: 0.3, evening: 0.7 }));
  await blend(photo, { "no-such-style": 0.5, udnie: 0.5 }).catch((error) => console.log(`${error}`));
})();
"""
    )
    assert "no-such-style" in run("node", "-e", script, cwd=there)
    check(there / "painted.png")
    check(there / "between.png", "blend")
