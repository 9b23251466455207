"""The objective at several sizes, against the sums written out."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from training.config import AUTO, TrainConfig
from training.data.paintings import Painting
from training.objective.losses import Objective, StyleLoss
from training.objective.pyramid import PyramidObjective, make_objectives, painting_objective
from training.objective.vgg import load_vgg
from zoo.errors import ConfigError
from zoo.images import fit_short_side, open_photo, to_tensor

CONFIG = TrainConfig.from_dict(
    {**AUTO, "crop_size": 96, "style_size": 96, "detail_crop": 48, "style_weight": 4.0, "content_level": 1}
)


@pytest.fixture(scope="module")
def vgg():
    return load_vgg()


@pytest.fixture
def painting(examples):
    return open_photo(examples / "sunset.jpg")


@pytest.fixture
def pictures():
    return torch.rand(3, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def photos():
    return torch.rand(3, 3, 96, 96, generator=torch.Generator().manual_seed(1))


def gram64(features):
    b, c, h, w = features.shape
    flat = features.double().reshape(b, c, h * w)
    return torch.einsum("bim,bjm->bij", flat, flat) / (c * h * w)


@pytest.mark.slow
def test_the_losses_are_the_sums_written_out(vgg, painting, pictures, photos):
    objective = painting_objective(CONFIG, painting, vgg)
    features = objective.photo_features(photos, seed=7)
    top, left = features["corner"]
    losses = objective(pictures, features)
    views = [pictures[:, :, top : top + 48, left : left + 48], F.avg_pool2d(pictures, 2), F.avg_pool2d(pictures, 4)]
    style = torch.zeros(3, dtype=torch.float64)
    for i, view in enumerate(views):
        wanted = vgg(to_tensor(fit_short_side(painting, 96 // 2**i)), tuple(CONFIG.style_layers))
        for name, found in vgg(view, tuple(CONFIG.style_layers)).items():
            gram, target = gram64(found), gram64(wanted[name])
            gram = gram.mean(0, keepdim=True) if i == 0 else gram
            style += (gram - target).square().mean((1, 2)) / target.square().mean() / 5 / 3
    mine, theirs = (vgg(F.avg_pool2d(x, 2), ("relu3_3",))["relu3_3"].double() for x in (pictures, photos))
    content = (mine - theirs).square().mean((1, 2, 3)) / theirs.square().mean((1, 2, 3))
    torch.testing.assert_close(losses["style"].double(), style, rtol=1e-4, atol=0)
    torch.testing.assert_close(losses["content"].double(), content, rtol=1e-4, atol=0)
    torch.testing.assert_close(losses["total"].double(), content + 4 * style, rtol=1e-4, atol=0)


def test_the_close_look_moves_with_the_seed_and_stays_inside(vgg, painting, photos):
    objective = painting_objective(CONFIG, painting, vgg)
    corners = {objective.photo_features(photos, seed)["corner"] for seed in range(12)}
    assert len(corners) > 6 and objective.photo_features(photos, 3)["corner"] in corners
    assert all(0 <= side <= 48 for corner in corners for side in corner)


def test_content_at_every_size_is_the_mean_of_all(vgg, painting, pictures, photos):
    objective = painting_objective(dataclasses.replace(CONFIG, content_level=-1), painting, vgg)
    features = objective.photo_features(photos, seed=7)
    top, left = features["corner"]
    wanted = torch.zeros(3, dtype=torch.float64)
    for view in (
        lambda x: x[:, :, top : top + 48, left : left + 48],
        lambda x: F.avg_pool2d(x, 2),
        lambda x: F.avg_pool2d(x, 4),
    ):
        mine, theirs = (vgg(view(x), ("relu3_3",))["relu3_3"].double() for x in (pictures, photos))
        wanted += (mine - theirs).square().mean((1, 2, 3)) / theirs.square().mean((1, 2, 3)) / 3
    losses = objective(pictures, features)
    torch.testing.assert_close(losses["content"].double(), wanted, rtol=1e-4, atol=0)


@pytest.mark.slow
def test_one_level_is_the_plain_objective(vgg, painting, pictures, photos):
    config = TrainConfig(crop_size=96, style_size=96)
    plain = painting_objective(config, painting, vgg)
    assert isinstance(plain, Objective)
    one = PyramidObjective([plain])
    for key, value in one(pictures, one.photo_features(photos)).items():
        torch.testing.assert_close(value, plain(pictures, plain.photo_features(photos))[key])


def test_the_mean_gram_matrix_of_a_batch_lets_pictures_differ(vgg):
    target = torch.zeros(1, 2, 4, 4)
    target[:, 0, :2], target[:, 1, 2:] = 1, 1  # half of the one, half of the other
    one, other = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    one[:, 0], other[:, 1] = 1, 1
    batch = torch.cat([one, other])
    assert StyleLoss(target, pooled=True)(batch).tolist() == [0, 0]
    assert (StyleLoss(target)(batch) > 0).all()


def test_a_perfect_picture_costs_nothing_in_style(vgg, painting):
    config = TrainConfig.from_dict({**AUTO, "crop_size": 128, "style_size": 128, "detail_crop": 0, "gram": "picture"})
    objective = painting_objective(config, painting.crop((0, 0, 128, 128)), vgg)
    whole = to_tensor(painting.crop((0, 0, 128, 128)))
    assert objective(whole, objective.photo_features(whole))["total"].item() < 1e-2  # Lanczos against the mean of four pixels


def test_every_painting_has_its_own_on_one_loss_network(vgg, examples):
    paintings = [Painting(examples / f"{name}.jpg", name) for name in ("sunset", "dog")]
    first, second = make_objectives(CONFIG, paintings, vgg)
    assert first.levels[0].vgg is second.levels[2].vgg


@pytest.mark.parametrize(
    "keys",
    [
        {"levels": 2, "content_level": 2},
        {"content_level": -2},
        {"levels": 5, "crop_size": 128},
        {"detail_crop": 16},
        {"averaging": 1.0},
    ],
)
def test_recipes_that_cannot_be(keys):
    with pytest.raises(ConfigError, match=next(iter(keys))):
        TrainConfig(**keys)
