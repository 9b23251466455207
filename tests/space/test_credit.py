"""A kept picture says in whose style it is, in the fields that programs show."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

import zoo
from space.credit import ENDINGS, FORMATS, SHOWN, check_format, credit, encode
from zoo.errors import ConfigError
from zoo.style import Style

PICTURE = Image.effect_mandelbrot((64, 48), (-2, -1.2, 0.8, 1.2), 60).convert("RGB")


def read(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


@pytest.mark.parametrize("format", ENDINGS)
def test_every_format_credits_the_style_and_keeps_the_picture(format):
    said = credit([zoo.find("great-wave")], "instance")
    image = read(encode(PICTURE, format, said))
    exif = {key: image.getexif()[key].encode("latin-1").decode() for key in image.getexif()}
    words = exif[ExifTags.Base.ImageDescription]
    assert "The Great Wave off Kanagawa" in words and "Hokusai" in words and "instance norm" in words
    assert exif[ExifTags.Base.Artist] == "after Katsushika Hokusai, about 1831"
    assert exif[ExifTags.Base.Software] == f"Missing Ingredient {zoo.__version__}"
    kind = "WEBP" if format == SHOWN else format.upper()
    assert image.format == kind == Image.registered_extensions()[f".{ENDINGS[format]}"]
    far = np.abs(np.asarray(image, float) - np.asarray(PICTURE, float)).mean()
    assert far == 0 if format in ("PNG", SHOWN) else far < 8
    if format == "PNG":
        assert image.text == said and said["Title"] == "The Great Wave off Kanagawa"


def test_a_blend_names_all_of_its_styles():
    said = credit([zoo.find("udnie"), zoo.find("the-scream")], "batch")
    assert "Udnie and The Scream" in said["Description"] and "Picabia" in said["Author"] and "Munch" in said["Author"]


def test_whatever_a_stranger_calls_a_style_is_words(small_pair):
    title = "北斎 \\0 \\e[31m \\u202e é"
    (small_pair / "recipe.yaml").write_text(f'painting: {{title: "{title}"}}', encoding="utf-8")
    style = Style("x", small_pair, "eve/x@" + "0" * 40)
    said = credit([style], "instance")
    assert said["Title"] == "北斎  [31m  é" and "eve/x@0" in said["Description"] and "Author" not in said
    for format in FORMATS:
        words = read(encode(PICTURE, format, said)).getexif()[ExifTags.Base.ImageDescription]
        assert "北斎" in words.encode("latin-1").decode()


@pytest.mark.parametrize("format", [None, "png", "GIF", 5, ["PNG"], {}])
def test_a_format_that_is_none(format):
    with pytest.raises(ConfigError, match="PNG, JPEG, WebP"):
        check_format(format)


@pytest.mark.parametrize("format", [*FORMATS, SHOWN])
def test_a_picture_that_somebody_else_is_saving_is_encoded_as_ever(format):
    picture = Image.effect_mandelbrot((64, 48), (-2, -1.2, 0.8, 1.2), 60).convert("RGB")
    alone = encode(picture, format, {"Title": "mine"})
    picture.encoderinfo = {"quality": 5, "lossless": False, "exif": b"theirs", "pnginfo": None}  # Pillow's note, meanwhile
    assert encode(picture, format, {"Title": "mine"}) == alone
