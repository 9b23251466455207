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
from training.records import fingerprint
from training.report import RunReport
from training.signals import stop_signals
from training.vgg import load_vgg
from zoo.conditional import choose, make_conditional
from zoo.errors import TrainingError
from zoo.images import fit_short_side, open_photo, to_tensor
from zoo.registry import create

ADVICE = "start again in another --out with a lower --learning-rate (try a third) or --style-weight"


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

    def __post_init__(self) -> None:
        for name in ("preview_every", "held_out_every", "checkpoint_every", "log_every", "stop_at"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainingError(f"--{name.replace('_', '-')} counts steps and must be at least 1, got {value}")
        if self.workers < 0:
            raise TrainingError(f"--workers must be 0 (read photos inline) or more, got {self.workers}")


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
        optimizer = torch.optim.Adam(parameter_groups(generator, styles))
        twins.append(Twin(norm, *accelerator.prepare(generator, optimizer)))
    return twins


def parameter_groups(generator: nn.Module, styles: int) -> list[dict]:
    """Adam's groups: the norm rows of a conditional generator get a `scale` of the learning rate.

    A row trains in one step of `styles`, and Adam moves a parameter by about the rate a step: at the common rate the rows
    would lag behind the convolutions they share, and all styles look alike for thousands of steps.
    """
    rows = [p for name, p in generator.named_parameters() if ".rows." in name]
    shared = [p for name, p in generator.named_parameters() if ".rows." not in name]
    return [{"params": shared, "scale": 1}, *([{"params": rows, "scale": styles}] if rows else [])]


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
    Ctrl-C and SIGTERM end it after the step at hand, with a checkpoint, as KeyboardInterrupt. Raises ZooError for bad
    input, an `out` that holds another run, a loss that is no longer finite.
    """
    options, out = options or RunOptions(), Path(out)
    accelerator = Accelerator(dataloader_config=DataLoaderConfiguration(split_batches=True))
    check_processes(accelerator.num_processes, config, norms)
    photos = PhotoFolder(content, config.crop_size, config.seed)
    photos[0]  # raises here, in this process and in plain words, when nothing in the folder can be read
    objectives = make_objectives(config, paintings, options.vgg_weights, accelerator.device)
    twins = make_twins(config, norms, len(paintings), accelerator)
    report = RunReport(out, config, norms, options, paintings, photos, accelerator)

    identity = {"recipe": asdict(config), "norms": list(norms), **fingerprint(paintings, photos)}
    first = 0
    if state := load_checkpoint(report.checkpoints, accelerator.print):
        if other := sorted(key for key in identity if state["run"].get(key) != identity[key]):
            what = f"{out} holds a run with another {' and '.join(other)}"
            raise TrainingError(f"{what}: choose another --out, or delete {report.folder} to start anew")
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
    with bar, stop_signals() as signals:
        for step, batch in enumerate(loader, first + 1):
            batch = batch.to(accelerator.device, memory_format=torch.channels_last)
            style = style_of_step(step, len(paintings), config.seed)
            for twin in twins:
                choose(accelerator.unwrap_model(twin.generator), style)
            losses = train_step(twins, objectives[style], batch, learning_rate(config, step), accelerator)
            bar.update()
            if step % options.log_every == 0 or step in (1, last):
                speed = (step - first) * config.batch_size / (time.monotonic() - started)
                means = {norm: {k: accelerator.reduce(v, "mean").item() for k, v in f.items()} for norm, f in losses.items()}
                report.log(step, {"style": paintings[style].slug, **means}, pictures_per_second=round(speed, 2))
                totals = {norm: f"{found['total']:.3g}" for norm, found in means.items()}
                bar.set_postfix({**totals, "pictures/s": f"{speed:.1f}"})
                if not all(math.isfinite(found["total"]) for found in means.values()):
                    raise TrainingError(f"the loss is no longer finite at step {step}: {ADVICE}")
            report.after_step(step, last, twins)
            if step % options.checkpoint_every == 0 or step == last or signals:
                keep(report.checkpoints, step, identity, twins, accelerator)
            if signals:
                raise KeyboardInterrupt
    if last == config.steps:
        report.finish(twins)
    accelerator.end_training()
    return out


def check_processes(processes: int, config: TrainConfig, norms: tuple[str, ...]) -> None:
    """Raise TrainingError where several processes would train something else than one does."""
    if processes > 1 and "batch" in norms:
        raise TrainingError(
            "batch norm takes its statistics from the batch of one process: with several it is no longer the batch norm of "
            "the recipe (with one picture a process it is instance norm). Train the pair in one process, or --norm instance"
        )
    if config.batch_size % processes:
        raise TrainingError(f"batch_size {config.batch_size} cannot be shared evenly by {processes} processes")


def keep(checkpoints: Path, step: int, identity: dict, twins: list[Twin], accelerator: Accelerator) -> None:
    """Save a checkpoint, unless the weights are no longer finite: then raise TrainingError and keep the earlier ones."""
    if not accelerator.is_main_process:
        return
    state = twin_states(twins, accelerator)
    for twin in twins:
        if not all(value.isfinite().all() for value in state[twin.norm]["generator"].values()):
            raise TrainingError(f"the {twin.norm}-norm generator's weights are no longer finite at step {step}: {ADVICE}")
    save_checkpoint(checkpoints, step, {"run": identity, **state})


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
            group["lr"] = rate * group["scale"]
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
