"""The loss network against torchvision's own VGG16 with the same weights."""

from unittest.mock import Mock

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.objective.losses import gram
from training.objective.vgg import BUNDLED, COLOURS, LAYERS, MEAN, SPREAD, check_layers, load_vgg
from zoo.errors import TrainingError, WeightsError
from zoo.images import open_photo, to_tensor


@pytest.fixture(scope="module")
def reference():
    """torchvision's layers; its whole network would be half a gigabyte of classifier."""
    from torchvision.models import vgg  # with which half of torch's compiler is imported

    layers = vgg.make_layers(vgg.cfgs["D"])[:23].eval()
    state = {key.removeprefix("features."): value.float() for key, value in load_file(BUNDLED).items()}
    layers.load_state_dict(state)
    return layers


@pytest.mark.slow
def test_features_are_torchvisions(reference, photo):
    x = to_tensor(open_photo(photo).resize((96, 64)))
    found = load_vgg()(x, LAYERS)
    y, expected = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) * 255, []
    with torch.no_grad():
        for layer in reference:
            y = layer(y)
            if isinstance(layer, torch.nn.ReLU):
                expected.append(y.clone())
    assert tuple(found) == LAYERS and len(expected) == len(LAYERS) - 1
    for name, features in zip(LAYERS[1:], expected, strict=True):
        torch.testing.assert_close(found[name], features, rtol=1e-4, atol=1e-2)


def test_the_gram_matrix_of_the_colours_is_their_mean_and_covariance(photo):
    x = to_tensor(open_photo(photo).resize((64, 64)))
    found = gram(load_vgg()(x, (COLOURS,))[COLOURS])[0].double() * 4  # over C·H·W
    pixels = x[0].flatten(1).double() - torch.tensor(MEAN).double()[:, None]
    mean = pixels.mean(1)
    torch.testing.assert_close(found[:3, 3] / SPREAD, mean, rtol=0, atol=1e-5)
    torch.testing.assert_close(found[:3, :3] - mean[:, None] * mean, torch.cov(pixels, correction=0), rtol=0, atol=1e-5)


def test_the_weights_are_really_trained(photo):
    """VGG16's mean activations on photos in the caffe scale are about 115 at relu1_2, 205 at 2_2, 189 at 3_3, 22 at 4_3."""
    found = load_vgg()(to_tensor(open_photo(photo).resize((256, 256))), ("relu1_2", "relu2_2", "relu3_3", "relu4_3"))
    for features, typical in zip(found.values(), (115, 205, 189, 22), strict=True):
        assert typical / 2 < features.mean() < typical * 2


def test_it_is_frozen_but_lets_gradients_through():
    vgg, x = load_vgg(), torch.rand(1, 3, 32, 32, requires_grad=True)
    vgg(x, ("relu2_2",))["relu2_2"].sum().backward()
    assert x.grad.abs().sum() > 0 and not any(p.requires_grad for p in vgg.parameters())


def test_bfloat16_agrees_with_float32_to_a_percent(photo):
    x = to_tensor(open_photo(photo).resize((128, 128)))
    full, half = (load_vgg(dtype=dtype)(x, ("relu3_3",))["relu3_3"] for dtype in (torch.float32, torch.bfloat16))
    assert half.dtype == torch.float32
    assert (half - full).norm() / full.norm() < 0.01


def test_a_local_file_is_as_good(tmp_path):
    state = {**load_file(BUNDLED), "classifier.0.weight": torch.zeros(1)}  # more layers than needed do not hurt
    save_file(state, tmp_path / "vgg.safetensors")
    x = torch.rand(1, 3, 32, 32)
    a, b = (load_vgg(w)(x, ("relu1_2",))["relu1_2"] for w in ("bundled", tmp_path / "vgg.safetensors"))
    assert torch.equal(a, b)


def test_bad_weights_and_layers_are_named(tmp_path):
    with pytest.raises(WeightsError, match="nothing.safetensors"):
        load_vgg(tmp_path / "nothing.safetensors")
    save_file({"features.0.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"features\.0\.weight"):
        load_vgg(tmp_path / "other.safetensors")
    with pytest.raises(TrainingError, match="relu9_1"):
        check_layers(["relu1_1", "relu9_1"])


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("std::bad_alloc")])
def test_memory_that_runs_out_is_no_damage_of_the_weights(monkeypatch, error):
    monkeypatch.setattr("training.objective.vgg.load_file", Mock(side_effect=error))
    with pytest.raises(WeightsError, match="there is not enough memory to read VGG16 weights bundled: free some"):
        load_vgg()
