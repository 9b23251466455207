"""Trainings that begin from a trained style, through the command line: rows of several, the identity, an adapter."""

import json
import shutil

import pytest
import torch
import yaml
from safetensors.torch import load_file

import zoo
from training.train import main
from zoo.adapter import is_adapter
from zoo.catalog import find
from zoo.conditional import export, make_conditional, norm_parameters, share_convolutions
from zoo.folder import twin_folder
from zoo.images import open_photo, to_tensor
from zoo.records import read_log

SMALL = ("--recipe", "smoke", "--steps", 3, "--log-every", 1, "--preview-every", 3)


@pytest.mark.slow
def test_many_styles_and_the_identity_go_on_from_trained_ones(lean, examples, tmp_path, run_here):
    (held_out := tmp_path / "held-out").mkdir()
    shutil.copy(examples / "dog.jpg", held_out)
    pictures = [examples / name for name in ("sunset.jpg", "dog.jpg")]
    began = {norm: zoo.create(norm=norm, width=6, residual_blocks=1).eval() for norm in ("instance", "batch")}
    for norm, generator in began.items():  # two styles of one training
        together = make_conditional(generator, 2)
        for row, name in enumerate(("one", "other")):
            zoo.save(export(together, row), twin_folder(tmp_path / name, norm))
    starts = [tmp_path / "one", tmp_path / "other"]
    words = [*SMALL, "--pair", "--from", *starts, "--style-image", *pictures, "--content", examples]
    words += ["--identity-weight", 10, "--warmup", 2, "--balance", "relative"]
    words += ["--held-out", held_out, "--out", tmp_path / "two"]
    done = run_here(main, *words)
    assert done.returncode == 0, done.stderr
    logged = read_log(tmp_path / "two" / "run" / "log.jsonl")
    assert {r["style"] for r in logged} == {"sunset", "dog", "identity"}
    assert [r["seconds"] for r in logged if "seconds" in r] == sorted(r["seconds"] for r in logged if "seconds" in r)
    folders = [tmp_path / "two" / slug for slug in ("sunset", "dog", "identity")]
    for norm in ("instance", "batch"):
        generators = [zoo.load(folder, norm) for folder in folders]
        assert share_convolutions(generators)
        photo = to_tensor(open_photo(examples / "dog.jpg").resize((96, 96)))
        with torch.no_grad():  # three steps from where they began: still much like it
            assert (generators[0](photo) - began[norm](photo)).abs().mean() < 0.2
    recipe = yaml.safe_load((folders[0] / "recipe.yaml").read_text())
    assert [record["style"] for record in recipe["started_from"]] == ["one"]
    assert recipe["width"] == 6  # of the generator it began from, whatever the recipe says
    assert "*one*" in (folders[0] / "README.md").read_text()
    psnr = json.loads((folders[2] / "metrics.json").read_text())["psnr"]
    assert psnr["batch"]["as_is"] > 5 and psnr["instance"]["matched"] > 5


@pytest.mark.slow
def test_an_adapter_is_small_and_paints_as_the_style_it_was_trained_with(lean, examples, tmp_path, run_here):
    words = [*SMALL, "--pair", "--from", "udnie", "--only", "norm", "--style-image", examples / "sunset.jpg"]
    done = run_here(main, *words, "--content", examples, "--out", tmp_path / "sunset")
    assert done.returncode == 0, done.stderr
    adapter = tmp_path / "sunset" / "adapter"
    assert is_adapter(adapter) and (adapter / "adapter.safetensors").stat().st_size < 16_000
    for norm in ("instance", "batch"):
        whole, base, photo = zoo.load(tmp_path / "sunset", norm), zoo.load("udnie", norm), torch.rand(1, 3, 48, 40)
        assert torch.equal(zoo.load(adapter, norm)(photo), whole(photo))
        assert share_convolutions([whole, base]) and not torch.allclose(whole(photo), base(photo), atol=1e-3)
    assert load_file(adapter / "adapter.safetensors").keys() <= norm_parameters(zoo.load("udnie"))
    assert find(adapter).painting["file"] == "sunset.jpg"


def test_only_needs_a_base(examples, tmp_path, capsys):
    words = ["--style-image", str(examples / "sunset.jpg"), "--content", str(examples), "--out", str(tmp_path / "x")]
    assert main([*words, "--only", "norm"]) == 2
    assert "--from" in capsys.readouterr().err
    assert main([*words, "--from", "udnie", "--width", "8"]) == 2
    assert "width 16" in capsys.readouterr().err
