"""Photos from a folder, from archives of one, from the Hub; whatever else is given is refused in words."""

import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from training.data.archives import photo_folder
from zoo.errors import HubError, HubUnavailableError, PhotoError, TrainingError
from zoo.images import list_photos


def test_a_folder_is_taken_as_it_is(examples, tmp_path):
    assert photo_folder(examples, tmp_path / "none") == examples
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_an_archive_is_unpacked_once(examples, tmp_path, kind):
    archive = shutil.make_archive(str(tmp_path / "photos"), kind, examples)
    folder = photo_folder(archive, tmp_path / "unpacked")
    assert {p.name for p in list_photos(folder)} == {p.name for p in list_photos(examples)}
    times = [p.stat().st_mtime_ns for p in list_photos(folder)]
    assert [p.stat().st_mtime_ns for p in list_photos(photo_folder(archive, tmp_path / "unpacked"))] == times


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # tarfile's own, of a damaged one
def test_a_damaged_archive_leaves_nothing_behind(examples, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "photos"), "gztar", examples)
    os.truncate(archive, os.path.getsize(archive) // 2)
    with pytest.raises(PhotoError, match="cannot unpack photos.tar.gz"):
        photo_folder(archive, tmp_path / "unpacked")
    assert not list((tmp_path / "unpacked").iterdir())


def test_an_archive_cannot_write_outside_of_its_folder(tmp_path):
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo("../escaped.jpg")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    with pytest.raises(PhotoError):
        photo_folder(archive, tmp_path / "unpacked")
    assert not list(tmp_path.rglob("escaped.jpg"))


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_does_not_fill_the_disk(kind, tmp_path, monkeypatch):
    """A megabyte of zeros takes a kilobyte in it: refused before, or as soon as, they would take the last of the disk."""
    (tmp_path / "photos").mkdir()
    for name in ("a.ppm", "b.ppm"):
        (tmp_path / "photos" / name).write_bytes(bytes(2**20))
    archive = shutil.make_archive(str(tmp_path / "bomb"), kind, tmp_path / "photos")
    assert os.path.getsize(archive) < 2**14
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2**40, 0, 2**21))
    with pytest.raises(TrainingError, match=r"bomb\.\S+ unpacks to more than 0.0 GiB, 90% of what is free in .*make room"):
        photo_folder(archive, tmp_path / "unpacked")
    assert not list((tmp_path / "unpacked").iterdir())
    monkeypatch.undo()
    assert len(list(photo_folder(archive, tmp_path / "unpacked").iterdir())) == 2


def test_a_zip_with_a_wrong_byte_is_refused_in_words(examples, tmp_path):
    archive = tmp_path / "photos.zip"
    data = bytearray(Path(shutil.make_archive(str(tmp_path / "whole"), "zip", examples)).read_bytes())
    data[len(data) // 2] ^= 255
    archive.write_bytes(bytes(data))
    with pytest.raises(PhotoError, match="cannot unpack photos.zip"):
        photo_folder(archive, tmp_path / "unpacked")


def test_another_archive_is_not_mixed_with_the_first(examples, tmp_path):
    for name in ("dog.jpg", "raccoon.jpg"):
        (tmp_path / name).mkdir()
        shutil.copy(examples / name, tmp_path / name)
        archive = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / name)
        assert [p.name for p in list_photos(photo_folder(archive, tmp_path / "unpacked"))] == [name]


def test_a_dataset_of_the_hub(hub, examples, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "images"), "zip", examples)).read_bytes()
    hub.add("some/archives", {f"{part}/images.zip": archive for part in ("train", "more")}, kind="dataset")
    assert len(list_photos(photo_folder("some/archives", tmp_path / "unpacked"))) == 2 * len(list_photos(examples))
    hub.add("some/photos", {"a.JPG": (examples / "dog.jpg").read_bytes(), "b.txt": b"no"}, kind="dataset")
    assert [p.name for p in list_photos(photo_folder("some/photos", tmp_path / "unpacked"))] == ["a.JPG"]
    hub.add("some/parquet", {"a.parquet": b"x"}, kind="dataset")
    with pytest.raises(HubError, match="no picture files"):
        photo_folder("some/parquet", tmp_path / "unpacked")


def test_what_is_neither_is_named(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no archive")
    for source in (text, tmp_path / "missing", "nowhere"):
        with pytest.raises(PhotoError, match=str(source.name if source == text else source)):
            photo_folder(source, tmp_path / "unpacked")


def test_a_hub_dataset_offline_says_so(tmp_path):
    with pytest.raises(HubUnavailableError, match="dataset some/photos"):
        photo_folder("some/photos", tmp_path)
