"""Two trainings never write into one folder."""

import os
import subprocess
import sys

import pytest

from training.running.lock import only_training
from training.train import main
from zoo.errors import TrainingError


def test_the_second_is_told_who_is_first(tmp_path):
    """Issue 13, item 41."""
    with only_training(tmp_path / "out" / "run"):
        with pytest.raises(TrainingError, match=f"process {os.getpid()} on .* trains into .*out: wait for it"):
            with only_training(tmp_path / "out" / "run"):
                raise AssertionError
        with only_training(tmp_path / "other" / "run"):
            pass
    with only_training(tmp_path / "out" / "run"):
        pass
    assert [path.name for path in (tmp_path / "out" / "run").iterdir()] == ["lock"]


def test_a_training_takes_the_lock(examples, tmp_path, capsys):
    """Issue 13, item 41."""
    words = ["--recipe", "smoke", "--style-image", examples / "dog.jpg", "--content", examples, "--out", tmp_path / "out"]
    with only_training(tmp_path / "out" / "run"):
        assert main([str(word) for word in words]) == 2
    assert "trains into" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out" / "run").iterdir()] == ["lock"]


def test_a_training_that_failed_holds_nothing(tmp_path):
    with pytest.raises(OSError, match="of the training"):
        with only_training(tmp_path):
            raise OSError("of the training")
    with only_training(tmp_path):
        pass


def test_what_a_dead_process_held_is_taken_over(tmp_path):
    """Issue 13, item 41."""
    hold = "import sys, time, filelock\nwith filelock.FileLock(sys.argv[1]):\n print(flush=True)\n time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, tmp_path / "lock"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        (tmp_path / "owner").write_text(f"process {process.pid} on elsewhere\n")
        with pytest.raises(TrainingError, match=f"process {process.pid} on elsewhere"):
            with only_training(tmp_path):
                raise AssertionError
        process.kill()
    with only_training(tmp_path):
        assert (tmp_path / "owner").read_text().startswith(f"process {os.getpid()} on ")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TrainingError, match="cannot write the run folder"):
        with only_training(tmp_path / "file" / "run"):
            raise AssertionError
