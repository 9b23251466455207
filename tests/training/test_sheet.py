"""Contact sheets."""

import shutil

import numpy as np
import pytest
from PIL import Image

import zoo
from training.drawing.sheet import MARGIN, contact_sheet
from training.sheet import main
from zoo.images import open_photo


def test_one_row_a_photo_and_contrast(small_pair, photo, tmp_path):
    words = [photo, f"{photo}@0.5", "--styles", small_pair, "--out", tmp_path / "sheet.png", "--size", 64]
    assert main([str(word) for word in words]) == 0
    sheet = Image.open(tmp_path / "sheet.png")
    assert sheet.width == 3 * 64 + 4 * MARGIN and sheet.height > 2 * 64
    left, top = MARGIN, sheet.height - 2 * (64 + MARGIN)
    expected = zoo.stylize(open_photo(photo), small_pair, "instance", 64)
    x = left + 2 * (64 + MARGIN)
    assert np.array_equal(np.asarray(sheet.crop((x, top, x + 64, top + 64))), np.asarray(expected))


def test_one_row_a_style(small_pair, photo, tmp_path):
    words = [photo, "--styles", small_pair, small_pair, "--out", tmp_path / "sheet.png", "--size", 64, "--cell", 32]
    assert main([str(word) for word in words]) == 0
    sheet = Image.open(tmp_path / "sheet.png")
    assert sheet.width == 2 * 32 + 3 * MARGIN
    painted = np.asarray(zoo.stylize(open_photo(photo), small_pair, "batch", 64).resize((32, 32), Image.Resampling.LANCZOS))
    y = sheet.height - MARGIN - 32
    assert np.array_equal(np.asarray(sheet.crop((MARGIN, y, MARGIN + 32, y + 32))), painted)


def test_a_style_of_one_norm_has_one_column_beside_the_photo(small_pair, photo, tmp_path):
    """As `--norm instance` trains it."""
    shutil.rmtree(small_pair / "batch")
    words = [photo, "--styles", small_pair, "--out", tmp_path / "sheet.png", "--size", 64]
    assert main([str(word) for word in words]) == 0
    assert Image.open(tmp_path / "sheet.png").width == 2 * 64 + 3 * MARGIN


def test_columns_keep_their_order():
    cells = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    sheet = contact_sheet([cells], ["a", "b", "c"])
    y = sheet.height - MARGIN - 15
    assert [sheet.getpixel((MARGIN + 20 + i * (40 + MARGIN), y)) for i in range(3)] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


@pytest.mark.parametrize(("styles", "length"), [(1, "67,208"), (2, "134,360")])
def test_what_no_file_can_hold_is_told_before_it_is_painted(capsys, small_pair, photo, tmp_path, monkeypatch, styles, length):
    monkeypatch.setattr("training.drawing.sheet.stylize", None)
    words = ["--styles", *[str(small_pair)] * styles, "--size", "64", "--cell", "64"]
    target = tmp_path / "sheet.jpg"
    monkeypatch.setattr("training.sheet.read_photo", lambda name, size: Image.new("RGB", (64, 64)))
    assert main(["a.jpg"] * 933 + [*words, "--out", str(target)]) == 2
    assert f"would be {length} px long, and .jpg ends at 65,500" in capsys.readouterr().err and not target.exists()


@pytest.mark.parametrize(
    ("contrast", "flags", "message"),
    [("@2", [], "contrast"), ("@1.2.3", [], "contrast"), ("@0", [], "contrast"), ("", ["--size", "3"], "at least 32")],
)
def test_mistakes(capsys, small_pair, photo, tmp_path, contrast, flags, message):
    words = [f"{photo}{contrast}", "--styles", str(small_pair), "--out", str(tmp_path / "x.png"), *flags]
    assert main(words) == 2
    assert message in capsys.readouterr().err
