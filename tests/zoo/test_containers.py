"""Small files that are made of many parts, which Pillow reads one by one: seconds to hours of a core (issue 13, item 40)."""

import io
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image

from zoo.containers import HEADER, MAX_EXIF, MAX_NUMBERS, MOST, MOST_DATA, has_too_many_parts
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
    "chunks of pixels": after(33, chunk(b"IDAT") * (MOST_DATA + 1), "PNG"),
    "boxes": after(12, b"\0\0\0\x08free" * MANY, "JPEG2000"),
    "a header's comment": b"P6\n#" + b"a" * HEADER + b"\n64 48\n255\n" + bytes(64 * 48 * 3),
    "a header's spaces": b"P6" + b" " * HEADER + b"64 48 255 " + bytes(64 * 48 * 3),
    "comments among pixels": b"P3\n64 48\n255\n" + b"#\n" * MANY + b"1 2 3 " * (64 * 48),
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
        (saved("PPM"), (64, 48)),
        (b"P3 # of a child\n64 48 255\n" + b"1 2 3 " * (64 * 48), (64, 48)),
        (b"P4 2048 512\n" + b" " * (2048 // 8 * 512), (2048, 512)),
        (saved("JPEG2000"), (64, 48)),
        (saved("AVIF"), (64, 48)),
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


def directory(*entries, after=b"", padded=0):
    """A TIFF of (tag, type, count, value or place of the values), as EXIF is one, too; a place of None is that of `after`."""
    begin = 8 + 2 + 12 * len(entries) + 4
    placed = [(*entry[:3], begin if entry[3] is None else entry[3]) for entry in sorted(entries)]
    packed = b"".join(struct.pack("<HHII", *entry) for entry in placed)
    return (b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4) + after).ljust(padded, b"\0")


def tiff(*entries, after):
    """One of 64×48 px in grey, all black, with entries beside or instead of what it needs."""
    need = [(256, 4, 1, 64), (257, 4, 1, 48), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 400), (277, 3, 1, 1),
            (278, 4, 1, 48), (279, 4, 1, 64 * 48)]  # fmt: skip
    return directory(*{entry[0]: entry for entry in [*need, *entries]}.values(), after=after)


def exif_over_itself():
    size = MAX_EXIF // 2
    return directory(*((1000 + i, 1, size, 8) for i in range(300)), padded=size + 8192)


def in_avif(exif):
    """Put there without Pillow, which reads what it writes."""
    harmless = directory((0x010E, 2, len(exif) - 100, 50), padded=len(exif))
    return saved("AVIF", exif=harmless).replace(harmless, exif)


def in_jpeg(exif):
    pieces = (exif[i : i + 65000] for i in range(0, len(exif), 65000))
    return after(2, b"".join(b"\xff\xe1" + struct.pack(">H", len(p) + 8) + b"Exif\0\0" + p for p in pieces), "JPEG")


@pytest.mark.parametrize("where", ["TIFF", "JPEG", "PNG", "WEBP", "AVIF"])
def test_values_that_lie_over_each_other_are_not_copied_one_by_one(where):
    """A megabyte of them takes 60 GB: 64,000 tags, each of whose values is all of the file."""
    if where == "TIFF":
        data = tiff(*((1000 + i, 1, MAX_EXIF, None) for i in range(150)), after=bytes(MAX_EXIF))
    else:
        made = {"JPEG": in_jpeg, "AVIF": in_avif, "PNG": lambda exif: after(33, chunk(b"eXIf", exif), "PNG")}
        data = made.get(where, lambda exif: saved(where, exif=exif))(exif_over_itself())
    assert len(data) < 2 * MAX_EXIF
    tracemalloc.start()
    try:
        if where in ("TIFF", "AVIF"):
            with pytest.raises(PhotoError, match="its values lie over each other"):
                open_photo(io.BytesIO(data))
        else:
            assert open_photo(io.BytesIO(data)).size == (64, 48)
        assert tracemalloc.get_traced_memory()[1] < 16 * MAX_EXIF
    finally:
        tracemalloc.stop()


def test_values_may_be_shared_and_notes_be_long():
    """As many a camera's horizontal and vertical resolution are, and layers of a painting program."""
    shared = (282, 5, 1, None), (283, 5, 1, None), (37724, 7, 2 * MAX_NUMBERS, None)
    assert open_photo(io.BytesIO(tiff(*shared, after=struct.pack("<II", 72, 1) * (MAX_NUMBERS // 4)))).size == (64, 48)


@pytest.mark.parametrize("tag", [273, 700])
def test_no_object_is_made_of_each_of_a_million_numbers(tag):
    """Places of strips, of which there are more than rows; XMP that says it is numbers."""
    count = MAX_NUMBERS // 4 + 1
    data = tiff((tag, 4, count, None), (278, 4, 1, 1), after=struct.pack("<I", 400) * count)
    with pytest.raises(PhotoError, match="too many strips, or has notes of a million numbers"):
        open_photo(io.BytesIO(data))


def test_a_photo_is_turned_whatever_else_its_exif_says():
    """A tag of a type that it does not have: Pillow reads it, and cannot write it."""
    assert open_photo(io.BytesIO(in_jpeg(directory((0x0112, 3, 1, 6), (0x010F, 11, 1, 0))))).size == (48, 64)
