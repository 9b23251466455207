"""The generators being trained: matched twins, their optimisers, and one guarded step of all of them."""

import copy
from collections.abc import Callable
from itertools import compress
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from training.config import TrainConfig
from training.objective.losses import Objective
from training.objective.precision import resolve
from training.running.optimizers import make_optimizers
from training.running.start import freeze, warm_start
from zoo import half_resolution
from zoo.catalog import load
from zoo.conditional import choose, make_conditional
from zoo.errors import TrainingError
from zoo.registry import Generator, create
from zoo.style import Style

ADVICE = "start again in another --out with a lower --learning-rate (try a third) or --style-weight"
GUARD = ("factor", "halvings", "skipped", "steps")  # of a twin, kept in checkpoints
PATIENCE, HALVINGS = 3, 5  # skipped steps until the rate is halved; halvings until the run is given up


class Twin:
    """One generator with its optimisers, guarded against losses and gradients that are not finite.

    Such a step changes neither weights nor optimisers nor running statistics: what was before is put back. That is decided on
    the device, so that no step waits for the processor; `react_to_skipped_steps` reads the flags now and then, halves the
    learning rate after PATIENCE of them, says so, and gives up after HALVINGS.

    With `averaging` in the recipe, `painter`, a running average of the generator, is what previews, measurements and the
    finished style take.
    """

    def __init__(self, norm: str, config: TrainConfig, styles: int, accelerator: Accelerator, start: tuple[Style, ...] = ()):
        torch.manual_seed(config.seed)  # every twin starts from the same convolution weights
        generator = create(config.generator(norm))
        if styles > 1:
            make_conditional(generator, styles)
        if start:
            warm_start(generator, [load(style, norm) for style in start])
        freeze(generator, config.only)
        generator.to(memory_format=torch.channels_last)
        self.norm, self.accelerator, self.clip, self.averaging = norm, accelerator, config.clip, config.averaging
        self.model = accelerator.prepare(generator)
        self.optimizers = [accelerator.prepare(o) for o in make_optimizers(self.generator, config, styles)]
        self.painter = copy.deepcopy(self.generator).requires_grad_(False) if config.averaging else self.generator
        self.forward = fast_forward(self.model, config, accelerator)
        self.factor, self.halvings, self.skipped, self.steps = 1.0, 0, 0, 0
        self._bad = torch.zeros((), device=accelerator.device)

    @property
    def generator(self) -> Generator:
        """The bare module, whatever accelerate has wrapped it in."""
        return self.accelerator.unwrap_model(self.model)

    def step(self, objective: Objective, chunks: list[tuple], factor: float) -> dict[str, torch.Tensor]:
        """One step of the optimisers, at `factor` of the recipe's rates, on micro-batches (photos, photo features, seed);
        returns the mean losses, on the device."""
        for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
            group["lr"] = group["rate"] * factor * self.factor * group["scale"]
        before = copies(self._state())
        total = sum(len(photos) for photos, *_ in chunks)
        means: dict = {}
        for photos, features, seed in chunks:
            painted = self.forward(photos, **self.generator.noise(seed))  # each micro-batch has noise of its own
            losses = objective(painted, features)
            self.accelerator.backward(losses["total"].sum() / total)
            for name, loss in losses.items():
                means[name] = means.get(name, 0) + loss.detach().sum() / total
        trained = {p: p.grad for p in self.generator.parameters() if p.grad is not None}
        gradient = nn.utils.get_total_norm(trained.values())
        if self.clip:
            nn.utils.clip_grads_with_norm_(trained, self.clip, gradient)
        for optimizer in self.optimizers:
            optimizer.step()
        for p in trained:
            p.grad = None
        bad = ~(means["total"].isfinite() & gradient.isfinite())
        if self.accelerator.num_processes > 1:  # or the weights of one process would part from those of the others
            bad = self.accelerator.reduce(bad.float()) > 0
        put_back(self._state(), before, where=bad)
        self._bad += bad
        self._average()
        return means

    def _state(self) -> dict[Any, torch.Tensor]:
        """Every tensor that a step changes: weights, running statistics, what the optimisers remember."""
        found: dict = dict(self.generator.state_dict())
        for i, optimizer in enumerate(self.optimizers):
            for j, state in enumerate(optimizer.state.values()):
                found.update({(i, j, key): value for key, value in state.items() if isinstance(value, torch.Tensor)})
        return found

    @torch.no_grad()
    def _average(self) -> None:
        """The average forgets faster at first, or it would remember the random start."""
        self.steps += 1
        if self.averaging:
            new = 1 - min(self.averaging, (1 + self.steps) / (10 + self.steps))
            means, values = (list(module.state_dict().values()) for module in (self.painter, self.generator))
            floats = [mean.is_floating_point() for mean in means]
            torch._foreach_lerp_(list(compress(means, floats)), list(compress(values, floats)), new)
            for mean, value, is_float in zip(means, values, floats, strict=True):
                if not is_float:
                    mean.copy_(value)

    def react_to_skipped_steps(self, step: int, say: Callable[[str], None]) -> None:
        """Read the flags of the steps since the last call. Raises TrainingError when lower rates did not help."""
        if not (new := int(self._bad.item())):
            return
        self._bad.zero_()
        self.skipped += new
        say(f"step {step}: {new} steps of the {self.norm}-norm twin were not finite and were skipped")
        if self.skipped >= PATIENCE:
            self.skipped, self.halvings, self.factor = 0, self.halvings + 1, self.factor / 2
            if self.halvings > HALVINGS:
                raise TrainingError(f"the {self.norm}-norm twin diverges at step {step} at any learning rate: {ADVICE}")
            say(f"step {step}: learning rate of the {self.norm}-norm twin halved, now {self.factor:g} of the recipe's")

    def state_dict(self) -> dict:
        """What a checkpoint keeps. Raises TrainingError when the weights are not finite."""
        weights = self.generator.state_dict()
        if not all(value.isfinite().all() for value in weights.values()):
            raise TrainingError(f"the {self.norm}-norm generator's weights are no longer finite: {ADVICE}")
        guard = {key: getattr(self, key) for key in GUARD}
        average = {"average": self.painter.state_dict()} if self.averaging else {}
        return {"generator": weights, "optimizers": [o.state_dict() for o in self.optimizers], "guard": guard, **average}

    def load_state_dict(self, state: dict) -> None:
        """Take up what `state_dict` gave, in version 0.1, too, when there was one optimiser."""
        self.generator.load_state_dict(state["generator"])
        kept = [state["optimizer"]] if "optimizer" in state else state["optimizers"]
        for optimizer, remembered in zip(self.optimizers, kept, strict=True):
            groups = zip(optimizer.param_groups, remembered["param_groups"], strict=True)
            optimizer.load_state_dict({**remembered, "param_groups": [{**fresh, **group} for fresh, group in groups]})
        if self.averaging:
            self.painter.load_state_dict(state["average"])
        for key in GUARD:
            setattr(self, key, state["guard"].get(key, 0))


def copies(tensors: dict[Any, torch.Tensor]) -> dict[Any, torch.Tensor]:
    """A copy of each tensor, as a vector; all of a kind are copied in one, as a GPU takes longer to start on a small tensor
    than to copy it."""
    found: dict = {}
    for those in _kinds(tensors).values():
        vectors = [vector(tensor) for tensor in those.values()]
        found.update(zip(those, torch.cat(vectors).split([len(v) for v in vectors]), strict=True))
    return found


@torch.no_grad()
def put_back(tensors: dict[Any, torch.Tensor], before: dict[Any, torch.Tensor], where: torch.Tensor) -> None:
    """Give tensors the values they had in `before`, their `copies`, if the flag `where` is set, which only their device need
    know. What was not there before was 0.
    """
    for those in _kinds(tensors).values():
        vectors = [vector(tensor) for tensor in those.values()]
        old = [before[key] if key in before else torch.zeros_like(v) for key, v in zip(those, vectors, strict=True)]
        chosen = torch.where(where, torch.cat(old), torch.cat(vectors))
        torch._foreach_copy_(vectors, chosen.split([len(v) for v in vectors]))


def _kinds(tensors: dict[Any, torch.Tensor]) -> dict[tuple, dict[Any, torch.Tensor]]:
    """The tensors of each dtype and device."""
    found: dict[tuple, dict[Any, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        found.setdefault((tensor.dtype, tensor.device), {})[key] = tensor
    return found


def vector(tensor: torch.Tensor) -> torch.Tensor:
    """A view of a tensor without gaps: its values in the order in which they lie in memory."""
    return tensor.as_strided((tensor.numel(),), (1,))


def fast_forward(model: nn.Module, config: TrainConfig, accelerator: Accelerator) -> Callable[..., torch.Tensor]:
    """The generator's forward pass as it is fastest here, in the recipe's precision: on half-resolution maps on a processor,
    else the module's own. What comes out is float32.

    Half precision is a matter of training steps: the module itself stays float32, and so does what is measured with it.
    """
    generator: Any = accelerator.unwrap_model(model)
    kind, bare = accelerator.device.type, generator is model
    inner = resolve(config.precision, kind)
    if kind == "cpu" and bare and half_resolution.fits(generator, *[config.crop_size] * 2):
        return lambda photos: half_resolution.forward(generator, photos, inner)
    if inner == torch.float32 or (kind == "cpu" and config.precision == "auto"):  # which concerns the inner convolutions alone
        return model

    def forward(photos: torch.Tensor, **noise: int) -> torch.Tensor:
        with torch.autocast(kind, inner):
            return model(photos, **noise).float()

    return forward


def train_step(
    twins: list[Twin],
    objective: Objective,
    photos: torch.Tensor,
    row: int,
    factor: float,
    micro_batch: int = 0,
    seed: int = 0,
) -> dict[str, dict[str, torch.Tensor]]:
    """One step of a row of every twin on the same B×3×H×W photos, in micro-batches (0: all at once): mean losses by norm.

    `factor` is the share of the recipe's learning rates. `seed` decides the noise of generators that have some, and where the
    objective looks closely.
    """
    parts = photos.split(micro_batch or len(photos))
    first = len(parts) * twins[0].accelerator.process_index  # processes share a step as micro-batches do
    seeds = [seed + (i << 24) for i in range(first, first + len(parts))]  # of which torch's generators look at 32 bits
    chunks = [(part, objective.photo_features(part, own), own) for part, own in zip(parts, seeds, strict=True)]
    losses = {}
    for twin in twins:
        choose(twin.generator, row)
        losses[twin.norm] = twin.step(objective, chunks, factor)
    return losses
