"""Generators as ONNX files: the same pictures as torch's, at any size."""

import os
import subprocess
import sys

import pytest
import torch

import zoo
from tests.conftest import ROOT
from tests.zoo.engine.test_torch_engine import random_generator
from zoo.__main__ import main
from zoo.errors import ConfigError
from zoo.export import compare, export, halve, to_onnx, to_torch_export, torch_export
from zoo.frozen import freeze_statistics


@pytest.fixture(autouse=True)
def _needs_onnx():
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")


@pytest.mark.slow
@pytest.mark.parametrize(
    "keys",
    [{}, {"norm": "batch"}, {"norm": "contrast"}, {"padding": "zero"}, {"padding": "replicate", "upsampling": "bilinear"}],
)
def test_it_paints_as_torch_does_at_three_sizes(keys):
    """Issue 15."""
    generator = random_generator(width=2, residual_blocks=1, **keys)
    model = to_onnx(generator)
    assert compare(generator, model) < 0.02
    assert 0.02 < compare(random_generator(width=2, residual_blocks=1, **{**keys, "norm": "none"}), model)  # it can tell
    assert len(halve(model)) < len(model) and compare(generator, halve(model)) < 2.55


def test_frozen_statistics_of_one_photo_paint_that_photo_the_same():
    generator, photo = random_generator(width=2, residual_blocks=1), torch.rand(1, 3, 48, 64)
    frozen = freeze_statistics(generator, [photo])
    torch.testing.assert_close(frozen(photo), generator(photo), rtol=0, atol=1e-4)
    other = torch.rand(1, 3, 48, 64) / 2
    assert (frozen(other) - generator(other)).abs().max() > 0.01
    # what is painted of a part is a part of what is painted: nothing of the picture enters the statistics
    part = frozen(torch.cat([photo, other], 3))[..., :16]
    torch.testing.assert_close(part, frozen(torch.cat([photo, photo], 3))[..., :16], rtol=0, atol=1e-5)


def test_the_command_writes_a_checked_file(small_pair, photo, tmp_path, capsys):
    import onnx

    assert main(["export", str(small_pair), "--onnx", f"{tmp_path}/a.onnx"]) == 0
    assert "0.0" in (told := capsys.readouterr().out) and "a.onnx" in told
    facts = {p.key: p.value for p in onnx.load(tmp_path / "a.onnx").metadata_props}
    assert facts["style"] == "small-pair" and "[0, 1]" in facts["contract"]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(photo.read_bytes())
    frozen = ["--half", "--frozen-stats", "--calibrate", f"{tmp_path}/photos"]
    assert main(["export", str(small_pair), "--onnx", f"{tmp_path}/b.onnx", *frozen]) == 0
    model = onnx.load(tmp_path / "b.onnx")
    assert not [node for node in model.graph.node if "Norm" in node.op_type]
    assert "levels" in {p.key: p.value for p in model.metadata_props}["frozen"]


@pytest.mark.slow
@pytest.mark.parametrize("keys", [{}, {"norm": "batch"}, {"padding": "zero", "upsampling": "bilinear"}])
def test_a_file_of_torch_export_paints_any_number_of_any_size_without_us(keys, tmp_path):
    """Issue 15."""
    generator, target = random_generator(width=2, residual_blocks=1, **keys), tmp_path / "a.pt2"
    assert torch_export(generator, target, {"style": "a"}).levels < 0.02
    told = {"style": "", "contract": ""}
    paint = torch.export.load(target, extra_files=told).module()
    assert told["style"] == "a" and "[0, 1]" in told["contract"]
    for shape in ((1, 3, 32, 32), (3, 3, 47, 65), (2, 3, 98, 35)):
        photos = torch.rand(shape)
        torch.testing.assert_close(paint(photos), generator(photos), rtol=0, atol=1e-4)


def test_what_torch_cannot_export_is_told(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="ends in .pt2"):
        torch_export(random_generator(width=1), tmp_path / "a.onnx")
    with pytest.raises(ConfigError, match="noise"):
        torch_export(zoo.create(architecture="texture", width=1), tmp_path / "a.pt2")
    monkeypatch.setattr(torch.export, "export", lambda *a, **k: [][0])
    with pytest.raises(ConfigError, match=f"torch {torch.__version__} cannot export it .*: write ONNX".replace("+", r"\+")):
        torch_export(random_generator(width=1), tmp_path / "a.pt2")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_one_that_paints_otherwise_is_not_written(tmp_path, monkeypatch):
    other = to_torch_export(random_generator(width=1, residual_blocks=1, norm="none"))
    monkeypatch.setattr("zoo.export.to_torch_export", lambda generator, facts: other)
    with pytest.raises(ConfigError, match="paints otherwise"):
        torch_export(random_generator(width=1, residual_blocks=1), tmp_path / "a.pt2")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--opset", "3"], "opset"), (["--frozen-stats"], "--calibrate"), (["--norm", "batch", "--frozen-stats"], "--calibrate")],
)
def test_mistakes_are_told(small_pair, tmp_path, capsys, options, told):
    assert main(["export", str(small_pair), "--onnx", f"{tmp_path}/a.onnx", *options]) == 2
    assert told in capsys.readouterr().err and not (tmp_path / "a.onnx").exists()


@pytest.mark.slow
def test_the_command_writes_a_file_of_torch_export(small_pair, tmp_path, capsys):
    command = ["export", str(small_pair), "--torch-export", f"{tmp_path}/a.pt2"]
    assert main([*command, "--half"]) == 2 and "--half and --opset are of --onnx" in capsys.readouterr().err
    assert main([*command, "--norm", "batch"]) == 0
    assert "a.pt2" in (told := capsys.readouterr().out) and "within 0.0" in told
    found = torch.export.load(tmp_path / "a.pt2").module()(photo := torch.rand(1, 3, 40, 45))
    torch.testing.assert_close(found, zoo.load(zoo.find(small_pair), "batch")(photo), rtol=0, atol=1e-4)


def test_what_cannot_be_exported_is_told(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="noise"):
        to_onnx(zoo.create(architecture="texture", width=1))
    with pytest.raises(ConfigError, match="ends in .onnx"):
        export(random_generator(width=1), tmp_path / "a.pt")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match="pip install"):
        to_onnx(random_generator(width=1))


@pytest.mark.slow
def test_onnxruntime_keeps_no_identifier_and_reports_nothing(tmp_path):
    """Its builds of 2026 do both, unless told not to before they are imported, or on a CI service."""
    code = """
import zoo
from zoo.engine.onnxruntime_engine import OnnxRuntimeEngine
from zoo.export import compare, to_onnx

generator = zoo.create(width=2, residual_blocks=1).eval()
OnnxRuntimeEngine(generator), print(compare(generator, to_onnx(generator)))
"""
    env = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith(("ORT_", "XDG_", "GITHUB_"))}
    command, env = [sys.executable, "-c", code], {**env, "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and float(done.stdout) < 1, done.stderr
    assert not list(tmp_path.iterdir())
