"""Small files that are made of many parts, which Pillow reads one by one: seconds to hours of a core (issue 13, item 40)."""

import io
import struct
import zlib

import pytest
from PIL import Image

from zoo.containers import MOST, has_too_many_parts
from zoo.errors import PhotoError
from zoo.images import open_photo

MANY = MOST + 1


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def saved(format, **options):
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, format, **options)
    return file.getvalue()


def after(head, parts, format):
    data = saved(format)
    return data[:head] + parts + data[head:]


def gif(parts):
    data = saved("GIF")
    head = 13 + (3 * 2 ** ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    return data[:head] + parts + data[head:]


BOMBS = {
    "segments": after(2, b"\xff\xe5\0\2" * MANY, "JPEG"),
    "EXIF in pieces": after(2, b"\xff\xe1\0\x12Exif\0\0" + b"a" * 10 + b"\xff\xe1\0\x12Exif\0\0aaaaaaaaaa" * MANY, "JPEG"),
    "bytes between segments": after(2, b"a" * MANY, "JPEG"),
    "fill bytes": after(2, b"\xff" * MANY, "JPEG"),
    "chunks": after(33, chunk(b"abCd") * MANY, "PNG"),
    "chunks after the pixels": saved("PNG")[:-12] + chunk(b"abCd") * MANY + saved("PNG")[-12:],
    "a comment in pieces": gif(b"!\xfe" + b"\x01a" * MANY + b"\0"),
    "comments": gif(b"!\xfe\x01a\0" * MANY),
}


@pytest.mark.parametrize("name", BOMBS)
def test_many_parts_are_refused_before_they_are_read(name, monkeypatch, tmp_path):
    (tmp_path / "a.jpg").write_bytes(BOMBS[name])
    monkeypatch.setattr(Image, "open", None)
    for source in (tmp_path / "a.jpg", io.BytesIO(BOMBS[name])):
        with pytest.raises(PhotoError, match="thousands of parts beside its pixels: save it anew"):
            open_photo(source)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (saved("JPEG", comment=b"x" * 60_000, icc_profile=b"p" * 300_000), (64, 48)),
        (saved("PNG"), (64, 48)),
        (gif(b"!\xfe" + b"\xff" + b"a" * 255 + b"\0"), (64, 48)),
        (after(33, chunk(b"abCd") * 100, "PNG"), (64, 48)),
        (b"", None),
        (b"\xff\xd8", None),
        (b"GIF89a", None),
        (b"\x89PNG\r\n\x1a\n", None),
    ],
)
def test_others_are_read_as_before(data, size):
    file = io.BytesIO(data)
    assert not has_too_many_parts(file) and file.tell() == 0
    if size:
        assert open_photo(file).size == size


def test_pixels_may_come_in_many_chunks():
    """As those of a large PNG do."""
    raw = zlib.compress(b"".join(b"\0" + bytes(64 * 3) for _ in range(48)), 0)
    data = saved("PNG")[:33] + b"".join(chunk(b"IDAT", raw[i : i + 1]) for i in range(len(raw))) + chunk(b"IEND")
    assert len(raw) > MOST and open_photo(io.BytesIO(data)).size == (64, 48)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "JPEG"])
def test_large_exif_is_not_unpacked(format):
    """A tag of a million fractions is written anew, number by number, where the picture is turned."""
    count = 3 * 2**20 // 8 if format != "JPEG" else 10
    entries = struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<HHII", 0x9999, 5, count, 38)
    exif = b"II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4) + struct.pack("<II", 1, 3) * count
    turned = format == "JPEG"  # a small one is heeded
    exif = b"Exif\0\0" * turned + exif
    assert open_photo(io.BytesIO(saved(format, exif=exif))).size == ((48, 64) if turned else (64, 48))


def test_a_large_bmp_of_runs_is_refused():
    side, runs = 3000, b"\x01\x05\0\0" * 3000
    head = struct.pack("<IHHI", 54 + 1024 + len(runs), 0, 0, 54 + 1024)
    data = b"BM" + head + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(runs), 0, 0, 256, 0) + bytes(1024) + runs
    with pytest.raises(PhotoError, match="BMP written as runs of more than 5 megapixels: save it as a PNG"):
        open_photo(io.BytesIO(data), max_pixels=50_000_000)
