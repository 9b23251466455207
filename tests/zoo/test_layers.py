"""Norms against the paper's equations, written out in float64 NumPy; paddings against numpy.pad."""

import numpy as np
import pytest
import torch
from torch import nn

from zoo.layers import ResizeConv, make_conv, make_norm

T, C, H, W = 3, 4, 7, 5
EPS = 1e-5


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    scale = np.array([1.0, 10.0, 0.1]).reshape(T, 1, 1, 1)  # pictures of very different contrast
    return (rng.normal(size=(T, C, H, W)) * scale + 3).astype(np.float32)


@pytest.fixture
def affine():
    rng = np.random.default_rng(1)
    return rng.normal(size=C).astype(np.float32), rng.normal(size=C).astype(np.float32)


def layer(norm, affine, eps=EPS):
    made = make_norm(norm, C, eps)
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(affine[0]))
        made.bias.copy_(torch.from_numpy(affine[1]))
    return made


def scaled(y, affine):
    gamma, beta = (a.astype(np.float64).reshape(1, C, 1, 1) for a in affine)
    return y * gamma + beta


def equation_3(x):
    y = np.empty(x.shape)
    for t in range(T):
        for i in range(C):
            mu = sum(x[t, i].ravel().tolist()) / (H * W)
            var = sum((v - mu) ** 2 for v in x[t, i].ravel().tolist()) / (H * W)
            y[t, i] = (x[t, i] - mu) / np.sqrt(var + EPS)
    return y


def equation_2(x):
    y = np.empty(x.shape)
    for i in range(C):
        mu = sum(x[:, i].ravel().tolist()) / (T * H * W)
        var = sum((v - mu) ** 2 for v in x[:, i].ravel().tolist()) / (T * H * W)
        y[:, i] = (x[:, i] - mu) / np.sqrt(var + EPS)
    return y


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("training", [True, False])
def test_instance_norm_is_equation_3_in_training_and_at_test_time(x, affine, training, memory_format):
    made = layer("instance", affine).train(training)
    y = made(torch.from_numpy(x).to(memory_format=memory_format)).detach().numpy()
    np.testing.assert_allclose(y, scaled(equation_3(x.astype(np.float64)), affine), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_instance_norm_is_exact_where_contrast_is_low(memory_format):
    x = 30 + 0.01 * np.random.default_rng(2).normal(size=(T, C, H, W)).astype(np.float32)
    y = make_norm("instance", C, EPS)(torch.from_numpy(x).to(memory_format=memory_format)).detach().numpy()
    np.testing.assert_allclose(y, equation_3(x.astype(np.float64)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_batch_norm_in_training_is_equation_2(x, affine, memory_format):
    y = layer("batch", affine).train()(torch.from_numpy(x).to(memory_format=memory_format)).detach().numpy()
    np.testing.assert_allclose(y, scaled(equation_2(x.astype(np.float64)), affine), rtol=2e-4, atol=2e-4)


def test_batch_norm_in_eval_mode_uses_what_it_gathered(x, affine):
    made = layer("batch", affine)
    mean, var = np.linspace(-1, 1, C), np.linspace(0.5, 2, C)
    made.running_mean.copy_(torch.from_numpy(mean))
    made.running_var.copy_(torch.from_numpy(var))
    y = made.eval()(torch.from_numpy(x)).detach().numpy()
    expected = (x.astype(np.float64) - mean.reshape(1, C, 1, 1)) / np.sqrt(var.reshape(1, C, 1, 1) + EPS)
    np.testing.assert_allclose(y, scaled(expected, affine), rtol=2e-4, atol=2e-4)


def test_batch_of_one_makes_batch_norm_instance_norm(x, affine):
    one = torch.from_numpy(x[:1])
    torch.testing.assert_close(layer("batch", affine).train()(one), layer("instance", affine)(one), rtol=1e-4, atol=1e-4)


def test_contrast_norm_is_equation_1_up_to_the_picture_size(x, affine):
    x = np.abs(x)
    y = np.empty(x.shape)
    for t in range(T):
        for i in range(C):
            total = sum(x[t, i].astype(np.float64).ravel().tolist())
            y[t, i] = H * W * x[t, i].astype(np.float64) / (total + EPS)
    out = layer("contrast", affine)(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(out, scaled(y, affine), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("norm", ["instance", "contrast"])
def test_contrast_of_the_input_does_not_matter(x, affine, norm):
    made = layer(norm, affine, eps=1e-12)
    picture = torch.from_numpy(x)
    torch.testing.assert_close(made(7 * picture), made(picture), rtol=1e-3, atol=1e-3)


def test_contrast_norm_does_not_depend_on_the_size_of_the_picture(x, affine):
    made = layer("contrast", affine)
    small = torch.from_numpy(x)
    torch.testing.assert_close(made(small.repeat(1, 1, 2, 3))[:, :, :H, :W], made(small), rtol=1e-4, atol=1e-4)


def test_no_norm_changes_nothing(x):
    assert torch.equal(make_norm("none", C, EPS)(torch.from_numpy(x)), torch.from_numpy(x))


@pytest.mark.parametrize(
    ("padding", "numpy_mode"), [("zero", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
def test_paddings_are_numpys(x, padding, numpy_mode):
    conv = make_conv(C, 2, 3, padding=padding)
    padded = torch.from_numpy(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode=numpy_mode))
    expected = nn.functional.conv2d(padded, conv.weight, conv.bias)
    torch.testing.assert_close(conv(torch.from_numpy(x)), expected)


@pytest.mark.parametrize("size", [(14, 10), (13, 9), (13, 10)])
def test_resize_conv_doubles_pixels_then_convolves(x, size):
    made = ResizeConv(C, 2)
    doubled = np.pad(
        x.repeat(2, axis=2).repeat(2, axis=3)[:, :, : size[0], : size[1]], ((0, 0), (0, 0), (1, 1), (1, 1)), "reflect"
    )
    expected = nn.functional.conv2d(torch.from_numpy(doubled), made.conv.weight, made.conv.bias)
    y = made(torch.from_numpy(x), size)
    assert y.shape[2:] == size
    torch.testing.assert_close(y, expected)
