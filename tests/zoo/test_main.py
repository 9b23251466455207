"""The command line: what it prints, what it writes, and how it fails."""

import json
import os
import shutil

import pytest
from PIL import Image

from tests.conftest import size_of
from zoo.__main__ import main
from zoo.catalog import list_styles


@pytest.fixture
def style():
    return list_styles()[0].slug


def run(capsys, *args):
    code = main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return code, out, err


def test_list_as_json(capsys):
    code, out, _ = run(capsys, "list", "--json")
    rows = json.loads(out)
    assert code == 0 and len(rows) == len(list_styles())
    assert all(set(row) == {"slug", "title", "norms", "source", "takes_photo"} for row in rows)
    assert rows[0]["norms"] == ["instance", "batch"] and rows[0]["source"] == "bundled"


def test_list_and_info_for_people(capsys, style):
    code, out, _ = run(capsys, "list")
    assert code == 0 and style in out and "instance + batch" in out and out.count("(makes tiles)") == 1
    code, out, _ = run(capsys, "info", style)
    assert code == 0 and "held-out objective at 256 px" in out and "painting's licence" in out and "tiles" not in out
    assert "python -m zoo texture starry-night-texture" in run(capsys, "info", "starry-night-texture")[1]


@pytest.mark.slow
def test_one_photo_to_a_file(run_module, photo, style, tmp_path):
    out = tmp_path / "deep" / "out.png"
    done = run_module("zoo", "stylize", photo, "-s", style, "-o", out, "--size", "128")
    assert done.returncode == 0 and done.stderr == "" and done.stdout == f"{out}\n"
    assert size_of(out) == (128, 128)


def test_norms_differ(capsys, photo, style, tmp_path):
    for norm in ("instance", "batch"):
        assert run(capsys, "stylize", photo, "-s", style, "-o", tmp_path / f"{norm}.png", "--size", 96, "--norm", norm)[0] == 0
    assert (tmp_path / "instance.png").read_bytes() != (tmp_path / "batch.png").read_bytes()


def test_a_photo_smaller_than_size_keeps_its_own_and_says_so(capsys, small_pair, photo, tmp_path):
    code, _, err = run(capsys, "stylize", photo, "-s", small_pair, "-o", tmp_path / "out.jpg", "--size", 2000)
    assert code == 0 and "512×512 px" in err and "keeps its own size" in err
    assert size_of(tmp_path / "out.jpg") == (512, 512)


def test_several_photos_and_folders_go_into_a_folder(capsys, small_pair, examples, photo, tmp_path):
    code, out, _ = run(capsys, "stylize", examples, "-s", small_pair, "-o", tmp_path / "all", "--size", 64)
    assert code == 0 and out == f"{len(list(examples.iterdir()))} photos painted into {tmp_path / 'all'}\n"
    assert sorted(p.name for p in (tmp_path / "all").iterdir()) == sorted(f"{p.stem}.png" for p in examples.iterdir())
    (tmp_path / "there").mkdir()
    assert run(capsys, "stylize", photo, "-s", small_pair, "-o", tmp_path / "there", "--size", 64)[0] == 0
    assert (tmp_path / "there" / "astronaut.png").exists()


def test_a_bad_photo_does_not_stop_the_others(capsys, small_pair, photo, tmp_path):
    shutil.copy(photo, tmp_path / "good.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    inputs = tmp_path / "bad.jpg", tmp_path / "good.jpg"
    code, _, err = run(capsys, "stylize", *inputs, "-s", small_pair, "-o", tmp_path / "out", "--size", 64)
    assert code == 3 and "1 of 2 photos failed" in err and f"{inputs[0]}: cannot read bad.jpg as a picture" in err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["good.png"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["stylize", "away.jpg", "-s", "{pair}", "-o", "x.png"], "no such file"),
        (["stylize", "{photo}", "-s", "no-such", "-o", "x.png"], "no style 'no-such'"),
        (["stylize", "{photo}", "-s", "{pair}", "-o", "x.doc"], "end its name in .png"),
        (["stylize", "{photo}", "-s", "{pair}", "-o", "x.png", "--size", "5"], "at least 32"),
        (["stylize", "{photo}", "{photo}", "-s", "{pair}", "-o", "out"], "rename one"),
        (["stylize", "{photo}", "{photo}", "-s", "{pair}", "-o", "{photo}"], "is a file"),
        (["stylize", "{photo}", "-s", "{pair}", "-o", "{photo}/deep/x.png", "--size", "64"], "cannot write"),
        (["info", "no-such"], "no style"),
    ],
)
def test_mistakes_end_with_code_2_and_one_plain_line(capsys, monkeypatch, small_pair, photo, tmp_path, args, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *(arg.format(pair=small_pair, photo=photo) for arg in args))
    assert code == 2 and out == "" and message in err
    assert err.startswith("error: ") and err.count("\n") == 1


def test_cuda_where_there_is_none(capsys, small_pair, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    code, _, err = run(capsys, "stylize", photo, "-s", small_pair, "-o", tmp_path / "x.png", "--device", "cuda")
    assert code == 2 and "no CUDA GPU" in err


def test_photos_are_never_overwritten(capsys, small_pair, photo, tmp_path):
    shutil.copy(photo, tmp_path / "a.jpg")
    Image.open(photo).resize((64, 64)).save(tmp_path / "b.png")
    before = (tmp_path / "b.png").read_bytes()
    for words in (["stylize", tmp_path, "-o", tmp_path], ["stylize", tmp_path / "b.png", "-o", tmp_path / "b.png"]):
        code, _, err = run(capsys, *words, "-s", small_pair, "--size", 64)
        assert code == 2 and "would overwrite the photo" in err
    assert (tmp_path / "b.png").read_bytes() == before and not (tmp_path / "a.png").exists()


def test_a_folder_can_be_painted_twice_into_a_folder_of_its_own(capsys, small_pair, photo, tmp_path):
    shutil.copy(photo, tmp_path / "a.jpg")
    for _ in range(2):
        assert run(capsys, "stylize", tmp_path, "-s", small_pair, "-o", tmp_path / "out", "--size", 64)[0] == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.png"]


def test_a_folder_can_be_painted_into_the_one_above_it(capsys, small_pair, photo, tmp_path):
    deep = tmp_path / "holiday" / "day1"
    deep.mkdir(parents=True)
    shutil.copy(photo, deep / "a.jpg")
    assert main(["stylize", str(deep), "-s", str(small_pair), "-o", str(deep.parent), "--size", "64"]) == 0
    assert [p.name for p in deep.parent.glob("*.png")] == ["a.png"]
    (deep / "a.jpg").unlink()
    (deep / "painted").mkdir()
    (deep.parent / "a.png").rename(deep / "painted" / "a.png")
    assert main(["stylize", str(deep), "-s", str(small_pair), "-o", str(deep / "painted")]) == 2
    assert "another --out" in capsys.readouterr().err


def test_a_format_that_cannot_hold_the_picture(capsys, small_pair, tmp_path):
    Image.new("RGB", (16_500, 32)).save(tmp_path / "long.png")
    (tmp_path / "out.webp").write_bytes(b"what was there")
    code, _, err = run(capsys, "stylize", tmp_path / "long.png", "-s", small_pair, "-o", tmp_path / "out.webp")
    assert code == 2 and "cannot write" in err and "16383" in err
    assert (tmp_path / "out.webp").read_bytes() == b"what was there" and len(list(tmp_path.glob(".*"))) == 0


def test_a_damaged_style_is_left_out_and_named(capsys, small_pair, monkeypatch, style):
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", f"{small_pair.parent}:/no/such/folder")
    (small_pair / "metrics.json").write_text('{"held_out": {"256": {"photo": 3}}}')
    code, out, err = run(capsys, "list")
    assert code == 0 and style in out and "small-pair" not in out
    assert "left out" in err and "metrics.json" in err and "/no/such/folder" in err
    code, _, err = run(capsys, "info", "small-pair")
    assert code == 2 and "metrics.json" in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")
def test_what_is_no_photo_to_be_read_is_one_line_or_skipped(capsys, small_pair, photo, tmp_path):
    """Names too long, dangling and looped links, pipes: a traceback, or a command that waits for ever (issue 13, item 42)."""
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    (folder / "away.jpg").symlink_to("nowhere.jpg")
    (folder / "ring.jpg").symlink_to("ring.jpg")
    os.mkfifo(folder / "pipe.jpg")
    shutil.copy(photo, folder / ".hidden.jpg")
    style = ["-s", small_pair, "--size", 64]
    code, _, err = run(capsys, "stylize", folder, "-o", out, *style)
    assert code == 2 and "no pictures in" in err
    wrong = {"away": "no such file", "ring": "symbolic links", "pipe": "is no file", "x" * 300: "name too long"}
    for name, why in wrong.items():
        code, printed, err = run(capsys, "stylize", folder / f"{name}.jpg", "-o", out / "x.png", *style)
        assert code == 2 and why in err and err.count("\n") == 1 and len(err) < 400 and not printed
    shutil.copy(photo, folder / "good.jpg")
    assert run(capsys, "stylize", folder, "-o", out, *style)[0] == 0
    assert [path.name for path in out.iterdir()] == ["good.png"]
    os.mkfifo(pipe := tmp_path / "pipe.png")
    code, _, err = run(capsys, "stylize", folder / "good.jpg", "-o", pipe, *style)
    assert code == 2 and "is no file; give another name" in err and not pipe.is_file()
    ring = tmp_path / "ring"
    ring.symlink_to("ring")
    for bad in (ring, tmp_path / "x" / ("y" * 300), tmp_path / ("y" * 300 + ".png")):
        for photos, name in (([folder / "good.jpg"] * 2, "z"), ([folder / "good.jpg"], "z.png")):
            code, _, err = run(capsys, "stylize", *photos, "-o", bad / name, *style)
            assert code == 2 and err.count("\n") == 1


def test_a_photo_with_a_name_as_long_as_names_may_be(capsys, small_pair, photo, tmp_path):
    """The file that is written first had a longer one (issue 13, item 42)."""
    shutil.copy(photo, long := tmp_path / f"{'n' * 251}.jpg")
    (tmp_path / "out").mkdir()
    assert run(capsys, "stylize", long, "-s", small_pair, "-o", tmp_path / "out", "--size", 64)[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{'n' * 251}.png"]


def test_a_photo_that_may_not_be_read_does_not_stop_the_others(capsys, small_pair, photo, tmp_path, forbidden):
    """(issue 13, item 42)"""
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(photo, tmp_path / name)
    forbidden(tmp_path / "a.jpg")
    code, _, err = run(capsys, "stylize", tmp_path, "-s", small_pair, "-o", tmp_path / "out", "--size", 64)
    assert code == 3 and "1 of 2 photos failed" in err and "a.jpg: cannot read a.jpg: Permission denied" in err
    assert (tmp_path / "out" / "b.png").exists()
