"""Which engine "auto" is: the fastest by trial, asked once for a machine, named by a variable, never a reason to fail."""

import json

import pytest
import torch

from tests.zoo.engine.test_torch_engine import noise, random_generator
from zoo.engine import choice
from zoo.engine.painting import Manner, paint_fast
from zoo.errors import ConfigError

SECONDS = {"torch": 0.004, "bfloat16": 0.002, "openvino": 0.003}


@pytest.fixture
def three(monkeypatch, tmp_path):
    """Three engines, of which bfloat16 is the fastest and nothing is known yet; the list of what they paint."""
    monkeypatch.delenv("MISSING_INGREDIENT_ENGINE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(choice, "_chosen", {})
    monkeypatch.setattr(choice, "candidates", lambda kind: list(SECONDS))
    monkeypatch.setattr(choice, "version", lambda name: "1.0")
    monkeypatch.setattr(choice, "_named", choice._named.__wrapped__)  # and nothing of it is kept
    asked = []
    monkeypatch.setattr(choice, "perf_counter", lambda: sum(seconds for _, seconds in asked))
    return asked


def painting(asked, able=SECONDS, seconds=SECONDS):
    def paint(engine, side):
        asked.append((engine, seconds[engine]))
        return engine in able

    return paint


def test_the_fastest_is_chosen_and_remembered(three, tmp_path, monkeypatch):
    """Issue 15."""
    assert choice.fastest_engine("net", painting(three)) == "bfloat16"
    asked = len(three)
    assert asked == 3 * (1 + choice.ROUNDS)
    (kept,) = json.loads((tmp_path / "missing-ingredient" / "engines.json").read_text()).items()
    assert kept[1] == "bfloat16" and all(word in kept[0] for word in ("net", "openvino 1.0", torch.__version__))
    for forget in (lambda: None, choice._chosen.clear):
        forget()
        assert choice.fastest_engine("net", painting(three)) == "bfloat16" and len(three) == asked
    choice.fastest_engine("another net", painting(three))
    assert len(three) == 2 * asked


def test_who_updates_is_asked_again(three, monkeypatch):
    """Ours may have become the faster one."""
    assert choice.fastest_engine("net", painting(three)) == "bfloat16"
    monkeypatch.setattr(choice, "_ours", lambda: "another version")
    seconds = {"torch": 0.001, "bfloat16": 0.002, "openvino": 0.003}
    assert choice.fastest_engine("net", painting(three, seconds=seconds)) == "torch"


def test_that_a_gpus_engine_declines_one_style_is_not_remembered_for_others(three, tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "candidates", lambda kind: ["module", "float16"])
    seconds = {"module": 0.004, "float16": 0.001}
    assert choice.fastest_engine("net", painting(three, ["module"], seconds)) == "module"
    assert not (tmp_path / "missing-ingredient" / "engines.json").exists()
    choice._chosen.clear()
    assert choice.fastest_engine("net", painting(three, seconds, seconds)) == "float16"
    assert (tmp_path / "missing-ingredient" / "engines.json").exists()


def test_one_that_cannot_is_not_chosen_nor_one_that_is_hardly_faster(three):
    assert choice.fastest_engine("net", painting(three, able=("torch", "openvino"))) == "openvino"
    close = {"torch": 0.0200, "bfloat16": 0.0195, "openvino": 0.03}
    assert choice.fastest_engine("close", painting(three, seconds=close)) == "torch"


@pytest.mark.parametrize("content", ["no JSON", "[1]", '{"net": "gone"}'])
def test_a_damaged_or_forbidden_cache_is_measured_again(three, tmp_path, content, monkeypatch):
    (tmp_path / "missing-ingredient").mkdir()
    (tmp_path / "missing-ingredient" / "engines.json").write_text(content)
    assert choice.fastest_engine("net", painting(three)) == "bfloat16"
    monkeypatch.setattr(choice, "_chosen", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "missing-ingredient" / "engines.json"))
    assert choice.fastest_engine("net", painting(three)) == "bfloat16"


def test_a_variable_names_one(three, monkeypatch):
    monkeypatch.setenv("MISSING_INGREDIENT_ENGINE", "module")
    assert choice.fastest_engine("net", painting(three)) == "module" and not three
    assert paint_fast(random_generator(width=2), noise(40, 40)).engine == "module"
    monkeypatch.setenv("MISSING_INGREDIENT_ENGINE", "auto")
    assert choice.fastest_engine("net", painting(three)) == "bfloat16"
    monkeypatch.setenv("MISSING_INGREDIENT_ENGINE", "warp")
    with pytest.raises(ConfigError, match="unknown engine .warp.: choose from auto, module, torch"):
        paint_fast(random_generator(width=2), noise(40, 40))


def test_a_picture_is_painted_by_what_was_chosen(three, monkeypatch):
    monkeypatch.setattr(choice, "candidates", lambda kind: ["torch", "bfloat16"])
    monkeypatch.setattr(choice, "_measured", lambda engines, paint: next(e for e in engines[::-1] if paint(e, 32)))
    found = paint_fast(random_generator(width=16, residual_blocks=1), noise(64, 48))
    assert found.engine == "bfloat16"
    assert paint_fast(random_generator(width=16, residual_blocks=1), noise(64, 48), Manner("torch")).engine == "torch"


def test_where_there_is_no_choice_nothing_is_painted(three, monkeypatch):
    monkeypatch.setattr(choice, "candidates", lambda kind: ["torch"])
    assert choice.fastest_engine("net", painting(three)) == "torch" and not three
