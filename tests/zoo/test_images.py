"""Any picture Pillow reads becomes upright RGB; anything else becomes a PhotoError that says what to do."""

import io
import struct
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image

from zoo import images
from zoo.errors import PhotoError
from zoo.images import fade, fit_long_side, fit_short_side, list_photos, open_photo, save_picture, to_image, to_tensor


def saved(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    file.seek(0)
    return file


@pytest.fixture
def gradient():
    ramp = np.linspace(0, 255, 40 * 48).reshape(40, 48).astype(np.uint8)
    return Image.fromarray(np.stack([ramp, 255 - ramp, ramp // 2], axis=-1))


def test_exif_orientation_is_applied(gradient):
    exif = Image.Exif()
    exif[274] = 6  # turned by 90 degrees
    opened = open_photo(saved(gradient, "JPEG", exif=exif, quality=100))
    assert opened.size == (40, 48)
    difference = np.asarray(opened, int) - np.asarray(gradient.rotate(-90, expand=True), int)
    assert abs(difference).mean() < 3


def test_transparency_goes_over_white(gradient):
    gradient.putalpha(Image.new("L", gradient.size, 0))
    assert open_photo(saved(gradient)).getextrema() == ((255, 255),) * 3
    palette = Image.new("P", (40, 40), 0)
    palette.putpalette([10, 20, 30])
    assert open_photo(saved(palette, transparency=0)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "YCbCr", "HSV", "LAB", "La", "RGBa"])
def test_every_mode_becomes_rgb(gradient, mode):
    image = Image.new(mode, (40, 40)) if mode in ("LAB", "La", "RGBa") else gradient.convert(mode)
    assert open_photo(image).mode == "RGB"


@pytest.mark.parametrize("values", [np.uint16, np.int32])
def test_sixteen_bits_become_eight(values):
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64)
    image = Image.fromarray(ramp.astype(values))
    opened = np.asarray(open_photo(saved(image, "TIFF")))
    np.testing.assert_allclose(opened[..., 1], ramp / 257, atol=1)


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0, 1e6])
def test_float_pictures_find_their_white(top):
    ramp = np.linspace(0, top, 64 * 64, dtype=np.float32).reshape(64, 64)
    opened = np.asarray(open_photo(saved(Image.fromarray(ramp), "TIFF")))
    np.testing.assert_allclose(opened[..., 0], ramp * (255 / top), atol=0.51)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_finite_numbers_are_refused(value):
    """One of them made all of the picture black (issue 13, item 38)."""
    pixels = np.full((40, 40), 100, dtype=np.float32)
    pixels[3, 5] = value
    with pytest.raises(PhotoError, match="cannot read the picture.*no finite numbers"):
        open_photo(saved(Image.fromarray(pixels), "TIFF"))


def test_cmyk_jpeg(gradient):
    opened = open_photo(saved(gradient.convert("CMYK"), "JPEG", quality=95))
    assert abs(np.asarray(opened, int) - np.asarray(gradient, int)).mean() < 12


@pytest.mark.parametrize("format", ["EPS", "TGA", "PCX", "SGI", "ICO", "DDS", "IM", "MSP"])
def test_other_decoders_are_out_of_reach(tmp_path, gradient, format, monkeypatch):
    """Whatever a file is called: an EPS named .png reached the call of Ghostscript (issue 13, item 7)."""
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args, **options: pytest.fail("Ghostscript was called"))
    (gradient.convert("1") if format == "MSP" else gradient).save(path := tmp_path / "photo.png", format)
    Image.open(path).close()  # Pillow alone knows it
    with pytest.raises(PhotoError, match=r"cannot read photo\.png"):
        open_photo(path)


@pytest.mark.parametrize("format", images.FORMATS)
def test_what_is_promised_is_read(gradient, format):
    options = {"save_all": True, "append_images": [gradient]} if format == "GIF" else {}
    assert open_photo(saved(gradient, format, **options)).size == gradient.size


def test_a_jpeg_with_a_second_picture_is_read(gradient):
    """As phones make them (issue 13, item 7)."""
    opened = open_photo(saved(gradient, "MPO", save_all=True, append_images=[gradient]))
    assert opened.size == gradient.size


@pytest.mark.parametrize("content", [b"", b"plain text, no picture", b"\xff\xd8\xff\xe0 broken"])
def test_a_broken_file_is_refused(tmp_path, content):
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=r"cannot read broken\.jpg .*(none, or of an unknown format|Truncated).*WebP or TIFF"):
        open_photo(path)


def test_a_truncated_file_is_refused(tmp_path, photo):
    path = tmp_path / "half.jpg"
    path.write_bytes(photo.read_bytes()[:20_000])
    with pytest.raises(PhotoError, match="truncated"):
        open_photo(path)


def test_tiny_and_enormous_pictures_are_refused():
    with pytest.raises(PhotoError, match="31×100"):
        open_photo(saved(Image.new("RGB", (31, 100))))
    small = saved(Image.new("1", (32, 32))).getvalue()
    assert open_photo(io.BytesIO(small)).size == (32, 32) and images.MAX_PIXELS == 200_000_000
    for width, height, told in ((20_100, 10_000, "201 megapixels"), (30_000, 15_000, "enormous")):  # beyond Pillow's own guard
        header = b"IHDR" + struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0)  # says it were that large
        with pytest.raises(PhotoError, match=told):
            open_photo(io.BytesIO(small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PhotoError, match=r"no such file.*away\.jpg"):
        open_photo(tmp_path / "away.jpg")


def test_long_side_is_reduced_never_enlarged():
    picture = Image.new("RGB", (300, 200))
    assert fit_long_side(picture, 150).size == (150, 100)
    assert fit_long_side(picture, 400) is picture is fit_long_side(picture, None)
    assert fit_long_side(Image.new("RGB", (2000, 100)), 320).size == (320, 32)
    assert fit_short_side(picture, 64).size == (96, 64) and fit_short_side(picture, 400).size == (600, 400)


def test_tensors_round_trip(gradient):
    tensor = to_tensor(gradient)
    assert tensor.shape == (1, 3, 40, 48) and tensor.dtype == torch.float32
    assert tensor[0, 0, 0, 0] == 0 and tensor[0, 1, 0, 0] == 1
    assert np.array_equal(np.asarray(to_image(tensor)), np.asarray(gradient))


def test_photos_of_a_folder(tmp_path, gradient):
    for name in ("b.png", "a.JPG", "deep/c.webp", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [p.name for p in list_photos(tmp_path)] == ["a.JPG", "b.png", "c.webp"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotoError, match="no pictures"):
        list_photos(tmp_path / "empty")
    with pytest.raises(PhotoError, match="not a folder"):
        list_photos(tmp_path / "b.png")


def test_fading_scales_contrast_about_the_mean():
    photo = Image.effect_noise((64, 48), 50).convert("RGB")
    before, after = (np.asarray(image, float) for image in (photo, fade(photo, 0.25)))
    assert after.mean() == pytest.approx(before.mean(), abs=1)
    assert after.std() == pytest.approx(before.std() / 4, rel=0.1)
    assert fade(photo, 1) is photo


def test_a_limit_of_pixels_is_kept_before_anything_is_decoded(monkeypatch):
    """The caller's own, lower limit, with its number in the error (issue 13, items 19 and 40)."""
    bomb = saved(Image.new("1", (3000, 2000)))
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("was decoded"))
    with pytest.raises(PhotoError, match=r"6 megapixels.*at most 4"):
        open_photo(bomb, max_pixels=4_000_000)


def test_a_large_jpeg_is_decoded_reduced_and_looks_the_same(examples, monkeypatch):
    """At a long side that is asked for, as after decoding it in full (issue 13, item 40)."""
    exif = Image.Exif()
    exif[274] = 6
    photo = open_photo(examples / "raccoon.jpg").resize((2400, 1800))
    file = saved(photo, "JPEG", exif=exif, quality=95)
    whole = np.asarray(fit_long_side(open_photo(file), 256), dtype=float)
    file.seek(0)
    decoded = []
    transpose = images.ImageOps.exif_transpose
    monkeypatch.setattr(images.ImageOps, "exif_transpose", lambda image: decoded.append(image.size) or transpose(image))
    reduced = np.asarray(open_photo(file, 256), dtype=float)
    assert decoded == [(600, 450)] and reduced.shape == whole.shape == (256, 192, 3)
    assert abs(reduced - whole).mean() < 1


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, OSError])
def test_nothing_is_left_of_a_picture_whose_writing_was_ended(tmp_path, gradient, monkeypatch, end):
    """Ctrl-C left .a.png.png, which the next folder run painted (issue 13, item 42)."""
    (tmp_path / "a.png").write_bytes(b"what was there")

    def write(image, file, *args):
        file.write(b"half of it")
        raise end

    monkeypatch.setitem(Image.SAVE, "PNG", write)
    with pytest.raises(PhotoError if end is OSError else end):
        save_picture(gradient, tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"what was there"


def test_the_half_written_and_the_hidden_are_no_photos(tmp_path, gradient):
    """(issue 13, item 42)"""
    for name in (".a.png.png", "._a.png", ".thumbnails/a.png", "a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        gradient.save(tmp_path / name)
    assert list_photos(tmp_path) == [tmp_path / "a.png"]


def test_a_folder_that_may_not_be_read_is_named(tmp_path, forbidden):
    """(issue 13, item 42)"""
    forbidden(tmp_path)
    with pytest.raises(PhotoError, match="cannot read the folder .*Permission denied"):
        list_photos(tmp_path)


@pytest.mark.parametrize("compression", ["tiff_lzw", "group4"])
def test_libtiff_does_not_speak_for_itself(gradient, compression, capfd):
    """It wrote its own lines to stderr, past the one of the error (issue 13, item 43)."""
    data = bytearray(saved(gradient.convert("1"), "TIFF", compression=compression).getvalue())
    data[8:40] = bytes(b ^ 0xFF for b in data[8:40])
    with suppress(PhotoError):
        open_photo(io.BytesIO(bytes(data)))
    print("heard", file=sys.stderr)
    assert capfd.readouterr().err == "heard\n"


def test_errors_name_the_file_shortly_and_no_other_path(tmp_path):
    """Megabytes of name, temporary paths, addresses in memory (issue 13, item 43)."""
    (tmp_path / "words.png").write_bytes(b"no picture")
    with pytest.raises(PhotoError) as error:
        open_photo(tmp_path / "words.png")
    assert str(tmp_path) not in str(error.value) and "cannot read words.png" in str(error.value)
    with pytest.raises(PhotoError) as error:
        open_photo(io.BytesIO(b"no picture"))
    assert "BytesIO" not in str(error.value)
    with pytest.raises(PhotoError) as error:
        open_photo(Path("x" * 10**6 + ".png"))
    assert len(str(error.value)) < 300


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded(tmp_path, photo):
    """A megabyte may hold 80,000 of them, each a walk over all blocks. (issue 13, items 19 and 40)"""
    plain = tmp_path / "plain.jpg"
    Image.open(photo).save(plain, progressive=True)
    assert open_photo(plain).size == (512, 512)
    bomb = plain.read_bytes()
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x3f\x3f\x00\x7f\xff\x00"
    (tmp_path / "bomb.jpg").write_bytes(bomb[:-2] + 200 * scan + bomb[-2:])
    with pytest.raises(PhotoError, match="bomb.jpg comes in 2.. scans"):
        open_photo(tmp_path / "bomb.jpg", 256)


def tiled_tiff(*sides):
    """A TIFF of 64×64 px, grey, in one tile; each side of it said (tag, px), whatever the picture is."""
    tags = [(256, 64), (257, 64), (258, 8), (259, 8), (262, 1), (277, 1), *sides, (324, 0), (325, 0)]
    start = 8 + 2 + 12 * len(tags) + 4
    data = zlib.compress(bytes(256 * 256))
    known = {324: start, 325: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, known.get(tag, value)) for tag, value in tags)
    return io.BytesIO(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data)


def test_tiles_are_no_larger_than_a_picture_may_be():
    """A 64×64 px TIFF of 0.4 MB took half a gigabyte, and might take all there is (issue 13, items 7 and 40)."""
    assert open_photo(tiled_tiff((322, 256), (323, 256))).size == (64, 64)
    with pytest.raises(PhotoError, match="tiles of 12288×20480 px"):
        open_photo(tiled_tiff((322, 12288), (323, 20480)))
    with pytest.raises(PhotoError, match="tiles of 256×256 px"):
        open_photo(tiled_tiff((322, 256), (323, 256)), max_pixels=5000)
    with pytest.raises(PhotoError, match="odd tiles"):  # libtiff takes the first, Pillow the last
        open_photo(tiled_tiff((322, 12288), (322, 256), (323, 256)))


@pytest.mark.parametrize("head, number", [(b"P2 %d %d 255\n", b"7 "), (b"P1 %d %d\n", b"0"), (b"P5 %d %d 254\n", b"7")])
def test_a_large_ppm_is_not_read_number_by_number(head, number):
    """52 million numbers, which 100 MB hold, were a minute of Python (issue 13, items 7 and 40)."""
    assert open_photo(io.BytesIO(head % (40, 40) + 1600 * number)).size == (40, 40)
    with pytest.raises(PhotoError, match="a large PPM"):
        open_photo(io.BytesIO(head % (1024, 1024) + number))


def test_a_jpeg_2000_may_have_a_tenth_of_the_pixels(tmp_path):
    """(issue 13, item 40)"""
    Image.new("RGB", (100, 100)).save(tmp_path / "100.jp2")
    Image.new("RGB", (110, 110)).save(tmp_path / "110.jp2")
    assert open_photo(tmp_path / "100.jp2", max_pixels=100_000).size == (100, 100)
    with pytest.raises(PhotoError, match=r"110\.jp2 is a JPEG 2000 of more than"):
        open_photo(tmp_path / "110.jp2", max_pixels=100_000)
