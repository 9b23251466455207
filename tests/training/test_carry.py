"""A run that is packed on one machine goes on, on another, nearly as if it had never been moved."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from tests.training.runs import command
from training.carry import main
from training.train import main as train


def carry(*words):
    return main([str(word) for word in words])


@pytest.mark.slow
def test_a_carried_run_ends_near_to_the_one_left_alone(trained, examples, tmp_path, capsys):
    there, carried, here = tmp_path / "there" / "it", tmp_path / "carried", tmp_path / "here" / "it"
    muon = ["--optimizer", "muon", "--averaging", 0.5, "--preview-every", 99]
    assert train([str(word) for word in command(examples, there, *muon, "--stop-at", 4)]) == 0
    assert carry("pack", there, carried) == 0
    whole = sum(path.stat().st_size for path in (there / "run" / "checkpoints").iterdir())
    assert sum(path.stat().st_size for path in carried.iterdir() if path.suffix != ".jsonl") < whole / 3
    assert carry("unpack", carried, here) == 0 and "after step 4" in capsys.readouterr().out
    for out in (there, here):
        assert train([str(word) for word in command(examples, out, *muon)]) == 0
    assert capsys.readouterr().out.count("resuming after step 4 of 6") == 2
    for twin in (".", "batch"):
        a, b = (load_file(out / twin / "model.safetensors") for out in (there, here))
        for key in a:
            torch.testing.assert_close(a[key].float(), b[key].float(), rtol=0.1, atol=0.1)
    logs = [
        [json.loads(line)["step"] for line in (out / "run" / "log.jsonl").read_text().splitlines()] for out in (there, here)
    ]
    assert logs[0] == logs[1]


def test_mistakes(tmp_path, capsys):
    assert carry("pack", tmp_path, tmp_path / "carried") == 2 and "no checkpoint" in capsys.readouterr().err
    assert carry("unpack", tmp_path, tmp_path / "here") == 2 and "no run that was packed" in capsys.readouterr().err
    (tmp_path / "state.json").write_text("{}")
    assert carry("unpack", tmp_path, tmp_path / "here") == 2 and "no run that was packed" in capsys.readouterr().err
    (tmp_path / "run").mkdir()
    assert carry("unpack", tmp_path, tmp_path) == 2 and "holds a run already" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "run")
