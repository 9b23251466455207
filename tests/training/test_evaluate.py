"""What is measured is kept in the folder that was meant, and nowhere else."""

from training import pictures
from training.evaluate import main
from zoo import catalog
from zoo.style import style_at

LOSSES = {"content": 1.0, "style": 1.0, "objective": 6.0}
FOUND = {"photo": LOSSES, "instance": LOSSES, "batch": LOSSES, "photos": [], "command": "", "machine": ""}


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_bundled_style_is_written_to_only_when_it_is_told_by_path(small_pair, examples, tmp_path, monkeypatch, capsys):
    """After a training with --out starry-night, `evaluate starry-night` rewrote the bundled style (issue 13, item 12)."""
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    monkeypatch.setattr("training.evaluate.Task", lambda *args: None)
    monkeypatch.setattr("training.evaluate.held_out_record", lambda task: FOUND)
    words, before = ["--content", "dog.jpg", "--style-image", "sunset.jpg", "--size", "64"], contents(small_pair)
    assert main(["small-pair", *words]) == 0
    out, err = capsys.readouterr()
    assert "whole photos, 64 px" in out and "nothing was written: small-pair is the style bundled" in err
    assert str(small_pair) in err and contents(small_pair) == before
    assert pictures.main(["small-pair", "--photos", str(examples)]) == 2
    assert "give the path of its folder" in capsys.readouterr().err and contents(small_pair) == before
    assert main([str(small_pair), *words]) == 0
    assert style_at(small_pair).held_out.keys() == {"64"} and (small_pair / "README.md").exists()
    assert style_at(small_pair).metrics["weights"].keys() == {"instance", "batch"}
