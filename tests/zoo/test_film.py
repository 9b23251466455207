"""Films that are painted in several goes: the same as in one, and nothing of another film."""

from dataclasses import replace

import pytest

import zoo
from zoo.calm import Calm
from zoo.engine.painting import Manner, paint_fast
from zoo.errors import VideoError
from zoo.film import Film

pytest.importorskip("av")
from tests.zoo.films import VARIABLE, read, same, write_film
from zoo.video import paint_film


class Stop(Exception):
    """What ends the work in the middle."""


def painting(generator, calm, counted, stop_after=1000):
    manner = Manner(smooth=calm.smooth)

    def paint(frame):
        if len(counted) == stop_after:
            raise Stop
        counted.append(frame.size)
        return paint_fast(generator, calm.look(frame), manner).image

    return paint


def test_what_was_interrupted_goes_on_and_is_the_same_as_in_one_go(small_pair, tmp_path):
    """With what is remembered from frame to frame, too."""
    source, generator = write_film(tmp_path / "in.mp4", times=VARIABLE), zoo.load(small_pair)
    once, often = Film(source, tmp_path / "once.mp4", step=5), Film(source, tmp_path / "often.mp4", step=5)
    paint_film(once, painting(generator, calm := Calm(0.7, 0.7), []), calm)
    for stop_after, parts in ((7, 1), (1, 1), (6, 2)):
        calm = Calm(0.7, 0.7)
        with pytest.raises(Stop):
            paint_film(often, painting(generator, calm, [], stop_after), calm)
        assert not often.target.exists() and len(list(often.folder.glob("*.nut"))) == parts
        (often.folder / "partial").write_bytes(b"half")  # as a process that was killed leaves it
    calm, counted, told = Calm(0.7, 0.7), [], []
    assert paint_film(often, painting(generator, calm, counted), calm, lambda *now: told.append(now)) == 12
    assert len(counted) == 2 and told == [(5, 12), (10, 12), (11, 12), (12, 12)]
    assert often.target.read_bytes() == once.target.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if path != small_pair) == ["in.mp4", "often.mp4", "once.mp4"]
    assert read(often.target)[1] == read(source)[1]


@pytest.mark.parametrize("change", [{"facts": {"style": "another"}}, {"size": 64}, {"quality": 20}, {"step": 4}, {}])
def test_segments_of_something_else_are_not_used(tmp_path, change):
    film, counted = Film(write_film(tmp_path / "in.mp4"), tmp_path / "out.mp4", step=5), []

    def paint(frame):
        counted.append(frame)
        if len(counted) == 12:
            raise Stop
        return frame

    with pytest.raises(Stop):
        paint_film(film, paint)
    if not change:
        write_film(film.source, times=VARIABLE)  # another film of that name
    assert paint_film(replace(film, **change), paint) == 12
    assert len(counted) == 12 + 12


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    film = Film(write_film(tmp_path / "in.mp4"), tmp_path / "out.mp4")
    film.folder.mkdir()
    (film.folder / "mine.txt").write_text("not a segment")
    with pytest.raises(VideoError, match="in the way"):
        paint_film(film, same)
    assert (film.folder / "mine.txt").exists()
