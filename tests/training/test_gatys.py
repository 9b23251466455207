"""The slow baseline: its optimisers on a problem with a known answer, and on a real picture."""

import pytest
import torch
from torch import nn

from tests.conftest import size_of
from training.gatys import main
from training.objective.gatys import optimise_pixels
from zoo.errors import TrainingError


class Quadratic(nn.Module):
    """Distance to a known picture, stiffer in one channel: its minimum is 0, there."""

    def __init__(self, target):
        super().__init__()
        self.target, self.evaluations = target, 0
        self.stiffness = torch.tensor([1.0, 10.0, 100.0]).view(1, 3, 1, 1)

    def photo_features(self, photos):
        return {}

    def forward(self, pictures, features):
        self.evaluations += 1
        return {"total": (self.stiffness * (pictures - self.target).square()).sum(dim=(1, 2, 3))}


@pytest.mark.parametrize(("optimizer", "steps", "tolerance"), [("lbfgs", 25, 1e-5), ("adam", 400, 1e-2)])
@pytest.mark.parametrize("start", ["photo", "noise"])
def test_a_quadratic_is_minimised(optimizer, steps, tolerance, start):
    rng = torch.Generator().manual_seed(0)
    target, photo = (torch.rand(1, 3, 8, 8, generator=rng) for _ in range(2))
    objective = Quadratic(target)
    picture, losses = optimise_pixels(objective, photo, steps, optimizer, start)
    assert (picture - target).abs().max() < tolerance
    assert objective.evaluations == len(losses) == steps  # a step is one evaluation


def test_a_seed_decides_the_noise():
    photo = torch.full((1, 3, 8, 8), 0.5)
    pictures = [optimise_pixels(Quadratic(photo), photo, 1, "adam", "noise", seed)[0] for seed in (0, 0, 1)]
    assert torch.equal(pictures[0], pictures[1]) and not torch.equal(pictures[0], pictures[2])


def test_what_diverges_is_said():
    class Bad(Quadratic):
        def forward(self, pictures, features):
            return {"total": (pictures * float("nan")).sum(dim=(1, 2, 3))}

    photo = torch.rand(1, 3, 8, 8)
    with pytest.raises(TrainingError, match="diverged at step 1"):
        optimise_pixels(Bad(photo), photo, 3)


def test_the_command_paints_and_keeps_intermediate_pictures(examples, tmp_path, capsys):
    words = [examples / "dog.jpg", examples / "sunset.jpg", "-o", tmp_path / "out.png", "--steps", 4, "--every", 2]
    assert main([str(word) for word in [*words, "--size", 64, "--style-size", 64]]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"out.png", "out-00002.png", "out-00004.png"}
    assert size_of(tmp_path / "out.png") == (64, 64)
    figures = capsys.readouterr().out.split("objective ")[1].split(" in")[0].split(" -> ")
    before, after = (float(figure.replace(",", "")) for figure in figures)
    assert after < 0.8 * before


def test_mistakes(examples, tmp_path, capsys):
    photo, painting = str(examples / "dog.jpg"), str(examples / "sunset.jpg")
    assert main([photo, painting, "-o", str(tmp_path / "slow"), "--size", "32"]) == 2
    assert "end its name in .png" in capsys.readouterr().err
    words = [str(examples / "dog.jpg"), str(examples / "sunset.jpg"), "-o", str(tmp_path / "x.png")]
    for more, message in ((["--steps", "0"], "--steps"), (["--style-weight", "-1"], "--style-weight"), (["--size", "5"], "32")):
        assert main([*words, *more]) == 2
        assert message in capsys.readouterr().err
