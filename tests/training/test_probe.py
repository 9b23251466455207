"""The probe: a grid of short runs as one sheet, and the commands that continue its cells."""

import shlex

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.conftest import size_of
from training.drawing.sheet import MARGIN
from training.probe import main
from training.running.grid import CELL
from training.train import make_parser


def probe(examples, out, *more):
    painting = examples / "sunset.jpg"
    words = ["--recipe", "smoke", "--steps", 2, "--style-image", painting, "--content", examples, "--out", out, *more]
    return main([str(word) for word in words])


@pytest.mark.slow
def test_the_sheet_and_its_commands(examples, tmp_path, capsys):
    assert probe(examples, tmp_path, "--weights", 1, 9, "--sizes", 64) == 0
    assert size_of(tmp_path / "probe.jpg")[0] == 3 * CELL + 4 * MARGIN
    lines = (tmp_path / "probe.txt").read_text().splitlines()
    assert len(lines) == 2
    for line, weight in zip(lines, (1.0, 9.0), strict=True):
        args = make_parser().parse_args(shlex.split(line)[3:])
        assert (args.style_weight, args.style_size, args.pair) == (weight, 64, True)
    before = [p.stat().st_mtime_ns for p in sorted(tmp_path.glob("*/model.safetensors"))]
    assert len(before) == 2 and probe(examples, tmp_path, "--weights", 1, 9, "--sizes", 64) == 0
    assert [p.stat().st_mtime_ns for p in sorted(tmp_path.glob("*/model.safetensors"))] == before


@pytest.mark.slow
def test_cells_may_begin_from_a_trained_style(examples, tmp_path):
    assert probe(examples, tmp_path, "--weights", 1, "--sizes", 64, "--from", "great-wave", "--steps", 1) == 0
    line = (tmp_path / "probe.txt").read_text()
    args = make_parser().parse_args(shlex.split(line)[3:])
    assert args.start == ["great-wave"]
    (cell,) = tmp_path.glob("weight-*/model.safetensors")
    photo = Image.open(examples / "dog.jpg").resize((96, 96))
    painted, began = (np.asarray(zoo.stylize(photo, style), dtype=float) for style in (cell.parent, "great-wave"))
    assert 0 < np.abs(painted - began).mean() < 5  # one step of a rate that warms up


@pytest.mark.slow
def test_cells_of_another_painting_are_not_shown_as_new(examples, tmp_path, capsys):
    assert probe(examples, tmp_path, "--weights", 1, "--sizes", 64, "--steps", 1) == 0
    sheet = (tmp_path / "probe.jpg").read_bytes()
    for change in (["--style-image", examples / "dog.jpg"], ["--auto"]):
        assert probe(examples, tmp_path, "--weights", 1, "--sizes", 64, "--steps", 1, *change) == 2
        assert "another --out" in capsys.readouterr().err
    assert (tmp_path / "probe.jpg").read_bytes() == sheet
    assert probe(examples, tmp_path / "tiles", "--recipe", "texture", "--steps", 1) == 2
    assert "paints no photo" in capsys.readouterr().err


def test_mistakes(examples, tmp_path, capsys):
    assert probe(examples, tmp_path, "--weights", -1) == 2
    assert "--weights must be above 0" in capsys.readouterr().err
