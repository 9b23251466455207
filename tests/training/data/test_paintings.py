"""Paintings and what is known of them; the order in which styles take turns."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tests.conftest import ROOT
from training import train
from training.config import TrainConfig
from training.data.crops import PhotoFolder
from training.data.paintings import FACTS, make_slug, read_paintings, row_of_step
from training.records import fingerprint, recipe_record
from zoo.errors import TrainingError


def test_slugs_come_from_names_or_from_about(tmp_path):
    about = tmp_path / "about.yaml"
    about.write_text("b.jpg: {slug: the-wave, title: The Wave, year: 1831, show: true}\n")
    first, second = read_paintings([Path("deep/The_Scream 2.jpg"), Path("b.jpg")], about)
    assert first.slug == "the-scream-2" and first.facts == {} and not first.show
    assert second.slug == "the-wave" and second.facts == {"title": "The Wave", "year": 1831} and second.show
    assert make_slug("Édtaonisl, No. 2!") == "edtaonisl-no-2"


@pytest.mark.parametrize(
    ("text", "message"),
    [("[1]", "mapping"), ("a.jpg: 3", "mapping"), ("a.jpg: {colour: red}", "colour"), ("a: [", "cannot read"),
     ("a.jpg: {slug: b}", "slug b"), ("a.jpg: {slug: 1889}", "1889 cannot be a slug"), ("a.jpg: {slug: run}", "'run' cannot"),
     ("a.jpg: {trim: 5}", "four numbers"),
     ("a.jpg: {trim: [50, 0, 50, 0]}", "leaves 10"), ("a.jpg: {trim: [0, x, 0, 0]}", "0 x"),
     ("a.jpg: &a {}\nb.jpg: *a", "cannot read"), ("a.jpg: {}\nc.jpg: {}", "nothing of b.jpg, but it knows c.jpg")],
)  # fmt: skip
def test_bad_files_are_explained(tmp_path, text, message):
    (tmp_path / "about.yaml").write_text(text)
    with pytest.raises(TrainingError, match=message):
        read_paintings([Path("a.jpg"), Path("b.jpg")], tmp_path / "about.yaml")


def test_a_date_is_text_and_a_pipe_no_file(tmp_path):
    (tmp_path / "about.yaml").write_text("a.jpg: {year: 2020-99-99}\n")
    assert read_paintings([Path("a.jpg")], tmp_path / "about.yaml")[0].facts == {"year": "2020-99-99"}
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(TrainingError, match="it is no file"):
        read_paintings([Path("a.jpg")], tmp_path / "pipe.yaml")


def test_a_name_without_latin_letters_needs_a_slug():
    with pytest.raises(TrainingError, match=r"神奈川.jpg: '' cannot be a slug"):
        read_paintings([Path("神奈川.jpg")], None)


def test_what_is_trimmed_is_not_looked_at(examples, tmp_path):
    Image.new("RGB", (200, 100), "red").save(tmp_path / "framed.png")
    framed = Image.open(tmp_path / "framed.png")
    framed.paste((0, 0, 255), (20, 10, 160, 70))
    framed.save(tmp_path / "framed.png")
    (tmp_path / "about.yaml").write_text("framed.png: {trim: [10, 10, 20, 30]}\n")
    (painting,) = read_paintings([tmp_path / "framed.png"], tmp_path / "about.yaml")
    assert painting.image().size == (140, 60) and painting.image().getcolors() == [(140 * 60, (0, 0, 255))]
    whole = replace(painting, trim=(0, 0, 0, 0))
    assert whole.image().size == (200, 100)
    photos = PhotoFolder(examples, 32)
    assert fingerprint([painting], photos) != fingerprint([whole], photos)  # no run goes on with another part of it
    assert recipe_record(TrainConfig(), [painting], photos, [painting], [])["painting"]["trim"] == [10, 10, 20, 30]
    assert "trim" not in recipe_record(TrainConfig(), [whole], photos, [whole], [])["painting"]


def test_styles_take_turns():
    steps = [row_of_step(step, 5, seed=1) for step in range(1, 101)]
    assert all(sorted(steps[i : i + 5]) == [0, 1, 2, 3, 4] for i in range(0, 100, 5))
    assert len({tuple(steps[i : i + 5]) for i in range(0, 100, 5)}) > 5
    assert {row_of_step(step, 1, seed=1) for step in range(1, 9)} == {0}


def test_one_painting_s_facts_are_not_said_of_several(examples, tmp_path, capsys):
    words = ["--style-image", str(examples / "dog.jpg"), str(examples / "sunset.jpg"), "--content", str(examples)]
    assert train.main([*words, "--out", str(tmp_path / "x"), "--author", "Me", "--show-painting"]) == 2
    assert "--author, --show-painting would say the same of 2 paintings" in capsys.readouterr().err


def test_auto_leaves_a_texture_without_content(examples, tmp_path, monkeypatch):
    configs = []
    monkeypatch.setattr(train, "complete", lambda run: configs.append(run.config))
    words = ["--style-image", str(examples / "dog.jpg"), "--out", str(tmp_path / "x"), "--auto"]
    assert train.main([*words, "--recipe", "texture"]) == 0
    assert train.main([*words, "--recipe", "laptop", "--content", str(examples)]) == 0
    assert [config.content_weight for config in configs] == [0, 1]
    assert all(config.balance == "relative" for config in configs)


def test_a_single_painting_is_named_by_its_folder_whatever_its_file_is_called(tmp_path, examples, monkeypatch):
    given = []
    monkeypatch.setattr(train, "complete", lambda run: given.extend(run.paintings))
    words = ["--style-image", "神奈川.jpg", "--content", str(examples), "--title", "The Wave"]
    assert train.main([*words, "--out", str(tmp_path / "The Wave")]) == 0
    assert (given[0].slug, given[0].facts) == ("the-wave", {"title": "The Wave"})


def test_what_is_known_of_the_zoos_own_paintings_can_be_read():
    about = ROOT / "training" / "paintings.yaml"
    files = [Path(name) for name in yaml.safe_load(about.read_text(encoding="utf-8"))]
    paintings = read_paintings(files, about)
    assert len({painting.slug for painting in paintings}) == len(files) >= 12
    assert all(painting.facts.keys() >= set(FACTS) - {"licence_weights"} for painting in paintings)
