"""The page under load: what counts as right, as busy and as wrong, and that the command prints and saves it."""

import json
import re
import statistics

import httpx
import numpy as np
import pytest

import zoo
from benchmarks import serving, visitors
from benchmarks.visitors import STYLE, Answer
from tests.browser.conftest import CHROMIUM
from zoo.style import PHOTO


@pytest.fixture(scope="module")
def wanted():
    return np.asarray(zoo.stylize(PHOTO, STYLE, size=64), int)


@pytest.mark.slow
def test_a_right_answer_is_the_library_s_picture(page, wanted):
    there = page.rstrip("/")
    assert visitors.stylize(there, 64, wanted).kind == "right"
    assert visitors.stylize(there, 64, 255 - wanted).kind == "another picture"
    assert "32..8192" in visitors.stylize(there, 9, wanted).kind
    assert serving.wall(there) > 0 and 100 < visitors.memory(there) < 100_000


def test_who_is_refused_was_told_honestly(page, wanted, monkeypatch):
    monkeypatch.setattr("space.guard.UPLOADS", 0)
    assert visitors.stylize(page.rstrip("/"), 64, wanted).kind == "busy"


def test_a_page_that_went_away_is_wrong(wanted):
    assert "ConnectError" in visitors.stylize("http://127.0.0.1:9", 64, wanted).kind
    with pytest.raises(httpx.ConnectError):
        visitors.memory("http://127.0.0.1:9")


def test_the_summary():
    answers = [Answer("right", float(k)) for k in range(1, 11)] + [Answer("busy", 99.0)] * 3 + [Answer("why", 0.0)]
    assert visitors.summary(answers) == {"right": 10, "busy": 3, "wrong": {"why": 1}, "seconds": [5.5, 9.0, 10.0]}
    assert visitors.summary([])["seconds"] == []


@pytest.mark.slow
def test_photos_that_were_never_seen_are_one_picture():
    one, other = visitors.unseen_photo(64), visitors.unseen_photo(64)
    assert one != other and len({visitors.new_visitor().headers["x-forwarded-for"] for _ in range(50)}) == 50


@pytest.mark.slow
def test_the_command_prints_and_saves_its_table(run_module, run_here, tmp_path):
    few = ["--clients", 2, "--requests", 2, "--size", 64, "--rounds", 1, "--large", 600, "--out", tmp_path / "found.json"]
    done = run_module("benchmarks.serving", *few)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| 2 clients at once, 64 px \| 2 right \([\d. /]+ s\), 0 busy, 0 wrong \|$", done.stdout, re.M)
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found["knob"]) == (5 if CHROMIUM else 0) and all(seconds > 0 for seconds in found["knob"])
    assert not found["knob"] or statistics.median(found["knob"]) < 5
    assert found["soak"]["right"] == 2 and len(found["soak"]["memory"]) == 11 and found["thumbnails"][0] > 0
    assert len(found["abuse"]) == 6 and all(one["other"] == "right" for one in found["abuse"])
    assert found["beside"]["large"] > 0 and found["beside"]["right"] > 0 and not found["beside"]["wrong"]
    assert re.search(r"^\| both norms at 600 px \| \d+ s \|$", done.stdout, re.M)
    assert run_here(serving.main, "--clients", 0).returncode == 2
