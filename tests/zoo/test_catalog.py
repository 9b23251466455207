"""Names lead to style folders: bundled, local by variable, local by path."""

import json
import os
import shutil
from pathlib import Path

import pytest

import zoo
from zoo.__main__ import main
from zoo.catalog import LOCAL_VARIABLE, find, find_named, list_styles, photo_styles, sound_styles
from zoo.config import GeneratorConfig
from zoo.errors import StyleFolderError, StyleNotFoundError, ZooError
from zoo.style import style_at


def test_bundled_styles_are_listed_and_found():
    styles = list_styles()
    assert styles and all(style.source == "bundled" for style in styles)
    assert find(styles[0].slug) == styles[0]
    assert {style.slug for style in styles} - {style.slug for style in photo_styles()} == {"starry-night-texture"}


def test_local_styles_by_variable_and_by_path(small_pair, monkeypatch):
    assert find(small_pair).source == "local" and find(str(small_pair)).slug == "small-pair"
    monkeypatch.setenv(LOCAL_VARIABLE, str(small_pair.parent))
    local = [style for style in list_styles() if style.source == "local"]
    assert [style.slug for style in local] == ["small-pair"] and local[0].title == "Small Pair"
    assert zoo.load("small-pair", "batch").config.norm == "batch"


def test_a_path_is_a_path_and_text_a_slug_first(small_pair, tmp_path, monkeypatch):
    """find(Path("starry-night")) ignored the folder of that name (issue 13, item 12)."""
    monkeypatch.chdir(tmp_path)
    small_pair.rename("starry-night")
    assert find("starry-night").source == "bundled"
    for here in (Path("starry-night"), tmp_path / "starry-night", "./starry-night"):
        assert find(here).source == "local" and find(here).folder.resolve() == tmp_path / "starry-night"
    with pytest.raises(StyleNotFoundError, match="no style folder great-wave"):
        find(Path("great-wave"))


@pytest.mark.parametrize("name", [["a"], {}, 3, None, b"starry-night"])
def test_what_is_no_name_is_refused_in_words(name):
    """(issue 13, item 43)"""
    with pytest.raises(StyleNotFoundError, match="got"):
        find(name)
    with pytest.raises(StyleNotFoundError):
        find_named(name)


@pytest.mark.parametrize("look", [find, find_named])
def test_a_slug_that_is_nearly_one_is_named(look):
    with pytest.raises(StyleNotFoundError, match=r"no style 'stary-night'.* \(did you mean starry-night\?\): "):
        look("stary-night")
    with pytest.raises(StyleNotFoundError) as error:
        look("rembrandt")
    assert "did you mean" not in str(error.value)


@pytest.mark.parametrize("name", ["x" * 10**6, "a/" * 3000, "\0", "\x1b[31m", "\ud800"])
def test_a_name_that_can_be_none_is_told_shortly(name):
    """(issue 13, items 25 and 43)"""
    with pytest.raises(StyleNotFoundError) as error:
        find(name)
    assert len(str(error.value)) < 600 and str(error.value).isprintable()


def objectives(**values):
    figures = {name: {"content": 1.0, "style": 1.0, "objective": 1.0} for name in ("photo", "batch", "instance")}
    for name, value in values.items():
        figures[name]["objective"] = value
    record = {**figures, "photos": [], "command": "", "machine": ""}
    return lambda folder: (folder / "metrics.json").write_text(json.dumps({"held_out": {"256": record}}))


def facts(text):
    return lambda folder: (folder / "recipe.yaml").write_text(f"painting: {{{text}}}\n")


BAD = {
    "an objective below 0": objectives(photo=-1),
    "an objective beyond float": objectives(instance=10**400),
    "a hexadecimal title": facts(f"title: 0x{'f' * 5000}"),
    "a hexadecimal year": facts(f"year: 0x{'f' * 5000}"),
    "half a character": facts(r'title: "\ud800"'),
    "a broken recipe": facts("["),
    "a recipe that is a list": lambda folder: (folder / "recipe.yaml").write_text("[1]"),
    "a merge bomb": lambda folder: (folder / "recipe.yaml").write_text("a: &a {x: 1}\nb: {<<: [*a, *a]}"),
    "a broken config": lambda folder: (folder / "config.json").write_text("{"),
    "an unknown architecture": lambda folder: (folder / "config.json").write_text(
        GeneratorConfig().to_json().replace("johnson", "none")
    ),
    "a config of another kind": lambda folder: (folder / "config.json").write_text('{"width": [16]}'),
    "a name that is no UTF-8": lambda folder: folder.rename(os.fsdecode(os.fsencode(folder) + b"-\xff")),
}


@pytest.mark.parametrize("damage", BAD.values(), ids=BAD.keys())
def test_one_bad_style_is_left_out_with_one_line(small_pair, tmp_path, photo, monkeypatch, capsys, damage):
    """It took down list, info, stylize with a bundled style, and the page (issue 13, item 34)."""
    shutil.copytree(small_pair, tmp_path / "sound")
    damage(small_pair)
    monkeypatch.setenv(LOCAL_VARIABLE, str(tmp_path))
    assert main(["list"]) == 0
    out, err = capsys.readouterr()
    assert "starry-night" in out and "sound" in out and "small-pair" not in out
    assert err.startswith("left out: ") and "small-pair" in err and err.count("\n") == 1 and len(err) < 500
    if damage is not BAD["a name that is no UTF-8"]:
        assert err.startswith("left out: small-pair: ")
    assert main(["info", "starry-night"]) == 0 and main(["info", "sound"]) == 0
    assert main(["stylize", str(photo), "-s", "sound", "-o", str(tmp_path / "out" / "x.png"), "--size", "64"]) == 0
    assert [style.slug for style in sound_styles()[0] if style.source == "local"] == ["sound"]


@pytest.mark.parametrize("part", [".", "recipe.yaml", "metrics.json", "config.json", "model.safetensors", "batch"])
def test_a_style_that_may_not_be_read_is_left_out_with_one_line(small_pair, tmp_path, monkeypatch, capsys, forbidden, part):
    """(issue 13, item 34)"""
    shutil.copytree(small_pair, tmp_path / "sound")
    (small_pair / "recipe.yaml").write_text("steps: 3\n")
    monkeypatch.setenv(LOCAL_VARIABLE, str(tmp_path))
    forbidden(small_pair / part)
    assert main(["list"]) == 0 and main(["info", "sound"]) == 0
    out, err = capsys.readouterr()
    assert "starry-night" in out and "sound" in out
    if part == "batch":  # half of it can be used
        assert "small-pair" in out and err.startswith("left out: small-pair, its batch norm: ") and err.count("\n") == 1
    else:
        assert "small-pair" not in out and "Permission denied" in err and "small-pair" in err and err.count("\n") == 1


def put(what, path):
    """Something else in place of a file or a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a folder":
        path.mkdir()
    elif what == "a link to nothing":
        path.symlink_to(path.parent / "nothing")
    else:
        path.write_bytes(b"")


KINDS = ("a pipe", "a folder", "a link to nothing")


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("part", ["recipe.yaml", "metrics.json", "config.json", "model.safetensors"])
def test_what_is_no_file_is_broken_and_not_absent(small_pair, tmp_path, photo, monkeypatch, capsys, part, what):
    """A pipe for metrics.json was taken for nothing recorded, so that no SHA-256 was compared; styles without a config that is
    a file were left out without a line. (issue 13, item 34)"""
    monkeypatch.setenv(LOCAL_VARIABLE, str(tmp_path))
    put(what, small_pair / part)
    assert main(["list"]) == 0
    out, err = capsys.readouterr()
    assert "starry-night" in out and "small-pair" not in out
    assert err.startswith("left out: small-pair: ") and part in err and err.count("\n") == 1
    assert main(["stylize", str(photo), "-s", str(small_pair), "-o", str(tmp_path / "x.png"), "--size", "64"]) == 2
    assert not (tmp_path / "x.png").exists()


TWINS = [("batch", "a pipe"), ("batch", "a file"), ("batch/config.json", "a pipe"), ("batch/config.json", "a folder")]


@pytest.mark.parametrize(("part", "what"), [*TWINS, ("batch/config.json", "forbidden")])
def test_a_twin_that_cannot_be_read_is_said(small_pair, tmp_path, monkeypatch, capsys, forbidden, part, what):
    """(issue 13, item 34)"""
    forbidden(small_pair / part) if what == "forbidden" else put(what, small_pair / part)
    monkeypatch.setenv(LOCAL_VARIABLE, str(tmp_path))
    assert main(["list"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[2:3] for line in out.splitlines() if "small-pair" in line] == [["instance"]]
    assert err.startswith("left out: small-pair, its batch norm: ") and err.count("\n") == 1


def test_a_link_to_nothing_in_place_of_a_style_is_said(tmp_path, monkeypatch, capsys):
    """(issue 13, item 34)"""
    monkeypatch.setenv(LOCAL_VARIABLE, str(tmp_path))
    put("a link to nothing", tmp_path / "mine")
    assert main(["list"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("left out: mine: ") and "link to nothing" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("recipe.yaml", b"["),
        ("model.safetensors", None),
        *((f"{twin}model.safetensors", content) for twin in ("", "batch/") for content in (b"", b"[", b"\xff" * 500)),
    ],
)
def test_a_broken_style_hides_no_bundled_one(small_pair, photo, tmp_path, monkeypatch, capsys, part, content):
    """It took the bundled one of its slug with it. (issue 13, item 34)"""
    monkeypatch.setenv(LOCAL_VARIABLE, str(small_pair.parent))
    mine = small_pair.rename(small_pair.parent / "starry-night")
    assert find("starry-night").source == "local"
    (mine / part).unlink(missing_ok=True)
    if content is not None:
        (mine / part).write_bytes(content)
    assert find("starry-night").source == "bundled" and "starry-night" in [style.slug for style in sound_styles()[0]]
    assert main(["list"]) == 0
    out, err = capsys.readouterr()
    assert "starry-night   " in out and err.startswith("left out: starry-night: ") and err.count("\n") == 1
    assert main(["stylize", str(photo), "-s", "starry-night", "-o", str(tmp_path / "out" / "x.png"), "--size", "64"]) == 0


def test_a_folder_of_styles_that_may_not_be_read_is_one_line(small_pair, tmp_path, monkeypatch, capsys, forbidden):
    """(issue 13, item 34)"""
    monkeypatch.setenv(LOCAL_VARIABLE, str(tmp_path))
    forbidden(tmp_path)
    assert main(["list"]) == 0
    out, err = capsys.readouterr()
    assert "starry-night" in out and "Permission denied" in err and err.count("\n") == 1


def test_an_unknown_name_lists_what_there_is(tmp_path):
    with pytest.raises(StyleNotFoundError, match=list_styles()[0].slug):
        find("no-such-style")
    with pytest.raises(StyleNotFoundError):
        find(tmp_path)


def test_a_path_means_that_very_folder(tmp_path):
    slug = list_styles()[0].slug
    assert style_at(tmp_path / slug).folder == tmp_path / slug and style_at(tmp_path / slug).source == "local"


def test_the_record_of_a_style(small_pair):
    style = find(small_pair)
    assert style.recipe == {} and style.metrics.keys() == {"weights", "config"}
    assert style.painting == {} and style.picture() is None
    (small_pair / "recipe.yaml").write_text("painting: {title: The Ladder, year: 1923}\n")
    style = find(small_pair)
    assert style.title == "The Ladder" and style.painting["year"] == 1923


@pytest.mark.parametrize(("name", "text"), [("recipe.yaml", "a: ["), ("metrics.json", "{"), ("metrics.json", "[1]")])
def test_a_broken_record_is_named(small_pair, name, text):
    (small_pair / name).write_text(text)
    with pytest.raises(StyleFolderError, match=name.replace(".", r"\.")):
        getattr(find(small_pair), name.split(".")[0])


@pytest.mark.parametrize("file", ["recipe.yaml", "metrics.json"])
def test_a_style_whose_record_cannot_be_read_does_not_paint_silently(small_pair, photo, tmp_path, capsys, file):
    """As info and list, so does whatever paints say what is wrong (issue 13, items 18 and 23)"""
    (small_pair / file).write_text("[" if file == "recipe.yaml" else "{}}")
    assert main(["stylize", str(photo), "-s", str(small_pair), "-o", str(tmp_path / "x.png"), "--size", "64"]) == 2
    assert f"{file}: " in capsys.readouterr().err and not (tmp_path / "x.png").exists()
    for norm in ("instance", "batch"):
        with pytest.raises(StyleFolderError, match=file):
            zoo.load(small_pair, norm)


@pytest.mark.parametrize("name", ["recipe.yaml", "config.json", "batch/model.safetensors", "images", "images/instance.jpg"])
def test_a_local_style_with_a_link_in_it_is_none(small_pair, tmp_path, monkeypatch, capsys, name):
    """Its words would stand in an error that visitors read, its picture on the page (issue 13); of a path, info quoted them
    (issue 13, item 34)."""
    secret = tmp_path / "secrets" / "keys"
    secret.parent.mkdir()
    secret.write_text("[default]\nkey = TOPSECRET\n")
    link = small_pair / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(secret if "." in name else secret.parent)
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    assert "small-pair" not in [style.slug for style in list_styles()]
    assert any("is a link: put the file itself there" in problem for problem in sound_styles()[1])
    for found in ("small-pair", small_pair):
        with pytest.raises(ZooError) as caught:
            zoo.load(found)
        assert "TOPSECRET" not in str(caught.value)
    for command in (["info", str(small_pair)], ["texture", str(small_pair), "-o", str(tmp_path / "x.png")]):
        assert main(command) == 2
        err = capsys.readouterr().err
        assert "is a link: put the file itself there" in err and "TOPSECRET" not in err


def test_a_style_folder_may_itself_be_a_link(small_pair, tmp_path, monkeypatch):
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "mine").symlink_to(small_pair)
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(tmp_path / "zoo"))
    assert zoo.load("mine").config.width == 2
