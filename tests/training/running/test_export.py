"""What a training writes of itself into the style's folder."""

import pytest
from PIL import ExifTags, Image

from tests.conftest import EXAMPLES
from training.running.export import MOST_POINTS, show_painting, thinned


def test_a_painting_is_the_very_file_unless_it_tells_of_its_photographer(tmp_path):
    plain, shown = EXAMPLES / "sunset.jpg", tmp_path / "shown.jpg"
    show_painting(plain, shown)
    assert shown.read_bytes() == plain.read_bytes()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist], exif[ExifTags.Base.Orientation] = "Jane Doe", 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    taken = tmp_path / "taken.jpg"
    Image.open(plain).save(taken, exif=exif, comment=b"home of Jane")
    show_painting(taken, shown)
    with Image.open(shown) as image:
        assert not image.getexif() and "comment" not in image.info and b"Jane" not in shown.read_bytes()
        assert image.size == Image.open(plain).size[::-1]  # turned upright


@pytest.mark.parametrize("number", [1, 2, MOST_POINTS, MOST_POINTS + 1, 5000])
def test_a_long_history_is_thinned(number):
    found = [point["step"] for point in thinned([{"step": k} for k in range(number)])]
    assert (found[0], found[-1]) == (0, number - 1) and len(found) <= MOST_POINTS and found == sorted({*found})
    assert number > MOST_POINTS - 1 or len(found) == number
