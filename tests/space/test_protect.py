"""What was brushed over, as the page gets it."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from space import actions, asked, words
from zoo.catalog import list_styles
from zoo.errors import PhotoError


def drawn(size, box):
    """What the page's brush says of a rectangle."""
    image, file = Image.new("RGBA", size), io.BytesIO()
    image.paste("#ff0080", box)
    image.save(file, "PNG")
    return asked.PNG + base64.b64encode(file.getvalue()).decode()


def test_what_was_brushed_stays_the_photo_of_both_norms(photo):
    done = actions.compare(str(photo), list_styles()[0].slug, 96)
    how = actions.Finish(protect=asked.check_protect(drawn((384, 384), (192, 0, 384, 384))))
    for norm in words.NORMS:
        found, plain = (np.asarray(done.picture(norm, *more)) for more in ((how,), ()))
        assert np.array_equal(found[:, 54:], np.asarray(done.photo)[:, 54:]) and np.array_equal(found[:, :42], plain[:, :42])
    with pytest.raises(PhotoError, match=r"the mask is 384×192 px, .* 96×96"):
        done.picture("batch", actions.Finish(protect=asked.check_protect(drawn((384, 192), (0, 0, 9, 9)))))


def test_a_brush_that_is_none_is_refused():
    assert asked.check_protect("") is None and asked.check_protect(None) is None
    noise = Image.effect_noise((384, 384), 99)
    noise.save(file := io.BytesIO(), "PNG")
    large = asked.PNG + base64.b64encode(file.getvalue()).decode()
    for junk in (
        1,
        [],
        {"path": "/etc/passwd"},
        "/etc/passwd",
        "data:image/jpeg;base64,AAAA",
        asked.PNG + "é",
        asked.PNG + "A",
        large,
    ):
        with pytest.raises(PhotoError, match="clear it, and brush again"):
            asked.check_protect(junk)
    for junk in (asked.PNG, asked.PNG + "AAAA", drawn((4000, 400), (0, 0, 9, 9))):
        with pytest.raises(PhotoError, match="the picture"):
            asked.check_protect(junk)
