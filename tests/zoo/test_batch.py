"""A folder of photos: what is painted, under which name, with which metadata, what is skipped, and what stops the work."""

import io
import os
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageCms

import zoo
from tests.conftest import size_of
from zoo import batch
from zoo.__main__ import main
from zoo.batch import Job, paint_all, plan_outputs
from zoo.engine import quick
from zoo.errors import ConfigError, PhotoError, WeightsError
from zoo.images import SUFFIXES
from zoo.metadata import software_of, to_srgb

DATE = "2024:05:06 07:08:09"
MASK = Image.new("L", (96, 80))


@pytest.fixture
def job(small_pair) -> Job:
    return Job(zoo.find(small_pair), size=64)


@pytest.fixture
def folder(tmp_path, photo) -> Path:
    """Three photos, two of them of one name in folders of their own."""
    root = tmp_path / "photos"
    for name in ("a.jpg", "deep/a.jpg", "deep/down/b.png"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(photo) as image:
            image.resize((96, 80)).save(path)
    return root


def paint(job, plan, **options):
    return {outcome.photo.name if outcome.error else outcome.target: outcome for outcome in paint_all(job, plan, **options)}


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_the_tree_below_the_folder_is_kept(folder, tmp_path):
    plan = plan_outputs([folder], tmp_path / "out", "webp")
    assert [target.relative_to(tmp_path / "out").as_posix() for _, target in plan] == [
        "a.webp", "deep/a.webp", "deep/down/b.webp",
    ]  # fmt: skip


@pytest.mark.parametrize("format", ["png", "jpg", "webp"])
def test_pictures_are_those_of_stylize(job, folder, tmp_path, format):
    plan = plan_outputs([folder], tmp_path / "out", format)
    assert all(not outcome.error and outcome.seconds > 0 for outcome in paint_all(job, plan))
    for photo, target in plan:
        zoo.stylize(photo, job.style, size=64).save(alone := tmp_path / f"alone.{format}", quality=95)
        with Image.open(target) as image:
            assert image.format == {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[format]
        assert abs(pixels(target) - pixels(alone)).mean() < 0.01


def test_what_is_done_is_skipped_until_something_changes(job, folder, tmp_path):
    plan = plan_outputs([folder], tmp_path / "out")
    first = paint(job, plan)
    times = {target: target.stat().st_mtime_ns for _, target in plan}
    assert not any(outcome.skipped for outcome in first.values())
    assert all(outcome.skipped for outcome in paint(job, plan).values())
    assert times == {target: target.stat().st_mtime_ns for _, target in plan}
    assert not any(outcome.skipped for outcome in paint(job, plan, again=True).values())
    os.utime(plan[0][0], (1, 1))
    plan[1][1].unlink()
    Image.new("RGB", (64, 64)).save(plan[2][1])  # a picture of somebody else's
    assert not any(outcome.skipped for outcome in paint(job, plan).values())


OTHER = {"norm": "batch", "size": 48, "strength": 0.5, "keep_colours": True, "strokes": 0.5, "protect": MASK, "quick": True}


@pytest.mark.parametrize("key", OTHER)
def test_other_settings_paint_anew(job, folder, tmp_path, key):
    plan = plan_outputs([folder], tmp_path / "out")[:1]
    paint(job, plan)
    before = software_of(plan[0][1])
    assert not paint(replace(job, **{key: OTHER[key]}), plan)[plan[0][1]].skipped
    assert before.startswith("missing-ingredient small-pair instance ") and software_of(plan[0][1]) != before


def test_of_a_quick_picture_is_said_how_far_it_is_off(job, folder, tmp_path, monkeypatch):
    """Issue 15."""
    plan = plan_outputs([folder], tmp_path / "out")[:1]
    (exact,) = paint(job, plan).values()
    (same,) = paint(replace(job, quick=True), plan).values()
    monkeypatch.setattr(quick, "THUMBNAIL", 40 * 40)
    (off,) = paint(replace(job, quick=True, engine="torch"), plan, again=True).values()
    assert exact.note == "" and same.note.endswith("a.jpg is exact, as a thumbnail helps nothing here")
    assert re.search(r"is quick, off by \d+\.\d of 255 levels in the mean, 99.9% within \d+ \(estimated at 4", off.note)


def test_other_weights_paint_anew(job, folder, tmp_path, small_pair):
    plan = plan_outputs([folder], tmp_path / "out")[:1]
    paint(job, plan)
    torch.manual_seed(1)
    zoo.save(zoo.create(width=2, residual_blocks=1), small_pair)
    assert not paint(Job(zoo.find(small_pair), size=64), plan)[plan[0][1]].skipped


def test_dates_and_author_are_kept_and_places_are_not(job, folder, tmp_path):
    exif = Image.Exif()
    exif.update({ExifTags.Base.Orientation: 6, ExifTags.Base.Artist: "A. Nyone", ExifTags.Base.Make: "Camera"})
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: DATE, ExifTags.Base.OffsetTimeOriginal: "+02:00"}
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitude: (48.0, 51.0, 24.0)}
    Image.open(folder / "a.jpg").save(folder / "a.jpg", exif=exif)
    for format in ("png", "jpg", "webp"):
        plan = plan_outputs([folder / "a.jpg"], tmp_path / f"out.{format}")
        paint(job, plan)
        with Image.open(plan[0][1]) as image:
            found = image.getexif()
            assert image.size == (53, 64)  # upright
            assert found[ExifTags.Base.Artist] == "A. Nyone" and found.get(ExifTags.Base.Orientation, 1) == 1
            within = found.get_ifd(ExifTags.IFD.Exif)
            assert (within[ExifTags.Base.DateTimeOriginal], within[ExifTags.Base.OffsetTimeOriginal]) == (DATE, "+02:00")
            assert ExifTags.Base.Make not in found and not found.get_ifd(ExifTags.IFD.GPSInfo)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_what_can_be_written_is_written_with_metadata_or_without(job, folder, tmp_path, suffix):
    exif = Image.Exif()
    exif[ExifTags.Base.Copyright] = "© Zoë".encode()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = DATE
    Image.open(folder / "a.jpg").save(folder / "a.jpg", exif=exif)
    (outcome,) = paint_all(job, plan_outputs([folder / "a.jpg"], out := tmp_path / f"out{suffix}"))
    assert not outcome.error and size_of(out) == (64, 53)
    with Image.open(out) as image:
        found = image.getexif().get(ExifTags.Base.Copyright, "")
    assert found.encode("latin-1").decode() == ("" if suffix in (".bmp", ".gif", ".jp2", ".ppm") else "© Zoë")


def test_broken_metadata_stop_nothing(job, folder, tmp_path):
    Image.open(folder / "a.jpg").save(folder / "a.jpg", exif=b"Exif\0\0broken", icc_profile=b"no profile")
    (outcome,) = paint_all(job, plan_outputs([folder / "a.jpg"], tmp_path / "out.png"))
    assert not outcome.error and size_of(tmp_path / "out.png") == (64, 53)


def swapped_profile() -> bytes:
    """sRGB with red and green exchanged, as the bytes of a profile: its tags rXYZ and gXYZ named the other way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_those_that_the_profile_means(mode):
    file = io.BytesIO()
    Image.new(mode, (40, 40), (200, 60, 90, 255)[: len(mode)]).save(file, "PNG", icc_profile=swapped_profile())
    found = to_srgb(zoo.images.open_photo(file)).getpixel((3, 3))
    assert found == pytest.approx((60, 200, 90), abs=2)


def test_without_a_profile_colours_stay():
    image = Image.new("RGB", (40, 40), (200, 60, 90))
    assert to_srgb(image) is image
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()  # of another space
    assert to_srgb(image) is image


def test_a_profile_reaches_the_painting(job, folder, tmp_path):
    """The painting of a tagged photo is that of the same colours without a profile."""
    rng = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(rng).save(folder / "plain.png")
    Image.fromarray(rng[..., [1, 0, 2]]).save(folder / "tagged.png", icc_profile=swapped_profile())
    for name in ("plain", "tagged"):
        paint(job, plan_outputs([folder / f"{name}.png"], tmp_path / f"{name}.png"))
    assert abs(pixels(tmp_path / "plain.png") - pixels(tmp_path / "tagged.png")).mean() < 2
    with Image.open(tmp_path / "tagged.png") as image:
        assert "icc_profile" not in image.info


def test_a_large_jpeg_is_decoded_small(folder, monkeypatch, job, tmp_path):
    Image.open(folder / "a.jpg").resize((200, 160)).save(folder / "a.jpg")
    drafts = []
    real = Image.Image.resize
    monkeypatch.setattr(Image.Image, "resize", lambda self, *args, **options: drafts.append(self.size) or real(self, *args))
    paint(job, plan_outputs([folder / "a.jpg"], tmp_path / "out.png"))
    assert drafts[0] == (100, 80)  # 1.56 times 64


def test_bad_photos_stop_no_others_and_are_listed(folder, small_pair, tmp_path, capsys):
    (folder / "deep" / "bad.jpg").write_bytes(b"no picture")
    Image.new("RGB", (20, 20)).save(folder / "small.png")
    words = ["stylize", str(folder), "-s", str(small_pair), "-o", str(tmp_path / "out"), "--size", "64"]
    assert main(words) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "error: 2 of 5 photos failed"
    assert lines[-3].startswith(f"{folder / 'deep' / 'bad.jpg'}: cannot read") and "at least 32 px" in lines[-2]
    assert main(words) == 3 and "3 of 5 photos were painted before" in capsys.readouterr().err
    shutil.rmtree(folder / "deep")
    (folder / "a.jpg").unlink()
    assert main(words) == 2  # nothing was painted


def test_a_single_photo_is_painted_each_time(folder, small_pair, tmp_path, capsys):
    words = ["stylize", str(folder / "a.jpg"), "-s", str(small_pair), "-o", str(out := tmp_path / "out.png"), "--size", "64"]
    assert main(words) == 0
    before = out.stat().st_mtime_ns
    assert main(words) == 0 and out.stat().st_mtime_ns > before and capsys.readouterr().err == ""
    assert main([*words, "--format", "webp"]) == 2 and "leave --format out" in capsys.readouterr().err


def test_a_style_that_cannot_be_loaded_is_no_photos_fault(job, folder, tmp_path, small_pair):
    (small_pair / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(WeightsError):
        list(paint_all(job, plan_outputs([folder], tmp_path / "out")))


@pytest.mark.parametrize("wrong", [{"size": 5}, {"strength": 2}, {"seed": -1}, {"engine": "steam"}, {"strokes": 9}])
def test_a_job_is_checked_when_it_is_made(job, wrong):
    with pytest.raises(ConfigError):
        replace(job, **wrong)


def test_photos_are_painted_side_by_side_and_no_more_of_them(job, folder, tmp_path, monkeypatch):
    """As many as torch has threads, each of which computes alone; and afterwards torch has as many as before."""
    at_once, most, lock, together = [0], [0], threading.Lock(), threading.Barrier(3, timeout=30)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)

    def watched(photo, size, gap):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        assert torch.get_num_threads() == 1
        together.wait()  # for three, or never
        with lock:
            at_once[0] -= 1
        raise PhotoError("seen")

    monkeypatch.setattr(batch, "open_photo", watched)
    plan = [(folder / "a.jpg", tmp_path / f"{k}.png") for k in range(12)]
    try:
        assert [outcome.error for outcome in paint_all(job, plan)] == ["seen"] * 12
        assert most[0] == 3 and torch.get_num_threads() == 3
        with ThreadPoolExecutor() as later:
            assert later.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(threads)


def test_a_plan_is_read_as_it_is_worked_on(job, folder, tmp_path, monkeypatch):
    """However long it is, few photos are under way."""
    read = []

    def plan():
        for k in range(1000):
            read.append(k)
            yield folder / "a.jpg", tmp_path / f"{k}.png"

    class Long(list):
        def __iter__(self):
            return plan()

        def __len__(self):
            return 1000

    outcomes = paint_all(job, Long())
    next(outcomes)
    outcomes.close()
    assert len(read) <= 2 * torch.get_num_threads() + 1


def test_closed_the_work_ends_in_the_middle_of_a_picture(job, folder, tmp_path, monkeypatch):
    class Endless:
        def paint(self, image, style, norms, manner):
            until = time.monotonic() + 30
            while time.monotonic() < until:
                manner.tell(0.5)
                time.sleep(0.01)

    _ = job.settings
    monkeypatch.setattr(batch, "painter", lambda device: Endless())
    (folder / "0.jpg").write_bytes(b"no picture")
    outcomes = paint_all(job, plan_outputs([folder / "0.jpg", folder / "a.jpg"], tmp_path / "out"))
    assert next(outcomes).error
    began = time.monotonic()
    outcomes.close()
    assert time.monotonic() - began < 10 and not (tmp_path / "out").exists()
