"""PIL in, PIL out."""

import shutil
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import zoo
from zoo.engine.painting import Manner, check_seed
from zoo.errors import ConfigError, DeviceError, PhotoError, StyleFolderError, WeightsError
from zoo.images import open_photo, to_tensor
from zoo.painter import Painter


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_it_is_the_generators_output(small_pair, photo, norm):
    painted = zoo.stylize(photo, small_pair, norm)
    with torch.no_grad():
        expected = zoo.load(small_pair, norm)(to_tensor(open_photo(photo)))[0].permute(1, 2, 0) * 255
    assert painted.size == (512, 512) and painted.mode == "RGB"
    assert np.abs(np.asarray(painted, float) - expected.numpy()).max() <= 0.53


def test_sizes(small_pair):
    photo = Image.effect_noise((301, 203), 60)
    assert zoo.stylize(photo, small_pair).size == (301, 203)
    assert zoo.stylize(photo, small_pair, size=150).size == (150, 101)
    assert zoo.stylize(photo, small_pair, size=999).size == (301, 203)


def test_strokes_are_as_long_as_asked_for(small_pair):
    """Half as long: the photo twice as large, painted, and brought back; the same network paints the same pixels."""
    style, photo = zoo.find(small_pair), Image.effect_noise((120, 80), 60).convert("RGB")
    for strokes, canvas in ((0.5, (240, 160)), (2, (60, 40))):
        found = Painter("cpu").paint(photo, style, ("instance", "batch"), manner=Manner(strokes=strokes))
        for norm, painted in found.items():
            expected = zoo.stylize(photo.resize(canvas, Image.Resampling.LANCZOS), style, norm, device="cpu")
            assert painted.image == expected.resize((120, 80), Image.Resampling.LANCZOS)
    assert Painter("cpu").paint(photo, style)["instance"].image == zoo.stylize(photo, style, device="cpu")


@pytest.mark.parametrize("strokes", [0, 0.2, 5, float("nan"), "long"])
def test_strokes_beyond_reason_are_refused(strokes):
    with pytest.raises(ConfigError, match="0.25 to 4"):
        Manner(strokes=strokes)


def test_bad_requests(small_pair, photo, tmp_path):
    with pytest.raises(ConfigError, match="at least 32"):
        zoo.stylize(photo, small_pair, size=16)
    with pytest.raises(StyleFolderError, match="contrast"):
        zoo.stylize(photo, small_pair, "contrast")
    with pytest.raises(DeviceError, match="tpu"):
        zoo.stylize(photo, small_pair, device="tpu")
    with pytest.raises(PhotoError):
        zoo.stylize(tmp_path / "none.png", small_pair)


def test_what_is_not_finite_is_an_error_never_black(small_pair, photo):
    """(issue 13, item 38)"""
    generator = zoo.load(small_pair)
    with torch.no_grad():
        generator.leave.bias[1] = torch.nan  # as a bit of the memory may flip
    with pytest.raises(WeightsError, match="not finite"):
        zoo.paint(generator, photo, 64)


def test_what_is_white_everywhere_is_an_error(small_pair, photo):
    """Weights that are far too large, though finite, of a folder that records no SHA-256 (issue 13, item 38)"""
    weights = small_pair / "model.safetensors"
    state = load_file(weights)
    state["leave.bias"] += 3e4
    save_file(state, weights)
    (small_pair / "metrics.json").unlink()
    with pytest.raises(WeightsError, match=r"small-pair \(instance norm\) paints is white or black everywhere"):
        zoo.stylize(photo, small_pair, size=64)
    assert zoo.stylize(Image.new("RGB", (64, 64)), small_pair).getextrema() == ((255, 255),) * 3  # of which it may be right


@pytest.mark.parametrize("seed", [-1, 2**32, 2**32 + 5, 2**64, 10**400])
def test_a_seed_that_would_draw_what_another_draws_is_refused(seed):
    """torch's generator looks at its low 32 bits alone"""
    with pytest.raises(ConfigError, match=r"from 0 to 2\*\*32 - 1, got .{1,80}$"):
        check_seed(seed)
    check_seed(2**32 - 1)


def test_memory_that_runs_out_is_told_and_other_errors_are_not(small_pair, photo, monkeypatch):
    """An illegal memory access was answered with "choose a smaller size" (issue 13, item 11)."""
    generator = zoo.load(small_pair)
    for error, told in (
        (torch.OutOfMemoryError("CUDA out of memory"), PhotoError),
        (MemoryError(), PhotoError),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), RuntimeError),
    ):
        monkeypatch.setattr(type(generator), "forward", lambda self, x, error=error: raise_(error))
        with pytest.raises(told, match="memory"):
            zoo.paint(generator, photo, 64)


def raise_(error):
    raise error


def test_generators_load_once_and_are_shared_between_threads(small_pair):
    style, found, painter = zoo.find(small_pair), [], Painter("cpu")
    threads = [threading.Thread(target=lambda: found.append(painter.generator(style, "instance"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len({id(generator) for generator in found}) == 1


def test_a_retrained_style_is_loaded_anew(small_pair):
    style, painter = zoo.find(small_pair), Painter("cpu")
    before = painter.generator(style, "instance")
    torch.manual_seed(9)
    zoo.save(zoo.create(width=2, residual_blocks=1), small_pair)
    after = painter.generator(style, "instance")
    assert not torch.equal(before.leave.weight, after.leave.weight)


def test_only_the_last_used_generators_are_kept(small_pair, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.painter.KEPT", 2)
    painter = Painter("cpu")
    for name in ("a", "b", "a", "c"):
        if not (tmp_path / name).exists():
            shutil.copytree(small_pair, tmp_path / name)
        painter.paint(photo, zoo.find(tmp_path / name), size=64)
    assert [key[0].name for key in painter._kept] == ["a", "c"]


@pytest.mark.parametrize("value", ["64", 64.5, float("nan"), [64]])
def test_a_size_or_a_seed_that_is_no_whole_number_is_said_in_words(photo, value):
    """(issue 13, item 23)"""
    with pytest.raises(ConfigError, match="size is a whole number"):
        zoo.stylize(photo, "great-wave", size=value)
    with pytest.raises(ConfigError, match="seed is a whole number"):
        zoo.stylize(photo, "great-wave", size=64, seed=value)
