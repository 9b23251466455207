"""Curves of runs: minutes by the median pace, and nothing is drawn where nothing was measured."""

import json

import pytest

from tests.conftest import size_of
from training.curves import main
from training.drawing.curves import read_curve


@pytest.fixture
def run(tmp_path):
    """Ten steps of 30 s, one of which took an hour, as something else ran."""
    folder = tmp_path / "some-run"
    (folder / "run").mkdir(parents=True)
    seconds, lines = 0.0, []
    for step in range(1, 11):
        seconds += 3600 if step == 4 else 30
        lines.append({"step": step, "style": "a", "instance": {"total": 1.0}, "seconds": seconds})
        if step % 5 == 0:
            lines.append({"step": step, "style": "a", "held_out": {"instance": {"objective": 100.0 / step}}})
    (folder / "run" / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_minutes_are_steps_at_the_median_pace(run):
    assert read_curve(run) == [(5, 2.5, 20.0), (10, 5.0, 10.0)]


def test_the_picture_and_the_table(run, tmp_path, capsys):
    assert main([str(run), "--labels", "mine", "--out", str(tmp_path / "curves.png")]) == 0
    assert "step    10    5.0 min            10" in capsys.readouterr().out
    assert size_of(tmp_path / "curves.png")[0] > 500


def test_mistakes(run, tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path / "x.png")]) == 2
    assert "--held-out" in capsys.readouterr().err
    assert main([str(run), str(run), "--out", str(tmp_path / "x.png")]) == 2
    assert "label" in capsys.readouterr().err
