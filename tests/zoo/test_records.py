"""Records of style folders: what they may say, and what nobody may make this machine do by one."""

import json
import time

import gradio as gr
import pytest
import yaml

import zoo
from tests.conftest import ROOT
from tests.hub.repos import files_of
from tests.zoo.conftest import NAME
from zoo.__main__ import main
from zoo.catalog import sound_styles
from zoo.errors import StyleFolderError
from zoo.records import LIMITS, dump_yaml, parse_yaml, read_log, read_record
from zoo.style import BUNDLED, style_at

MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 10))
ALIAS_BOMB = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\npainting: {title: *b}"
FULL = LIMITS[".yaml"] - 100
MOMENT = 10  # s of processor time: what is read in one on a free machine takes a few where the lines are counted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MERGE_BOMB, "anchors and aliases"),
        (ALIAS_BOMB, "anchors and aliases"),
        ("a: &a [*a]", "anchors and aliases"),
        ("<<: {title: x}", "'merge' is not read"),
        ("k: {!!merge x: {a: 1}}", "'merge' is not read"),
        ("a.jpg: {title: x}\nb.jpg: 1\na.jpg: {title: y}", "the key 'a.jpg' stands there twice"),
        ("[" + "x," * 32_000 + "]", "more than 4096 values"),
        ("".join(f"k{n}: {n}\n" for n in range(5000)), "more than 4096 values"),
        ("[" * FULL, "within each other"),
        ("{" * FULL, "within each other"),
        ("- " * (FULL // 2), "within each other"),
        ("a: x\n" * (LIMITS[".yaml"] // 4), "more than 64 KiB"),
        ("year: 1" + ":1" * (FULL // 2), "digits"),
        ("year: " + "9" * FULL, "digits"),
        ("a: !!python/object/apply:os.system [ls]", "is not read"),
        ("a: !!binary aGk=", "is not read"),
        ("a: !!timestamp x", "is not read"),
        ("a: !!bool x", "x"),
    ],
)
def test_a_bomb_is_refused_in_a_moment(text, message):
    """Merge keys and aliases grow a file while it is read; many values make its reader slow. (issue 13, item 18)"""
    began = time.process_time()
    with pytest.raises(ValueError, match=message):
        parse_yaml(text)
    assert time.process_time() - began < MOMENT


@pytest.mark.parametrize(
    "text", ["a: '" + "\n" * FULL + "'", "a: " + "x " * (FULL // 2), "#\n" * (FULL // 2), 'a: "' + " x" * 30_000 + '"']
)
def test_long_text_is_read_in_a_moment(text):
    """(issue 13, item 18)"""
    began = time.process_time()
    parse_yaml(text)
    assert time.process_time() - began < MOMENT


def test_plain_values_are_read_as_yaml_reads_them():
    text = "# note\na: [1, 0x1f, -2.5e+3, 1_000, true, null, ~, no]\nb:\n  c: 'x'\n  d: |\n    two\n    lines\n  e: 1:30\n"
    assert parse_yaml(text) == yaml.safe_load(text)
    assert parse_yaml("year: 1889-06-18\nsign: =") == {"year": "1889-06-18", "sign": "="}  # dates are text
    assert parse_yaml("") is None


def test_what_is_written_is_read_again():
    one = [1, {"two": "drei, Édtaonisl, 1889-06-18, =, <<, yes, 0x10, '1'"}]
    value = {"a": one, "b": one, "c": "<<", "d": "=", "e": "1889-06-18", "f": "\ud7ff\U0001f5bc", "g": 1e-7, "h": None}
    assert parse_yaml(dump_yaml(value)) == value == yaml.safe_load(dump_yaml(value))


def test_the_records_of_the_zoo_are_read_as_ever():
    files = [*BUNDLED.rglob("*.yaml"), *(ROOT / "training" / "recipes").rglob("*.yaml")]
    assert len(files) > 12
    for file in files:
        assert read_record(file) == yaml.safe_load(file.read_text(encoding="utf-8"))


def test_a_local_style_with_a_bomb_is_left_out_and_the_others_are_listed(small_pair, monkeypatch, capsys):
    """(issue 13, items 18 and 34)"""
    (small_pair / "recipe.yaml").write_text(MERGE_BOMB)
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    began = time.process_time()
    sound, (problem,) = sound_styles()
    assert "starry-night" in [style.slug for style in sound] and "anchors" in problem
    assert main(["list"]) == 0 and "starry-night" in capsys.readouterr().out
    assert main(["info", str(small_pair)]) == 2
    assert time.process_time() - began < 2


def test_a_bomb_from_the_hub_is_said_in_words(hub, painted_pair):
    """(issue 13, item 18)"""
    hub.add(NAME, {**files_of(painted_pair), "recipe.yaml": MERGE_BOMB.encode()})
    began = time.process_time()
    with pytest.raises(StyleFolderError, match="anchors and aliases"):
        _ = zoo.pull(NAME).title
    assert main(["info", NAME]) == main(["pull", NAME]) == 2
    assert time.process_time() - began < 2


def test_a_record_is_a_mapping_in_a_small_file(tmp_path):
    assert read_record(tmp_path / "none.yaml") == {}
    for name, content in (("a.yaml", b"[1]"), ("a.json", b"[]"), ("b.json", b"[" * 100_000), ("c.json", b" " * 2**20)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(StyleFolderError, match=name):
            read_record(tmp_path / name)
    (tmp_path / "recipe.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(StyleFolderError, match="recipe.yaml"):
        _ = style_at(tmp_path).recipe


def metrics(photo=None, **change):
    """A metrics.json as training.evaluate writes it, but for that."""
    figures = {"content": 5, "style": 5, "objective": 5}
    record = {name: {**figures} for name in ("photo", "batch", "instance")}
    record |= {"photos": ["a.jpg"], "command": "c", "machine": "m", **change, "photo": {**figures, **(photo or {})}}
    return json.dumps({"held_out": {"256": record}})


STRANGE = {
    "recipe.yaml": [
        "painting: {title: T, year: 0x" + "f" * 20_000 + "}",
        "painting: {title: T, year: 0x" + "f" * 40 + "}",
        'painting: {title: "\\ud800"}',
        "painting: {title: .nan}",
        "painting: {year: -.inf}",
        "painting: {1889: x}",
        "painting: {title: T}\nsteps: 1" + "0" * 60,
    ],
    "metrics.json": [
        metrics({"objective": 10**4000}),
        metrics({"objective": 10**40}),
        metrics({"objective": -1}),
        metrics({"style": float("nan")}),
        metrics(instance={"content": 5, "style": True, "objective": 5}),
        metrics(photos=3),
        metrics(command=["c"]),
        '{"held_out": {"256": 1}}',
        '{"errors": {"photo": {"mean": {"content": 0, "style": -1}}}}',
        '{"errors": {"batch": {"mean": 3}}}',
        '{"errors": [1]}',
        '{"robustness": {"256": {"batch": {"contrast": {"1": {"style": 1}}}}}}',
        '{"robustness": 5}',
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(("file", "content"), [(file, content) for file, all_ in STRANGE.items() for content in all_])
def test_figures_and_words_that_nobody_could_use_are_an_error_in_words(hub, painted_pair, capsys, monkeypatch, file, content):
    """From the Hub and in a folder here, on the command line and in the page. (issue 13, items 23 and 34)"""
    from space import actions, community, words

    hub.add(NAME, {**files_of(painted_pair), file: content.encode()})
    (painted_pair / file).write_text(content)
    for style in (NAME, str(painted_pair)):
        assert main(["info", style]) == 2
        said = capsys.readouterr()
        assert "error: " in said.err and file in said.err and len(said.err) < 1000 and "Traceback" not in said.err
    with pytest.raises(gr.Error), actions.plain_errors():
        words.about(community.fetch(NAME))
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(painted_pair.parent))
    assert main(["list"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("left out: ") and "starry-night" in said.out


def test_a_log_is_read_whatever_else_stands_in_it(tmp_path):
    """Going on with a run ended in a traceback."""
    log = tmp_path / "log.jsonl"
    log.write_bytes(
        b'{"step": 1}\n\xff\x00\n5\n[]\nnull\n{}\n{"step": "2"}\n' + b"[" * 10**5 + b'\n{"step": 3}\n{"step": 4, "tot'
    )
    assert read_log(log) == [{"step": 1}, {"step": 3}]
    assert read_log(tmp_path / "none") == []
