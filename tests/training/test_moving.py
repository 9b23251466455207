"""`python -m training.moving`: what a README shows first."""

import numpy as np
from PIL import Image, ImageSequence

import zoo
from training.drawing.moving import FOOT, HEAD
from training.moving import main


def test_the_line_wipes_and_the_photo_fades(small_pair, photo, tmp_path):
    out = tmp_path / "moving.webp"
    assert main([str(photo), "-s", str(small_pair), "-o", str(out), "--size", "96", "--quality", "95"]) == 0
    with Image.open(out) as file:
        frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(file)]
    assert len(frames) > 30
    painted = {norm: np.asarray(zoo.stylize(photo, small_pair, norm, 96)) for norm in ("batch", "instance")}
    middle = slice(HEAD + 2, HEAD + 94)
    assert abs(frames[0][middle, 2:94] - painted["batch"][2:94, 2:94]).mean() < 8  # WebP's loss
    last_of_wipe = min(frames, key=lambda f: abs(f[middle, 2:94] - painted["instance"][2:94, 2:94]).mean())
    assert abs(last_of_wipe[middle, 2:94] - painted["instance"][2:94, 2:94]).mean() < 8
    spread = [frame[-FOOT + 10 :, 10:50].std() for frame in frames]
    assert spread[0] > 2 * min(spread)  # of the small photo


def test_a_format_that_cannot_move(photo, capsys, tmp_path):
    assert main([str(photo), "-s", "udnie", "-o", str(tmp_path / "a.jpg")]) == 2
    assert ".webp" in capsys.readouterr().err
