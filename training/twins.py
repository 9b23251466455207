"""The generators being trained: matched twins, their optimisers, and one guarded step of all of them."""

import math
from collections.abc import Callable

import torch
from accelerate import Accelerator
from torch import nn

from training.config import TrainConfig
from training.losses import Objective
from training.start import freeze, warm_start
from zoo.catalog import Style, load
from zoo.conditional import choose, make_conditional, norm_parameters
from zoo.errors import TrainingError
from zoo.registry import create

ADVICE = "start again in another --out with a lower --learning-rate (try a third) or --style-weight"
ADAPTER_SCALES = {True: 10, False: 3}  # of norms, of convolutions
PATIENCE, HALVINGS = 3, 5  # skipped steps until the rate is halved; halvings until the run is given up


class Twin:
    """One generator with its Adam, guarded against losses and gradients that are not finite.

    Such a step changes neither weights nor optimiser nor running statistics. That is decided on the device, so that no
    step waits for the processor; `look` reads the flags now and then, halves the learning rate after PATIENCE skipped
    steps, says so, and gives up after HALVINGS.
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
        # fused, as only the fused step can be skipped on the device (torch.amp.GradScaler uses the same way)
        optimizer = torch.optim.Adam(parameter_groups(generator, styles), fused=True)
        self.norm, self.accelerator = norm, accelerator
        self.model, self.optimizer = accelerator.prepare(generator, optimizer)
        self.factor, self.halvings, self.skipped = 1.0, 0, 0
        self._bad = torch.zeros((), device=accelerator.device)

    @property
    def generator(self) -> nn.Module:
        """The bare module, whatever accelerate has wrapped it in."""
        return self.accelerator.unwrap_model(self.model)

    def step(self, objective: Objective, chunks: list[tuple], rate: float) -> dict[str, torch.Tensor]:
        """One optimiser step on micro-batches (photos, photo features); returns the mean losses, on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * self.factor * group["scale"]
        before = [buffer.clone() for buffer in self.generator.buffers()]
        total = sum(len(photos) for photos, _ in chunks)
        means: dict = {}
        seed = getattr(self.generator, "seed", 0)
        for i, (photos, features) in enumerate(chunks):
            self.generator.seed = seed + (i << 32)  # each micro-batch has noise of its own
            losses = objective(self.model(photos), features)
            self.accelerator.backward(losses["total"].sum() / total)
            for name, loss in losses.items():
                means[name] = means.get(name, 0) + loss.detach().sum() / total
        gradient = nn.utils.get_total_norm([p.grad for p in self.generator.parameters() if p.grad is not None])
        bad = ~(means["total"].isfinite() & gradient.isfinite())
        self.optimizer.optimizer.found_inf = bad.float()
        self.optimizer.step()
        self.optimizer.zero_grad()
        for buffer, old in zip(self.generator.buffers(), before, strict=True):
            buffer.copy_(torch.where(bad, old, buffer))
        self._bad += bad
        return means

    def look(self, step: int, say: Callable[[str], None]) -> None:
        """Read the flags of the steps since the last look. Raises TrainingError when lower rates did not help."""
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
        guard = {"factor": self.factor, "halvings": self.halvings, "skipped": self.skipped}
        return {"generator": weights, "optimizer": self.optimizer.state_dict(), "guard": guard}

    def load_state_dict(self, state: dict) -> None:
        """Take up what `state_dict` gave."""
        self.generator.load_state_dict(state["generator"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.factor, self.halvings, self.skipped = (state["guard"][key] for key in ("factor", "halvings", "skipped"))


def parameter_groups(generator: nn.Module, styles: int) -> list[dict]:
    """Adam's groups of the weights that are trained, each with its `scale` of the learning rate.

    Rows of a conditional generator: the number of styles. A row trains in one step of so many, and Adam moves a parameter by
    about the rate a step: at the common rate the rows would lag behind the convolutions they share, and all styles look
    alike for thousands of steps. On a frozen base (`training.start.freeze`) the few weights have all the way to go alone:
    ADAPTER_SCALES, found by trial (docs/TRAINING.md, a new style in minutes).
    """
    frozen, norms = not all(p.requires_grad for p in generator.parameters()), norm_parameters(generator)
    groups: dict[float, list] = {}
    for name, p in generator.named_parameters():
        scale = (styles if name in norms else 1) * (ADAPTER_SCALES[name in norms] if frozen else 1)
        if p.requires_grad:
            groups.setdefault(scale, []).append(p)
    return [{"params": params, "scale": scale} for scale, params in groups.items()]


def learning_rate(config: TrainConfig, step: int) -> float:
    """The rate of step 1 ... config.steps: a function of the step alone, so that a resumed run repeats it."""
    rate = config.learning_rate * min(1.0, step / config.warmup if config.warmup else 1.0)
    return rate if config.decay == "constant" else rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / config.steps))


def train_step(
    twins: list[Twin],
    objective: Objective,
    photos: torch.Tensor,
    style: int,
    rate: float,
    micro_batch: int = 0,
    seed: int = 0,
) -> dict[str, dict[str, torch.Tensor]]:
    """One step of every twin on the same B×3×H×W photos, in micro-batches (0: all at once); returns mean losses by norm.

    `seed` decides the noise of generators that have some; outside of a step it is 0.
    """
    chunks = [(part, objective.photo_features(part)) for part in photos.split(micro_batch or len(photos))]
    losses = {}
    for twin in twins:
        choose(twin.generator, style).seed = seed
        losses[twin.norm] = twin.step(objective, chunks, rate)
        twin.generator.seed = 0
    return losses
