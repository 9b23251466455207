"""A widened generator paints what the narrow one painted, and then parts from it."""

import pytest
import torch

import zoo
from training.running.start import warm_start
from training.running.widen import widen
from zoo.errors import ConfigError
from zoo.registry import create


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("width", [24, 40])
def test_a_wider_generator_paints_the_same(norm, width):
    trained, photos = zoo.load("udnie", norm), torch.rand(2, 3, 48, 40)
    for wide in (widen(trained, width), create(norm=norm, width=width)):
        if wide.config != trained.config:
            warm_start(wide, [trained])  # widens, too
        assert wide.config.width == width and wide.enter.conv.weight.shape[0] == width
        torch.testing.assert_close(wide.eval()(photos), trained(photos), rtol=0, atol=1e-4)
        torch.testing.assert_close(wide.train()(photos), trained.train()(photos), rtol=0, atol=1e-4)
        trained.eval()


def test_copies_of_a_channel_do_not_learn_alike():
    """Or width would bring nothing: those who read them take unequal shares."""
    wide = widen(zoo.load("udnie"), 32)
    wide(torch.rand(1, 3, 48, 40)).square().mean().backward()
    kernels, gradients = wide.enter.conv.weight.detach().flatten(1), wide.enter.conv.weight.grad.flatten(1)
    twins = torch.cdist(kernels, kernels).fill_diagonal_(1).argmin(1)
    assert torch.equal(kernels, kernels[twins])
    assert ((gradients - gradients[twins]).norm(dim=1) > 0.01 * gradients.norm(dim=1)).all()


@pytest.mark.parametrize("style, width", [("udnie", 8), ("texture", 32)])
def test_what_cannot_be_widened_is_refused(style, width):
    trained = create(architecture="texture", norm="instance") if style == "texture" else zoo.load(style)
    with pytest.raises(ConfigError, match=f"cannot be widened to {width}"):
        widen(trained, width)
