"""The figures are drawn from what is committed, by one command."""

import json

import pytest
from PIL import Image

from training import figures
from training.paper import figures as paper
from training.paper import records
from zoo.errors import TrainingError


@pytest.mark.slow
def test_every_figure_is_drawn_again_from_what_is_committed(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("a picture of the slow method is missing in docs/experiments/gatys")

    monkeypatch.setattr(records, "optimise_pixels", never)
    assert figures.main(["--all", "-o", str(tmp_path)]) == 0
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {path.name for path in paper.FIGURES.iterdir()} and len(drawn) >= len(paper.DRAWN)
    for path in tmp_path.iterdir():
        with Image.open(path) as image, Image.open(paper.FIGURES / path.name) as committed:
            assert image.size == committed.size
            assert len(image.convert("RGB").quantize(16).getcolors()) > 4  # not blank


def test_history_reads_what_an_experiment_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    records.experiment.cache_clear()
    history = [{"step": s, "instance": {"objective": 1000.0 * o}} for s, o in ((0, 9), (100, 4))]
    (tmp_path / "mine.json").write_text(json.dumps({"history": history}))
    assert records.history("mine", "instance") == ([100], [4])
    with pytest.raises(TrainingError, match="training.experiments"):
        records.experiment("absent")


def test_what_is_no_figure_is_named(capsys):
    assert figures.main(["nothing"]) == 2
    assert "choose from" in capsys.readouterr().err
    assert figures.main([]) == 2
    assert "--all" in capsys.readouterr().err
