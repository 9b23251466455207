"""The pictures of a style folder: made by its stored generators, of the photos that were asked for."""

import numpy as np
import pytest
from PIL import Image, ImageStat

import zoo
from training.drawing.style_pictures import (
    CROP,
    FADED,
    PREVIEW_PHOTOS,
    PREVIEW_SIZE,
    SIZES,
    TILE_SIZE,
    draw_pictures,
    preview_photos,
    size_sheet,
)
from training.pictures import main
from zoo.images import open_photo
from zoo.style import PHOTO, style_at


def test_the_last_preview_photo_is_the_one_before_it_faded(examples):
    photos = preview_photos(examples)
    assert len(photos) == PREVIEW_PHOTOS + 1 and all(min(photo.size) == PREVIEW_SIZE for photo in photos)
    plain, faded = (np.asarray(photo, dtype=float).std(axis=(0, 1)) for photo in photos[-2:])
    np.testing.assert_allclose(faded / plain, FADED, rtol=0.02)


def test_unreadable_photos_are_left_out(tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    assert len(preview_photos(None, [broken])) == 2  # the zoo's own, and that one faded


def test_sizes_are_shown_pixel_for_pixel(small_pair):
    style, photo = style_at(small_pair), open_photo(PHOTO)
    sheet = size_sheet(style, photo)
    large = photo.resize((SIZES[-1], round(photo.height * SIZES[-1] / photo.width)), Image.Resampling.LANCZOS)
    painted, (w, h) = zoo.stylize(large, small_pair), CROP
    left, top = (painted.width - w) // 2, (painted.height - h) // 2
    expected = painted.crop((left, top, left + w, top + h))
    x, y = sheet.width - 8 - w, sheet.height - 8 - h
    assert np.array_equal(np.asarray(sheet.crop((x, y, x + w, y + h))), np.asarray(expected))


@pytest.mark.slow
def test_all_pictures_are_written(small_pair, examples):
    assert main([str(small_pair), "--photos", str(examples)]) == 0
    assert {p.name for p in (small_pair / "images").iterdir()} == {
        "photo.jpg", "batch.jpg", "instance.jpg", "preview.jpg", "sizes.jpg",
    }  # fmt: skip
    assert ImageStat.Stat(Image.open(small_pair / "images" / "preview.jpg").convert("L")).stddev[0] > 5


def test_a_texture_is_shown_as_tiles(tmp_path):
    zoo.save(zoo.create(architecture="synthesis", width=2, padding="circular"), tmp_path / "tiles")
    draw_pictures(style_at(tmp_path / "tiles"), [])
    images = {p.name: open_photo(p) for p in (tmp_path / "tiles" / "images").iterdir()}
    assert images.keys() == {"instance.jpg", "preview.jpg"} and images["instance.jpg"].size == (TILE_SIZE, TILE_SIZE)
    shown, expected = (
        np.asarray(picture.convert("L"), float).ravel()
        for picture in (images["instance.jpg"], zoo.texture(tmp_path / "tiles", TILE_SIZE))
    )
    assert np.corrcoef(shown, expected)[0, 1] > 0.8  # but for JPEG, hard on an untrained net's noise


def test_mistakes(examples, capsys):
    assert main(["no-such-style", "--photos", str(examples)]) == 2
    assert "no style" in capsys.readouterr().err
