"""Training crops depend on (seed, epoch, index) alone; bad files are skipped and counted."""

import random
import shutil
import subprocess
import sys
import threading
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import ROOT
from training.data import crops as data
from training.data.crops import PhotoFolder, in_plain_words, make_loader
from zoo.errors import PhotoError, TrainingError


def test_crops_are_what_they_should_be(examples):
    photos = PhotoFolder(examples, 48)
    crop = photos[0]
    assert crop.shape == (3, 48, 48) and crop.dtype == torch.float32
    assert 0 <= crop.min() and crop.max() <= 1


def test_item_k_is_the_same_whoever_asks_and_when(examples):
    first, second = PhotoFolder(examples, 32, seed=5), PhotoFolder(examples, 32, seed=5)
    later = [second[k] for k in (11, 3, 7)]
    assert all(torch.equal(first[k], crop) for k, crop in zip((11, 3, 7), later, strict=True))
    assert not torch.equal(first[3], PhotoFolder(examples, 32, seed=6)[3])


def test_every_epoch_shows_every_photo_once_in_its_own_order(examples):
    photos = PhotoFolder(examples, 32)
    n = len(photos.photos)
    orders = [photos.order(epoch) for epoch in range(6)]
    assert all(sorted(order) == list(range(n)) for order in orders)
    assert len({tuple(order) for order in orders}) > 1


def test_crops_differ_between_epochs_and_flips_happen(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 64, dtype=np.uint8), (64, 1))
    Image.fromarray(ramp).convert("RGB").save(tmp_path / "one.png")
    photos = PhotoFolder(tmp_path, 48)
    crops = [photos[k] for k in range(16)]  # a single photo: every item is a new epoch
    rising = sum(bool(crop[0, 0, -1] > crop[0, 0, 0]) for crop in crops)
    assert 2 <= rising <= 14
    assert len({crop.mean().item() for crop in crops}) > 4


def test_a_small_photo_is_enlarged(tmp_path):
    Image.new("RGB", (40, 50), "red").save(tmp_path / "small.png")
    assert PhotoFolder(tmp_path, 64)[0].shape == (3, 64, 64)


def test_unreadable_files_are_skipped_and_counted(tmp_path, photo):
    shutil.copy(photo, tmp_path / "good.jpg")
    for name in ("a.jpg", "z.jpg"):
        (tmp_path / name).write_bytes(b"broken")
    photos = PhotoFolder(tmp_path, 32)
    assert all(photos[k].shape == (3, 32, 32) for k in range(6))
    assert [path.name for path in photos.unreadable] == ["a.jpg", "z.jpg"]


@pytest.fixture
def folder(examples, tmp_path):
    """A folder of photos of a test's own."""
    return shutil.copytree(examples, tmp_path / "photos")


def test_photos_that_are_away_for_a_moment_are_not_dropped(folder, monkeypatch):
    """Issue 13, item 37."""
    monkeypatch.setattr(data, "PAUSES", (0.02,) * 50)
    there, away = PhotoFolder(folder, 32), PhotoFolder(folder, 32)
    crops = [there[k] for k in range(5)]
    folder.rename(folder.with_name("away"))
    back = threading.Timer(0.1, folder.with_name("away").rename, [folder])
    back.start()
    assert all(torch.equal(away[k], crop) for k, crop in enumerate(crops)) and not away.unreadable
    back.join()


def test_a_photo_that_stays_away_ends_the_training(folder, monkeypatch):
    """Instead of another training, without it (issue 13, item 37)."""
    monkeypatch.setattr(data, "PAUSES", (0.01, 0.01))
    photos = PhotoFolder(folder, 32)
    (folder / "dog.jpg").unlink()
    with pytest.raises(TrainingError, match=r"cannot read .*dog.jpg \(No such file or directory\), tried for 0.02 s"):
        [photos[k] for k in range(5)]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("std::bad_alloc")])
def test_a_lack_of_memory_is_not_blamed_on_the_photo(examples, monkeypatch, error):
    """Issue 13, item 37."""
    monkeypatch.setattr(Image, "open", MagicMock(side_effect=error))
    photos = PhotoFolder(examples, 32)
    with pytest.raises(TrainingError, match="out of memory while reading"):
        photos[0]
    assert not photos.unreadable


def test_nothing_readable_and_nothing_at_all(tmp_path):
    with pytest.raises(PhotoError, match="no pictures"):
        PhotoFolder(tmp_path, 32)
    (tmp_path / "a.jpg").write_bytes(b"broken")
    with pytest.raises(TrainingError, match="none of the 1 pictures"):
        PhotoFolder(tmp_path, 32)[0]


def test_a_crop_lies_within_the_photo(examples):
    photos, rng = PhotoFolder(examples, 32), random.Random(0)
    flat = Image.new("RGB", (90, 60), (10, 200, 30))
    for _ in range(20):
        crop = photos.crop(flat, rng)
        assert torch.allclose(crop, torch.tensor([10, 200, 30]).view(3, 1, 1) / 255)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_ends_a_loaders_process_is_said_in_plain_words(folder, monkeypatch, workers):
    """Issue 13, item 37."""
    monkeypatch.setattr(data, "PAUSES", ())
    photos = PhotoFolder(folder, 32)
    (folder / "dog.jpg").unlink()
    with pytest.raises(TrainingError) as caught:
        list(in_plain_words(make_loader(photos, 0, 5, 1, workers)))
    assert str(caught.value).startswith("cannot read ") and "Traceback" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_the_loader_starts_anywhere_in_the_same_stream(examples, workers):
    whole = list(make_loader(PhotoFolder(examples, 32), 0, 5, 3, workers))
    rest = list(make_loader(PhotoFolder(examples, 32), 3, 5, 3, 0))
    assert len(whole) == 5 and len(rest) == 2
    assert all(torch.equal(a, b) for a, b in zip(whole[3:], rest, strict=True))


def test_a_count_of_photos_is_a_choice_of_the_seed(examples):
    chosen = [PhotoFolder(examples, 32, seed, count=2).photos for seed in (0, 0, 3)]
    assert [len(photos) for photos in chosen] == [2, 2, 2] and chosen[0] == chosen[1] != chosen[2]
    assert {tuple(PhotoFolder(examples, 32, 0, 2)[k].shape) for k in range(5)} == {(3, 32, 32)}
    assert len(PhotoFolder(examples, 32, 0, count=99).photos) == 5


def test_zoom_enlarges_crops_and_changes_nothing_without(examples):
    photos, rng = PhotoFolder(examples, 32, zoom=4), random.Random(0)
    sides = [photos.side(128, rng) for _ in range(2000)]
    assert min(sides) == 8 and max(sides) == 128
    assert sum(side < 32 for side in sides) / 2000 == pytest.approx(0.5, abs=0.05)  # half of the doublings lie below
    ramp = Image.linear_gradient("L").resize((128, 128)).convert("RGB")
    assert min(photos.crop(ramp, rng).std().item() for _ in range(50)) < 0.05  # of a few rows of the ramp alone
    assert photos[0].shape == (3, 32, 32)
    assert torch.equal(PhotoFolder(examples, 32, zoom=1)[0], PhotoFolder(examples, 32)[0])
    assert PhotoFolder(examples, 32, zoom=1e6)[0].shape == (3, 32, 32)  # at least a pixel of the photo


@pytest.mark.slow
def test_a_training_whose_loader_fails_ends(examples):
    """The loaders end with it, which multiprocessing asks of them by a signal."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom training.data import crops\ncrops.PAUSES = ()\n"
        f"photos = crops.PhotoFolder({str(examples)!r}, 32)\nphotos.photos = [Path('gone.jpg')] * len(photos.photos)\n"
        "list(crops.make_loader(photos, 0, 50, 1, 2))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "cannot read gone.jpg" in done.stderr
