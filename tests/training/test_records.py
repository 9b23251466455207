"""Which runs are the same: records compared key by key, with the defaults of keys that came later (issue 13, item 9)."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest
import torch

import zoo
from tests.conftest import ROOT
from training.config import TrainConfig
from training.data.crops import PhotoFolder
from training.data.paintings import Painting
from training.records import check_other_half, differences, forget_measurements, recipe_record, write_card, write_metrics
from training.running.grid import Grid
from training.running.loop import resume
from training.running.run import Run
from zoo.errors import StyleFolderError, TrainingError
from zoo.folder import changing_metrics
from zoo.records import dump_yaml, read_record
from zoo.style import style_at

CONFIG = TrainConfig(style_weight=7.0)
LATER = "upsampling"  # as if this key had come after the record was written


def recipe(config=CONFIG, **more):
    return {**asdict(config), **more}


def older(**more):
    """A record that was written before there was the key LATER."""
    return {key: value for key, value in recipe(**more).items() if key != LATER}


def test_differences_name_the_key_and_both_values():
    assert differences(older(), recipe()) == [] == differences(recipe(), older())
    assert differences(older(), recipe(replace(CONFIG, style_weight=3.0))) == ["style_weight (7.0 there, 3.0 here)"]
    assert differences(older(), recipe(replace(CONFIG, upsampling="bilinear"))) == [
        "upsampling ('nearest' there, 'bilinear' here)"
    ]
    there, here = {"painting": {"title": "A", "year": 1889}}, {"painting": {"title": "B", "year": 1889}, "start": ["x"]}
    assert differences(there, here) == ["painting.title ('A' there, 'B' here)", "start (none there, ['x'] here)"]
    assert differences(recipe(style_layers={"relu1_2": 1}), recipe(style_layers={"relu1_2": 1, "relu2_2": 1})) == [
        "style_layers.relu2_2 (none there, 1 here)"
    ]


def test_an_unfinished_run_goes_on_after_a_key_was_added(tmp_path):
    taken_up = []
    twin = SimpleNamespace(norm="instance", load_state_dict=taken_up.append)
    this = Run(CONFIG, [], "photos", tmp_path, ("instance",))
    run = {"norms": ["instance"], "paintings": {"sunset": "0" * 64}, "photos": "1" * 64, "start": []}
    state = {"step": 4, "run": {"recipe": older(), **run}, "instance": "weights"}
    assert resume(this, state, {"recipe": recipe(), **run}, [twin], print) == 4 and taken_up == ["weights"]
    for change, words in (
        ({"recipe": recipe(replace(CONFIG, seed=1))}, r"differs in seed \(0 there, 1 here\): choose another --out"),
        ({"norms": ["batch"]}, r"differs in norms \(\['instance'\] there, \['batch'\] here\)"),
        ({"paintings": {"sunset": "2" * 64}}, r"differs in paintings.sunset \('0000.* there, '2222.* here\)"),
    ):
        with pytest.raises(TrainingError, match=words):
            resume(this, state, {"recipe": recipe(), **run, **change}, [twin], print)
    del state["instance"]
    with pytest.raises(TrainingError, match="another version of the trainer"):
        resume(this, state, {"recipe": recipe(), **run}, [twin], print)


def test_a_half_trained_pair_is_completed_after_a_key_was_added(small_pair):
    for file in ("config.json", "model.safetensors"):
        (small_pair / file).unlink()
    painting = {"painting": {"title": "A", "file": "a.jpg"}, "made_with": "another machine"}
    (small_pair / "recipe.yaml").write_text(dump_yaml(older(**painting)))
    here = {**painting, "made_with": "this machine"}
    check_other_half(small_pair, recipe(**here), ("instance",))
    for record, words in (
        (recipe(replace(CONFIG, style_weight=3.0), **here), r"batch-norm .* differs in style_weight \(7.0 there, 3.0 here\)"),
        (recipe(**here, started_from=[{"style": "udnie"}]), r"differs in started_from \(none there, "),
        (recipe(made_with="this machine"), "differs in painting .*'A'.* none here"),
    ):
        with pytest.raises(TrainingError, match=words):
            check_other_half(small_pair, record, ("instance",))


def test_a_half_trained_pair_is_completed_whatever_norms_its_start_is_known_by(small_pair):
    for file in ("config.json", "model.safetensors"):
        (small_pair / file).unlink()

    def halves(there, here):
        starts = ({"started_from": [{"style": "base", "steps": 3, "sha256": hashes}]} for hashes in (there, here))
        there, here = (recipe(made_with="a machine", **start) for start in starts)
        (small_pair / "recipe.yaml").write_text(dump_yaml(there))
        check_other_half(small_pair, here, ("instance",))

    halves({"batch": "1"}, {"instance": "0"})
    halves({"batch": "1"}, {"instance": "0", "batch": "1"})
    with pytest.raises(TrainingError, match=r"differs in started_from \("):
        halves({"batch": "1"}, {"instance": "0", "batch": "2"})


def test_a_probe_goes_on_after_a_key_was_added(tmp_path):
    painting = ROOT / "space" / "examples" / "sunset.jpg"
    Grid(CONFIG, painting, "photos", tmp_path).check()
    known = read_record(tmp_path / "probe.json")
    (tmp_path / "probe.json").write_text(json.dumps({key: known[key] for key in known if key != LATER}))
    Grid(CONFIG, painting, "photos", tmp_path).check()
    Grid(replace(CONFIG, style_weight=1.0, steps=1), painting, "photos", tmp_path).check()  # another cell
    with pytest.raises(TrainingError, match=r"cells that differ in content \('photos' there, 'others' here\)"):
        Grid(CONFIG, painting, "others", tmp_path).check()


def test_the_record_names_the_device_that_was_trained_on(examples, monkeypatch):
    """It named the GPU wherever there was one (issue 13, item 6)."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: "a GPU")
    facts = [Painting(examples / "sunset.jpg", "sunset")], PhotoFolder(examples, 32), [], []
    on = {kind: recipe_record(CONFIG, *facts, device=torch.device(kind))["made_with"] for kind in ("cpu", "cuda", "mps")}
    assert "CPU threads" in on["cpu"] and on["cuda"].startswith("a GPU, ") and on["mps"].startswith("Apple GPU, ")


def test_writers_of_one_folder_keep_each_other_s_figures(small_pair, monkeypatch):
    def slowly(path):
        found = read_record(path)
        time.sleep(0.05)
        return found

    monkeypatch.setattr("training.records.read_record", slowly)
    before, found = read_record(small_pair / "metrics.json"), {f"of writer {i}": {"objective": i} for i in range(4)}
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(lambda key: write_metrics(small_pair, {key: found[key]}), found))) == 4
    assert read_record(small_pair / "metrics.json") == {**before, **found}


def test_who_changes_figures_waits_for_whoever_does(small_pair, monkeypatch):
    monkeypatch.setattr("zoo.folder.PATIENCE", 0)
    generator = zoo.load(small_pair)
    with changing_metrics(small_pair):
        with pytest.raises(StyleFolderError, match=r"cannot write the style folder .*\.lock"):
            zoo.save(generator, small_pair)
        with pytest.raises(TrainingError, match=r"cannot update .*\.lock"):
            write_metrics(small_pair, {"psnr": {}})
        with pytest.raises(TrainingError, match=r"cannot update .*\.lock"):
            forget_measurements(small_pair)
        with pytest.raises(TrainingError, match=r"cannot write .*README.md.*\.lock"):
            write_card(style_at(small_pair))
    zoo.save(generator, small_pair)
