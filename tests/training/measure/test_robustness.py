"""The tests of robustness against hand computations on painters whose faults are known."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import zoo
from training.measure import robustness as tests
from training.objective.losses import Objective
from training.objective.vgg import load_vgg

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def objective():
    torch.manual_seed(1)
    return Objective(load_vgg(), torch.rand(1, 3, 64, 64), {"relu1_2": 1.0}, {"relu1_2": 1.0})


@pytest.fixture
def photo():
    torch.manual_seed(0)
    return torch.rand(1, 3, 256, 288)


def untouched(photos):
    return photos


def test_contrast_is_the_deviation_of_luminance(photo):
    pixels = photo[0].double().numpy()
    luminance = 255 * (0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2])
    assert tests.rms_contrast(photo).item() == pytest.approx(luminance.std(), rel=1e-5)
    assert tests.rms_contrast(tests.faded(photo, 0.25)).item() == pytest.approx(luminance.std() / 4, rel=1e-4)


def test_a_painter_that_keeps_contrast_and_one_that_discards_it(objective, photo):
    kept = tests.contrast_test(untouched, objective, [photo])
    assert [kept[c]["share"] for c in ("1", "0.5", "0.25")] == pytest.approx([1, 0.5, 0.25], rel=1e-3)
    flat = tests.contrast_test(lambda p: (p - p.mean()) / p.std(), objective, [photo])
    assert [flat[c]["share"] for c in ("1", "0.5", "0.25")] == pytest.approx([1, 1, 1], rel=0.1)


def test_border_energy_by_hand():
    picture = torch.zeros(1, 3, 64, 96)
    wanted = picture.clone()
    wanted[..., 0, :] = 2 / 255  # one of the border's rows is 2 levels off
    wanted[..., 32, 48] = 5 / 255  # one inner pixel is 5 levels off
    error = np.zeros((64, 96))
    error[0], error[32, 48] = 4, 25
    inside = np.zeros((64, 96), bool)
    inside[16:-16, 16:-16] = True
    assert tests.border_energy(picture, wanted) == pytest.approx((error[~inside].mean(), error[inside].mean()), rel=1e-5)


class Blur(nn.Module):
    """A blur that pads with zeros."""

    def forward(self, photos):
        return F.conv2d(photos, torch.full((3, 1, 9, 9), 1 / 81), padding=4, groups=3)


def test_a_border_of_zeros_is_found_and_its_absence(photo):
    found = tests.border_test(Blur(), [photo], CPU)
    assert found["border"] > 20 and found["inside"] < 1e-3
    same = tests.border_test(nn.Identity(), [photo], CPU)
    assert same["border"] == same["inside"] == 0


def test_neither_noise_nor_the_pictures_statistics_pass_for_a_border(photo):
    torch.manual_seed(0)
    noisy = zoo.create(architecture="texture", norm="batch", width=2, padding="zero").eval()
    found = tests.border_test(noisy, [photo], CPU)
    assert found["border"] > 100 * found["inside"]
    one = zoo.create(norm="instance", width=4, residual_blocks=0, padding="zero").eval()
    found = tests.border_test(one, [photo], CPU)
    assert found["border"] > 100 * found["inside"]


def test_shift_and_noise_of_painters_that_are_known(photo):
    found = tests.stability_test(untouched, [0.25 + photo / 2], CPU)
    assert found["shift"] == 0 and found["noise"] == pytest.approx(tests.NOISE, rel=0.02)

    def grid(photos):  # every second column dark, whatever the photo: off by all of it when moved
        stripes = torch.zeros_like(photos)
        stripes[..., ::2] = 1
        return stripes

    assert tests.stability_test(grid, [photo], CPU)["shift"] == pytest.approx(255)


def test_the_time_of_a_picture():
    slow = tests.seconds_a_picture(lambda p: torch.linalg.eigh(torch.eye(200)) and p, 64, CPU, repeats=3)
    assert 0 < slow < 5
