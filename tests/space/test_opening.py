"""The first pictures of the page are those that its style paints now."""

import numpy as np
from PIL import Image

import zoo
from space import opening


def test_what_is_painted_in_advance_is_what_would_be_painted():
    pictures = {norm: np.asarray(Image.open(path).convert("RGB"), float) for norm, path in opening.PICTURES.items()}
    for norm, picture in pictures.items():
        wanted = np.asarray(zoo.stylize(opening.hazy_photo(), opening.STYLE, norm), float)
        assert picture.shape == wanted.shape and np.abs(picture - wanted).mean() < 12  # of 255, by JPEG; of another style 40
    spread = {norm: picture.std() for norm, picture in pictures.items()}
    assert spread["batch"] < 0.5 * spread["instance"]  # it shows what it is there to show
