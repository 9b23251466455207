"""What a run tells while it goes on does not end it: neither photos that are away for a while, nor the memory of measuring."""

import errno
import os
import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.training.runs import command, losses, measurements
from training.running import loop, report
from training.running.checkpoint import load_checkpoint
from training.running.report import or_left_out
from training.train import main
from zoo.errors import PhotoError
from zoo.images import list_photos, open_photo
from zoo.records import read_log


@pytest.fixture
def held_out(examples, tmp_path, lean) -> Path:
    """A folder with one photo that is not trained on."""
    (folder := tmp_path / "held-out").mkdir()
    shutil.copy(examples / "dog.jpg", folder)
    return folder


def words(examples, tmp_path, held_out):
    often = ("--held-out-every", 3, "--preview-every", 3, "--checkpoint-every", 3)
    return command(examples, tmp_path / "out", "--held-out", held_out, *often)


@pytest.mark.slow
def test_photos_that_are_away_for_a_while_end_no_training(trained, examples, held_out, tmp_path, run_here, monkeypatch):
    """Neither those that are measured nor those that are looked at; and batch norm trains on as if nothing had been."""
    shown, photo, train_step = tmp_path / "shown", held_out / "dog.jpg", loop.train_step
    away = shutil.copytree(held_out, shown).with_name("away")
    content = photo.read_bytes()

    def step(*args, seed, **keys):
        if seed in (3, 4):
            photo.write_bytes(b"" if seed == 3 else content)
            os.rename(*((shown, away) if seed == 3 else (away, shown)))
        return train_step(*args, seed=seed, **keys)

    monkeypatch.setattr(loop, "train_step", step)
    done = run_here(main, *words(examples, tmp_path, held_out), "--preview", shown)
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert "step 3: not measured on held-out photos: cannot read dog.jpg" in told
    assert f"step 3: no preview: {shown} is not a folder" in told
    out = tmp_path / "out"
    assert [step for step, _ in measurements(out)] == [0, 6] and losses(out) == losses(trained[0])
    assert sorted(path.stem for path in (out / "run" / "previews").iterdir()) == ["step_000000", "step_000006"]


@pytest.mark.slow
def test_what_could_not_be_measured_is_kept_and_measured_later(trained, examples, held_out, tmp_path, run_here, monkeypatch):
    measure = Mock(side_effect=[{}, RuntimeError("CUDA error: out of memory")])  # at the start, after step 3
    monkeypatch.setattr(report, "measure", measure)
    done = run_here(main, *words(examples, tmp_path, held_out))
    assert done.returncode == 2 and "out of memory in the middle of a run" in done.stderr
    assert load_checkpoint(tmp_path / "out" / "run" / "checkpoints")["step"] == 3
    monkeypatch.undo()
    assert run_here(main, *words(examples, tmp_path, held_out)).returncode == 0
    assert [step for step, _ in measurements(tmp_path / "out")] == [0, 3, 6]
    assert losses(tmp_path / "out") == losses(trained[0])


@pytest.mark.slow
def test_what_was_measured_in_part_is_completed(examples, held_out, tmp_path, run_here, monkeypatch):
    """Of several paintings, and of the identity, each of what is missing, and nothing twice."""
    several = [*words(examples, tmp_path, held_out), "--identity-weight", 10, "--style-image", examples / "sunset.jpg"]
    several.append(examples / "dog.jpg")
    measure = Mock(side_effect=[{}, {}, {}, RuntimeError("CUDA error: out of memory")])  # of the second, after step 3
    monkeypatch.setattr(report, "measure", measure)
    assert run_here(main, *several).returncode == 2
    monkeypatch.undo()
    done = run_here(main, *several)
    assert done.returncode == 0, done.stderr
    log = [r for r in read_log(tmp_path / "out" / "run" / "log.jsonl") if "held_out" in r or "psnr" in r]
    for style in ("sunset", "dog", "identity"):
        assert [r["step"] for r in log if r["style"] == style] == [0, 3, 6]


def test_only_what_cannot_be_read_is_left_out(photo, monkeypatch):
    said = []
    with or_left_out("step 3: no preview", said.append):
        raise PhotoError("no pictures in photos")
    assert said == ["step 3: no preview: no pictures in photos"]
    for error in (OSError(errno.ENOSPC, "No space left on device"), KeyError("a mistake"), RuntimeError("out of memory")):
        with pytest.raises(type(error)), or_left_out("", said.append):
            raise error
    monkeypatch.setattr("PIL.Image.Image.load", Mock(side_effect=MemoryError()))
    with pytest.raises(PhotoError, match="not enough memory"), or_left_out("", said.append):
        open_photo(photo)
    assert len(said) == 1


def test_a_disk_that_fails_while_a_folder_is_listed_is_one_of_photos(examples, monkeypatch):
    monkeypatch.setattr(Path, "rglob", Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    with pytest.raises(PhotoError, match="cannot read the folder .*Input/output error"):
        list_photos(examples)
