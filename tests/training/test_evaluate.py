"""What is measured is kept in the folder that was meant, and nowhere else."""

import pytest

from training import pictures
from training.evaluate import main
from zoo import catalog
from zoo.hub import cache_folder
from zoo.style import style_at

LOSSES = {"content": 1.0, "style": 1.0, "objective": 6.0}
FOUND = {"photo": LOSSES, "instance": LOSSES, "batch": LOSSES, "photos": [], "command": "", "machine": ""}


WORDS = ["--content", "dog.jpg", "--style-image", "sunset.jpg", "--size", "64"]


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """Measuring takes no time."""
    monkeypatch.setattr("training.evaluate.Task", lambda *args: None)
    monkeypatch.setattr("training.evaluate.held_out_record", lambda task: FOUND)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_bundled_style_is_written_to_only_when_it_is_told_by_path(small_pair, examples, tmp_path, monkeypatch, capsys):
    """After a training with --out starry-night, `evaluate starry-night` rewrote the bundled style (issue 13, item 12)."""
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    before = contents(small_pair)
    assert main(["small-pair", *WORDS]) == 0
    out, err = capsys.readouterr()
    assert "whole photos, 64 px" in out and "nothing was written: small-pair is the style bundled" in err
    assert str(small_pair) in err and contents(small_pair) == before
    assert pictures.main(["small-pair", "--photos", str(examples)]) == 2
    assert "give the path of its folder" in capsys.readouterr().err and contents(small_pair) == before
    assert main([str(small_pair), *WORDS]) == 0
    assert style_at(small_pair).held_out.keys() == {"64"} and (small_pair / "README.md").exists()
    assert style_at(small_pair).metrics["weights"].keys() == {"instance", "batch"}


def test_nor_is_one_that_a_link_leads_to(small_pair, tmp_path, monkeypatch, capsys):
    """As links in the folder of local styles may lead to bundled ones, or to what was pulled."""
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    monkeypatch.setenv(catalog.LOCAL_VARIABLE, str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "my-own").symlink_to(small_pair)
    before = contents(small_pair)
    assert main(["my-own", *WORDS]) == 0 and contents(small_pair) == before
    assert f"my-own is the style bundled with the code: give the path of its folder, {small_pair}" in capsys.readouterr().err
    monkeypatch.setattr("huggingface_hub.constants.HF_ASSETS_CACHE", str(tmp_path / "assets"))
    pulled = cache_folder() / "styles" / "me--udnie" / "0123"
    pulled.parent.mkdir(parents=True)
    small_pair.rename(pulled)
    (tmp_path / "mine" / "udnie").symlink_to(pulled)
    for name in ("udnie", str(pulled)):
        before = contents(pulled)
        assert main([name, *WORDS]) == 0 and contents(pulled) == before
        assert "is the Hub's: pull it into a folder first" in capsys.readouterr().err
