"""The losses against their formulas in float64 NumPy."""

import numpy as np
import pytest
import torch

from training.objective.losses import ContentLoss, Objective, StyleLoss, TVLoss, gram
from training.objective.vgg import load_vgg
from zoo.errors import TrainingError
from zoo.images import open_photo, to_tensor

B, C, H, W = 2, 5, 6, 4


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(B, C, H, W)) * 3


def gram_by_hand(features):
    out = np.zeros((len(features), C, C))
    for b in range(len(features)):
        for i in range(C):
            for j in range(C):
                out[b, i, j] = (features[b, i] * features[b, j]).sum() / (C * features.shape[2] * features.shape[3])
    return out


def tensor(array):
    return torch.from_numpy(array).float()


def test_gram(features):
    np.testing.assert_allclose(gram(tensor(features)).numpy(), gram_by_hand(features), rtol=1e-5)


def test_style_loss_is_the_mean_squared_difference_of_grams(features):
    painting = np.random.default_rng(1).normal(size=(1, C, 8, 9))
    expected = ((gram_by_hand(features) - gram_by_hand(painting)) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(StyleLoss(tensor(painting))(tensor(features)).numpy(), expected, rtol=1e-5)


def test_style_loss_does_not_see_where_things_are(features):
    shuffled = features[:, :, ::-1, ::-1].copy()
    loss = StyleLoss(tensor(features[:1]))
    torch.testing.assert_close(loss(tensor(features)), loss(tensor(shuffled)))


def test_content_loss(features):
    other = features + np.random.default_rng(2).normal(size=features.shape)
    expected = ((features - other) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(ContentLoss()(tensor(features), tensor(other)).numpy(), expected, rtol=1e-5)


def test_total_variation():
    pictures = np.random.default_rng(3).random((B, 3, H, W))
    expected = np.zeros(B)
    for b in range(B):
        x = pictures[b] * 255
        expected[b] = ((x[:, 1:] - x[:, :-1]) ** 2).sum() + ((x[:, :, 1:] - x[:, :, :-1]) ** 2).sum()
    np.testing.assert_allclose(TVLoss()(tensor(pictures)).numpy(), expected, rtol=1e-5)


def test_the_objective_weighs_its_parts():
    vgg = load_vgg()
    painting, photos, pictures = torch.rand(1, 3, 40, 48), torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    content, style = {"relu2_1": 2.0}, {"relu1_1": 1.0, "relu2_1": 0.5}
    objective = Objective(vgg, painting, content, style, (3.0, 7.0, 1e-3))
    losses = objective(pictures, objective.photo_features(photos))

    of = {name: vgg(x, ("relu1_1", "relu2_1")) for name, x in (("a", painting), ("c", photos), ("y", pictures))}
    by_content = 2 * (of["y"]["relu2_1"] - of["c"]["relu2_1"]).square().mean(dim=(1, 2, 3))
    by_style = sum(
        weight * (gram(of["y"][name]) - gram(of["a"][name])).square().mean(dim=(1, 2)) for name, weight in style.items()
    )
    torch.testing.assert_close(losses["content"], by_content)
    torch.testing.assert_close(losses["style"], by_style)
    torch.testing.assert_close(losses["total"], 3 * by_content + 7 * by_style + 1e-3 * TVLoss()(pictures))
    assert losses["total"].shape == (2,)


def test_the_photo_itself_has_no_content_loss_and_the_painting_no_style_loss():
    picture = torch.rand(1, 3, 48, 48)
    objective = Objective(load_vgg(), picture, {"relu3_3": 1.0}, {"relu1_2": 1.0, "relu4_3": 1.0})
    losses = objective(picture, objective.photo_features(picture))
    assert losses["content"] == 0 and losses["style"] == 0


def test_an_unknown_layer_is_refused():
    with pytest.raises(TrainingError, match="conv5"):
        Objective(load_vgg(), torch.rand(1, 3, 32, 32), {"conv5": 1.0}, {})


def test_relative_losses_are_fractions_of_the_energies_they_compare_with():
    vgg, layers = load_vgg(), {"relu1_1": 1.0, "relu2_1": 3.0}
    painting, photos, pictures = torch.rand(1, 3, 40, 48), torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    objective = Objective(vgg, painting, {"relu2_1": 1.0}, layers, (1.0, 20.0, 0.0), "relative")
    losses = objective(pictures, objective.photo_features(photos))
    of = {name: vgg(x, tuple(layers)) for name, x in (("a", painting), ("c", photos), ("y", pictures))}
    content = of["c"]["relu2_1"].double().numpy()
    expected = ((of["y"]["relu2_1"].double().numpy() - content) ** 2).mean((1, 2, 3)) / (content**2).mean((1, 2, 3))
    np.testing.assert_allclose(losses["content"].numpy(), expected, rtol=1e-4)
    expected = 0
    for name, weight in layers.items():
        a, y = (gram(of[which][name]).double().numpy() for which in ("a", "y"))
        expected = expected + weight / 4 * ((y - a) ** 2).mean((1, 2)) / (a**2).mean()
    np.testing.assert_allclose(losses["style"].numpy(), expected, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-5, 1.0, 1e5])
def test_a_loss_network_in_float16_has_the_gradients_of_float32(examples, unit):
    """Whatever the unit of the loss, relative ones being small (issue 13, item 2)."""
    pictures = [to_tensor(open_photo(examples / name).resize((48, 48))) for name in ("sunset.jpg", "dog.jpg")]
    gradients = []
    for dtype in (torch.float32, torch.float16):
        layers = {"relu2_2": 1.0}, {"relu1_2": 1.0, "relu2_2": 1.0}
        objective = Objective(load_vgg(dtype=dtype), pictures[0], *layers, (1.0, 5.0, 0.0), "relative")
        painted = (0.7 * pictures[1] + 0.1).requires_grad_()
        (unit * objective(painted, objective.photo_features(pictures[1]))["total"].sum()).backward()
        gradients.append(painted.grad)
    full, half = gradients
    assert (half - full).norm() < 0.05 * full.norm()
