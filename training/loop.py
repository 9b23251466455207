"""The training loop: one generator, or matched twins in lockstep, on accelerate.

Twins see the same crops in the same step: the photo's features are computed once, and seed, data order and schedule
are the same by construction.
"""

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from torch import nn
from tqdm import tqdm

from training.checkpoint import load_checkpoint, save_checkpoint
from training.config import TrainConfig
from training.data import PhotoFolder, make_loader
from training.losses import Objective
from training.paintings import Painting, style_of_step
from training.report import RunReport
from training.vgg import load_vgg
from zoo.conditional import choose, make_conditional
from zoo.errors import TrainingError
from zoo.images import fit_short_side, open_photo, to_tensor
from zoo.registry import create

ADVICE = "lower --learning-rate (try a third) or --style-weight, then start again: the run resumes where it was sound"


@dataclass
class RunOptions:
    """What a run reports and keeps; none of it changes the trained weights."""

    vgg_weights: str = "bundled"
    preview: Path | None = None  # folder of fixed photos to look at; default: the first of the content folder
    preview_every: int = 250
    held_out: Path | None = None  # folder of photos never trained on
    held_out_every: int = 250
    checkpoint_every: int = 100
    log_every: int = 10
    workers: int = 0
    stop_at: int | None = None  # end the session after this step; a later call resumes


@dataclass
class Twin:
    """One of the generators being trained."""

    norm: str
    generator: nn.Module
    optimizer: torch.optim.Optimizer


def learning_rate(config: TrainConfig, step: int) -> float:
    """The rate of step 1 ... config.steps: a function of the step alone, so that a resumed run repeats it."""
    if config.decay == "constant":
        return config.learning_rate
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / config.steps))


def make_twins(config: TrainConfig, norms: tuple[str, ...], styles: int, accelerator: Accelerator) -> list[Twin]:
    """Generators that start from the same convolution weights, each with its own Adam; conditional for several styles."""
    twins = []
    for norm in norms:
        torch.manual_seed(config.seed)
        generator = create(config.generator(norm)).to(memory_format=torch.channels_last)
        if styles > 1:
            make_conditional(generator, styles)
        optimizer = torch.optim.Adam(generator.parameters(), lr=config.learning_rate)
        twins.append(Twin(norm, *accelerator.prepare(generator, optimizer)))
    return twins


def run(
    config: TrainConfig,
    paintings: list[Painting],
    content: Path,
    out: Path,
    norms: tuple[str, ...] = ("instance", "batch"),
    options: RunOptions | None = None,
) -> Path:
    """Train the generators of `norms` against paintings on a folder of photos; returns `out`.

    One painting makes `out` its style folder; several are trained into one conditional generator, one style a step, and
    exported to a style folder out/SLUG each. A run that was stopped goes on from its newest checkpoint in out/run.
    Raises ZooError for bad input, an `out` that holds another run, a loss that is no longer finite.
    """
    options, out = options or RunOptions(), Path(out)
    accelerator = Accelerator(dataloader_config=DataLoaderConfiguration(split_batches=True))
    photos = PhotoFolder(content, config.crop_size, config.seed)
    objectives = make_objectives(config, paintings, options.vgg_weights, accelerator.device)
    twins = make_twins(config, norms, len(paintings), accelerator)
    report = RunReport(out, config, norms, options, paintings, photos, accelerator)

    identity = {**asdict(config), "norms": list(norms), "styles": [painting.slug for painting in paintings]}
    first = 0
    if state := load_checkpoint(report.checkpoints, accelerator.print):
        if state["run"] != identity:
            raise TrainingError(f"{out} holds a run of another recipe: choose another --out, or delete {report.folder}")
        for twin in twins:
            accelerator.unwrap_model(twin.generator).load_state_dict(state[twin.norm]["generator"])
            twin.optimizer.load_state_dict(state[twin.norm]["optimizer"])
        first = state["step"]
        accelerator.print(f"resuming after step {first} of {config.steps}")
    report.start(first, twins)

    last = min(config.steps, options.stop_at or config.steps)
    loader = accelerator.prepare(make_loader(photos, first, last, config.batch_size, options.workers))
    bar = tqdm(total=config.steps, initial=first, unit="step", smoothing=0.02, disable=not accelerator.is_main_process)
    started = time.monotonic()
    for step, batch in enumerate(loader, first + 1):
        batch = batch.to(accelerator.device, memory_format=torch.channels_last)
        style = style_of_step(step, len(paintings), config.seed)
        for twin in twins:
            choose(accelerator.unwrap_model(twin.generator), style)
        losses = train_step(twins, objectives[style], batch, learning_rate(config, step), accelerator)
        bar.update()
        if step % options.log_every == 0 or step in (1, last):
            speed = (step - first) * config.batch_size / (time.monotonic() - started)
            values = {norm: {k: v.item() for k, v in found.items()} for norm, found in losses.items()}
            report.log(step, {"style": paintings[style].slug, **values}, pictures_per_second=round(speed, 2))
            totals = {norm: f"{found['total']:.3g}" for norm, found in values.items()}
            bar.set_postfix({**totals, "pictures/s": f"{speed:.1f}"})
            if not all(math.isfinite(found["total"]) for found in values.values()):
                raise TrainingError(f"the loss is no longer finite at step {step}: {ADVICE}")
        report.after_step(step, last, twins)
        if accelerator.is_main_process and (step % options.checkpoint_every == 0 or step == last):
            save_checkpoint(report.checkpoints, step, {"run": identity, **twin_states(twins, accelerator)})
    bar.close()
    if last == config.steps:
        report.finish(twins)
    accelerator.end_training()
    return out


def make_objectives(config: TrainConfig, paintings: list[Painting], vgg_weights: str, device: torch.device) -> list[Objective]:
    """The objective of each painting, all on one loss network."""
    vgg = load_vgg(vgg_weights, getattr(torch, config.vgg_precision)).to(device)
    weights = config.content_weight, config.style_weight, config.tv_weight
    pictures = [to_tensor(fit_short_side(open_photo(painting.file), config.style_size)).to(device) for painting in paintings]
    layers = config.content_layers, config.style_layers
    return [Objective(vgg, picture, *layers, weights, config.balance).to(device) for picture in pictures]


def train_step(
    twins: list[Twin], objective: Objective, photos: torch.Tensor, rate: float, accelerator: Accelerator
) -> dict[str, dict[str, torch.Tensor]]:
    """One optimiser step of every twin on the same B×3×H×W photos; returns each twin's mean losses."""
    photo_features = objective.photo_features(photos)
    means = {}
    for twin in twins:
        for group in twin.optimizer.param_groups:
            group["lr"] = rate
        losses = objective(twin.generator(photos), photo_features)
        accelerator.backward(losses["total"].mean())
        twin.optimizer.step()
        twin.optimizer.zero_grad()
        means[twin.norm] = {name: loss.detach().mean() for name, loss in losses.items()}
    return means


def twin_states(twins: list[Twin], accelerator: Accelerator) -> dict:
    """What a checkpoint keeps of each twin; the data order needs nothing but the step."""
    return {
        twin.norm: {
            "generator": accelerator.unwrap_model(twin.generator).state_dict(),
            "optimizer": twin.optimizer.state_dict(),
        }
        for twin in twins
    }
