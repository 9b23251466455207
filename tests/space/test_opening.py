"""The first pictures of the page are those that its style paints now."""

import numpy as np
from PIL import Image

import zoo
from space import opening
from zoo.catalog import find
from zoo.style import style_at


def test_what_is_painted_in_advance_is_what_would_be_painted():
    pictures = {norm: np.asarray(Image.open(path).convert("RGB"), float) for norm, path in opening.PICTURES.items()}
    for norm, picture in pictures.items():
        wanted = np.asarray(zoo.stylize(opening.hazy_photo(), opening.STYLE, norm), float)
        assert picture.shape == wanted.shape and np.abs(picture - wanted).mean() < 12  # of 255, by JPEG; of another style 40
    spread = {norm: picture.std() for norm, picture in pictures.items()}
    assert spread["batch"] < 0.5 * spread["instance"]  # it shows what it is there to show


def test_another_style_opens_with_its_own_pictures(small_pair):
    first = opening.of(style_at(small_pair))
    assert first.contrast == 100 and "An example" in first.words and set(first.pictures.values()) == {None}
    assert opening.of(find(opening.STYLE)).pictures == opening.PICTURES
