"""docs/train_your_style.ipynb: run from top to bottom, offline, at a tiny size."""

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from zoo.images import fit_long_side, open_photo, save_picture

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
NOTEBOOK = ROOT / "docs" / "train_your_style.ipynb"
TINY = """
RECIPE, STEPS = ["--recipe", "smoke"], 4
PHOTOS = EXAMPLES = __import__("pathlib").Path("photos").resolve()
"""
EXECUTE = """
import nbclient, nbformat
notebook = nbformat.read("tiny.ipynb", as_version=4)
nbclient.NotebookClient(notebook, timeout=120).execute()
nbformat.write(notebook, "tiny.ipynb")
"""


@pytest.mark.slow
def test_it_trains_shows_and_paints(tmp_path, monkeypatch, examples):
    for name in ("raccoon.jpg", "astronaut.jpg"):
        save_picture(fit_long_side(open_photo(examples / name), 96), tmp_path / "photos" / name)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (place,) = (i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(TINY))
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    # In a process of its own: beside the event loops and threads of hundreds of tests, it once waited five minutes for nothing.
    done = subprocess.run([sys.executable, "-c", EXECUTE], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(tmp_path / "tiny.ipynb", as_version=4)
    training, sheet, painting = (
        next(cell for cell in notebook.cells if cell.cell_type == "code" and word in cell.source)
        for word in ("def train", "contact_sheet([row(contrast) for", "painted.png")
    )
    assert "image/jpeg" in str(training.outputs) and all("image/png" in str(cell.outputs) for cell in (sheet, painting))
    assert (tmp_path / "painted.png").is_file() and (tmp_path / "my-style" / "batch" / "model.safetensors").is_file()


def test_every_cell_is_explained_and_the_address_is_that_of_the_project():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(cells[i - 1].cell_type == "markdown" for i, cell in enumerate(cells) if cell.cell_type == "code")
    (address,) = re.findall(r'REPOSITORY = (".*")', "\n".join(cell.source for cell in cells))
    assert f"\nRepository = {address}\n" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
