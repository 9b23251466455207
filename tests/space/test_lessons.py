"""The lessons of "Why instance norm?" are what they say, by the zoo's own generators."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

import zoo
from space import lessons
from space.settings import PHOTOS
from space.turns import Superseded, Visit
from zoo.errors import PhotoError, StyleFolderError, StyleNotFoundError
from zoo.frozen import freeze_statistics
from zoo.images import fade, open_photo, to_tensor
from zoo.painter import painter
from zoo.style import PHOTO


def pixels(image):
    return np.asarray(image, float)


def far(a, b):
    """Mean distance in levels of 255."""
    return np.abs(pixels(a) - pixels(b)).mean()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["readings", "border", "sizes"])
def test_what_is_shown_first_is_what_would_be_painted(name):
    taught = lessons.teach(name, str(PHOTO), "starry-night")
    assert len(lessons.SHOWN[name]) == len(taught) == (4 if name == "readings" else 2)
    for path, picture in zip(lessons.SHOWN[name], taught, strict=True):
        with Image.open(path) as shown:
            assert shown.size == picture.size and far(shown.convert("RGB"), picture) < 12  # JPEG
        assert path.stat().st_size < 40_000


@pytest.mark.slow
def test_four_readings_of_a_hazy_photo(photo):
    """Each against the library's own words for it."""
    running, batch, own, frozen = lessons.teach("readings", str(photo), "great-wave")
    small = open_photo(photo, lessons.READ)
    hazy = fade(small, lessons.HAZE)
    assert far(running, zoo.stylize(hazy, "great-wave", "batch")) == 0 == far(own, zoo.stylize(hazy, "great-wave"))
    still = freeze_statistics(zoo.load("great-wave"), [to_tensor(open_photo(path, lessons.READ)) for path in PHOTOS])
    assert far(frozen, zoo.paint(still, hazy)) < 0.1
    others = [ImageOps.fit(open_photo(path, lessons.READ), small.size, Image.Resampling.LANCZOS) for path in PHOTOS[1:4]]
    by_batch = zoo.load("great-wave", "batch").train()
    with torch.no_grad():
        wanted = by_batch(torch.cat([to_tensor(each) for each in (hazy, *others)]))[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(pixels(batch) - wanted).mean() < 0.5
    full = zoo.stylize(small, "great-wave")
    assert far(own, full) < 3 < 0.3 * min(far(running, full), far(frozen, full))  # what the tab says


@pytest.mark.slow
def test_a_picture_fades_with_its_photo_by_batch_norm_alone(photo):
    curves = lessons.teach("fading", str(photo), "great-wave")
    small = open_photo(photo, lessons.READ)
    for norm, line in curves.items():
        luminance = [pixels(zoo.stylize(fade(small, share), "great-wave", norm)) @ (0.299, 0.587, 0.114) for share in (1, 0.3)]
        assert dict(line)[1] == 1 and dict(line)[0.3] == pytest.approx(luminance[1].std() / luminance[0].std(), abs=0.01)
    assert [share for share, _ in curves["batch"]] == sorted(lessons.SHARES, reverse=True)
    assert dict(curves["batch"])[0.1] < 0.7 < 0.97 < min(dict(curves["instance"]).values())  # what the tab says
    shown = lessons.curves_shown("fading")
    for norm, line in lessons.teach("fading", str(PHOTO), "starry-night").items():
        assert np.abs(np.subtract(line, shown[norm])).max() < 0.02


def test_the_curves_of_learning_are_those_of_the_documentation():
    shown = lessons.curves_shown("learning")
    assert {norm: [tuple(point) for point in line] for norm, line in shown.items()} == lessons.learning()
    lead = [1 - own / other for (_, own), (_, other) in zip(shown["instance"], shown["batch"], strict=True)]
    assert min(lead) > 0.28 and 0.3 < lead[-1] < 0.37 and shown["batch"][-1][0] == 300  # "stays a third lower"


@pytest.mark.slow
def test_the_shared_generators_stay_as_they_are(photo):
    """Others paint with them at the same time."""
    (batch,) = painter().load(zoo.find("udnie"), ("batch",)).values()
    before = {key: value.clone() for key, value in batch.state_dict().items()}
    lessons.teach("readings", str(photo), "udnie")
    assert not any(module.training for module in batch.modules())
    assert all(torch.equal(value, before[key]) for key, value in batch.state_dict().items())


@pytest.mark.slow
def test_the_border_by_zeros_and_as_trained(photo):
    zeros, reflected = lessons.teach("border", str(photo), "great-wave")
    side = lessons.CORNER * lessons.TIMES
    wanted = zoo.stylize(photo, "great-wave", size=lessons.READ).crop((0, 0, lessons.CORNER, lessons.CORNER))
    assert zeros.size == reflected.size == (side, side)
    assert np.array_equal(pixels(reflected)[:: lessons.TIMES, :: lessons.TIMES], pixels(wanted))
    apart = np.abs(pixels(zeros) - pixels(reflected)).mean(2)
    rim = 4 * lessons.TIMES
    assert apart[:rim].mean() > 2 * apart[-rim:, -rim:].mean()  # it is the border's doing


@pytest.mark.slow
def test_the_middle_at_two_sizes(photo):
    small, large = lessons.teach("sizes", str(photo), "udnie")
    whole = ImageOps.contain(open_photo(photo), (lessons.LARGE,) * 2, Image.Resampling.LANCZOS)  # 512 px: enlarged
    assert np.array_equal(pixels(large), pixels(lessons._middle(zoo.stylize(whole, "udnie"))))
    assert small.size == large.size == (lessons.LARGE // 3,) * 2
    detail = {name: np.abs(np.diff(pixels(image), axis=1)).mean() for name, image in (("small", small), ("large", large))}
    assert detail["large"] > detail["small"]  # finer strokes


@pytest.mark.parametrize("name", ["border", "sizes"])
def test_a_narrow_photo_teaches_too(name, tmp_path, monkeypatch, small_pair):
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    Image.effect_mandelbrot((900, 40), (-2, -1.2, 0.8, 1.2), 60).convert("RGB").save(tmp_path / "narrow.png")
    first, second = lessons.teach(name, str(tmp_path / "narrow.png"), small_pair.name)
    assert first.size == second.size


def test_what_cannot_be_taught_is_said(photo, monkeypatch, small_pair):
    with pytest.raises(PhotoError, match="upload one"):
        lessons.teach("border", None, "udnie")
    with pytest.raises(StyleNotFoundError):
        lessons.teach("border", str(photo), "../udnie")
    with pytest.raises(Superseded):
        lessons.teach("border", str(photo), "udnie", Visit("a", lambda: False))
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    (small_pair / "batch" / "config.json").unlink()
    with pytest.raises(StyleFolderError, match="no batch-norm"):
        lessons.teach("readings", str(photo), small_pair.name)
