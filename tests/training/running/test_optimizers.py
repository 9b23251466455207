"""Muon on kernels against the method written out, and which weights it trains."""

import pytest
import torch

from training.config import TrainConfig
from training.running.optimizers import KernelMuon, make_optimizers
from training.running.start import freeze
from zoo.registry import create


def orthogonal(matrix):
    """U·Vᵀ of the singular value decomposition, which Newton-Schulz comes near to."""
    u, _, v = torch.linalg.svd(matrix.double(), full_matrices=False)
    return u @ v


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_a_step_follows_the_orthogonal_direction(layout):
    torch.manual_seed(0)
    kernel = torch.nn.Parameter(torch.randn(8, 6, 3, 3).to(memory_format=layout))
    before = kernel.detach().clone()
    muon = KernelMuon([kernel], momentum=0.9)
    muon.param_groups[0]["lr"] = 0.1
    kernel.grad = torch.randn(8, 6, 3, 3)
    muon.step()
    moved, wanted = (before - kernel.detach()).flatten(1) / 0.1, orthogonal(kernel.grad.flatten(1))
    assert torch.nn.functional.cosine_similarity(moved.flatten().double(), wanted.flatten(), dim=0) > 0.95
    singular = torch.linalg.svdvals(moved)
    assert 0.6 < singular.min() and singular.max() < 1.3


def test_kernels_of_all_shapes_at_once_are_as_torch_makes_them_one_by_one():
    """Wide, tall and square ones, over some steps, with momentum."""
    torch.manual_seed(0)
    shapes = [(8, 6, 3, 3), (16, 3, 9, 9), (4, 4, 1, 1), (40, 2, 3, 3)]
    kernels = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    rows = [torch.nn.Parameter(kernel.detach().clone().flatten(1)) for kernel in kernels]
    ours, theirs = KernelMuon(kernels, momentum=0.9), torch.optim.Muon(rows, weight_decay=0.0, momentum=0.9)
    ours.param_groups[0]["lr"] = theirs.param_groups[0]["lr"] = 0.1
    for _ in range(3):
        for kernel, row in zip(kernels, rows, strict=True):
            kernel.grad = torch.randn(kernel.shape)
            row.grad = kernel.grad.flatten(1)
        before = [row.detach().clone() for row in rows]
        ours.step()
        theirs.step()
        for kernel, row, old in zip(kernels, rows, before, strict=True):
            step, wanted = kernel.detach().flatten(1) - old, row.detach() - old
            assert (step - wanted).norm() < 0.03 * wanted.norm()  # bfloat16 rounds either in its own way
            kernel.data.copy_(row.data.view(kernel.shape))


def test_muon_has_the_kernels_but_the_last_and_adam_the_rest():
    generator = create(width=2, residual_blocks=1).to(memory_format=torch.channels_last)
    adam, muon = make_optimizers(generator, TrainConfig(optimizer="muon", width=2, residual_blocks=1), 1)
    by_muon = {id(kernel) for kernel in muon.kernels}
    by_adam = {id(p) for group in adam.param_groups for p in group["params"]}
    assert by_muon == {id(p) for name, p in generator.named_parameters() if p.ndim == 4 and not name.startswith("leave")}
    assert not by_muon & by_adam and len(by_muon | by_adam) == len(list(generator.parameters()))
    assert adam.param_groups[0]["rate"] == 1e-3 and muon.param_groups[0]["rate"] == 0.03


def test_adapters_have_adam_alone():
    generator = create(width=2, residual_blocks=1)
    freeze(generator, "norm+ends")
    assert len(make_optimizers(generator, TrainConfig(optimizer="muon"), 1)) == 1
