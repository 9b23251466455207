"""Instance norm with fixed statistics: what a picture's parts, or a film's frames, are painted with independently."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from zoo.errors import ConfigError
from zoo.images import open_photo, to_tensor
from zoo.layers import BatchNorm, InstanceNorm
from zoo.registry import Generator

G = TypeVar("G", bound=nn.Module)


@torch.no_grad()
def freeze_statistics(generator: G, photos: Iterable[torch.Tensor]) -> G:
    """A copy whose instance norms use fixed statistics: the averages, over 1×3×H×W photos, of each picture's own.

    That is batch norm with these as its running statistics, what instance norm would be if it were switched off at test time.
    """
    count = 0
    sums: dict[str, tuple[torch.Tensor, ...]] = {}
    where = next(generator.parameters(), torch.empty(0)).device
    layers = {name: module for name, module in generator.named_modules() if isinstance(module, InstanceNorm)}

    def gather(name: str, x: torch.Tensor) -> None:
        variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        sums[name] = tuple(a + b for a, b in zip(sums.get(name, (torch.zeros(()),) * 2), (mean, variance), strict=True))

    handles = [m.register_forward_pre_hook(lambda m, x, name=name: gather(name, x[0])) for name, m in layers.items()]
    try:
        for photo in photos:
            generator(photo.to(where))
            count += 1
    finally:
        for handle in handles:
            handle.remove()
    return with_statistics(generator, {name: (sums[name][0] / count, sums[name][1] / count) for name in layers})


def with_statistics(generator: G, statistics: Mapping[str, tuple[torch.Tensor, torch.Tensor]]) -> G:
    """A copy whose instance norms of those names are batch norms with that mean and variance of each channel, C and C."""
    frozen = copy.deepcopy(generator)
    for name, (mean, variance) in statistics.items():
        layer = frozen.get_submodule(name)
        assert isinstance(layer, InstanceNorm)
        norm = BatchNorm(len(layer.weight), eps=layer.eps).to(layer.weight.device).eval()
        averages = {"running_mean": mean, "running_var": variance}
        norm.load_state_dict({**layer.state_dict(), **averages}, strict=False)  # it lacks the count of batches alone
        parent, _, last = name.rpartition(".")
        setattr(frozen.get_submodule(parent), last, norm.requires_grad_(layer.weight.requires_grad))
    return frozen


def frozen(generator: Generator, photos: Sequence[Path], size: int = 512) -> tuple[Generator, float]:
    """`freeze_statistics` over photo files at a long side of `size` px; and how far that moves their pictures, in the mean over
    them, in levels of 255. Raises ConfigError when the generator has no instance norm."""
    if not any(isinstance(module, InstanceNorm) for module in generator.modules()):
        raise ConfigError(f"only instance norm's statistics can be frozen, this generator has {generator.config.norm} norm")
    with torch.no_grad():
        found = freeze_statistics(generator, (to_tensor(open_photo(path, size)) for path in photos))
        moved = 0.0
        for path in photos:
            photo = to_tensor(open_photo(path, size))
            moved += 255 * (found(photo) - generator(photo)).abs().mean().item()
    return found, moved / len(photos)
