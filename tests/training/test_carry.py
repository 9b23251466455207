"""A run that is packed on one machine goes on, on another, nearly as if it had never been moved."""

import shutil

import pytest
import torch

from tests.training.runs import command, losses
from training.carry import main
from training.running.checkpoint import load_checkpoint
from training.train import main as train


def carry(*words):
    return main([str(word) for word in words])


def leaves(value, name=""):
    """{"/instance/guard/factor": 1.0, ...} of everything in a checkpoint."""
    if isinstance(value, dict):
        return {path: leaf for key, each in value.items() for path, leaf in leaves(each, f"{name}/{key}").items()}
    if isinstance(value, (list, tuple)):
        return {path: leaf for i, each in enumerate(value) for path, leaf in leaves(each, f"{name}/{i}").items()}
    return {name: value}


@pytest.mark.slow
def test_a_carried_run_goes_on_from_where_it_was(trained, examples, tmp_path, capsys):
    there, carried, here = tmp_path / "there" / "it", tmp_path / "carried", tmp_path / "here" / "it"
    muon = ["--optimizer", "muon", "--averaging", 0.5, "--preview-every", 99]
    assert train([str(word) for word in command(examples, there, *muon, "--stop-at", 4)]) == 0
    assert carry("pack", there, carried) == 0
    whole = sum(path.stat().st_size for path in (there / "run" / "checkpoints").iterdir())
    assert (carried / "state.safetensors").stat().st_size < whole / 2
    assert carry("unpack", carried, here) == 0 and "after step 4" in capsys.readouterr().out
    left_alone, moved = (load_checkpoint(out / "run" / "checkpoints") for out in (there, here))
    assert leaves(left_alone).keys() == leaves(moved).keys()  # the optimisers' memory, too: a step without it is a jump
    for key, value in leaves(left_alone).items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(leaves(moved)[key], value, rtol=8e-3, atol=1e-6, msg=key)
        else:
            assert leaves(moved)[key] == value, key
    for out in (there, here):
        assert train([str(word) for word in command(examples, out, *muon)]) == 0
    assert capsys.readouterr().out.count("resuming after step 4 of 6") == 2
    assert [step for step, *_ in losses(there)] == [step for step, *_ in losses(here)]


def test_mistakes(tmp_path, capsys):
    assert carry("pack", tmp_path, tmp_path / "carried") == 2 and "no checkpoint" in capsys.readouterr().err
    assert carry("unpack", tmp_path, tmp_path / "here") == 2 and "no run that was packed" in capsys.readouterr().err
    (tmp_path / "state.json").write_text("{}")
    assert carry("unpack", tmp_path, tmp_path / "here") == 2 and "no run that was packed" in capsys.readouterr().err
    (tmp_path / "run").mkdir()
    assert carry("unpack", tmp_path, tmp_path) == 2 and "holds a run already" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "run")
