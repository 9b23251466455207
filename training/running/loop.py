"""The training loop: one generator, or matched twins in lockstep, on accelerate.

Twins see the same crops in the same step: the photo's features are computed once, and seed, data order and schedule
are the same by construction.
"""

import importlib.util
import os
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, DistributedDataParallelKwargs, gather_object
from tqdm import tqdm

from training.config import TrainConfig
from training.data.archives import dataset_of, photo_folder
from training.data.crops import PhotoFolder, make_loader, plainly
from training.data.paintings import Painting, style_of_step
from training.objective.pyramid import make_objectives
from training.records import differences, fingerprint
from training.running.checkpoint import load_checkpoint, save_checkpoint
from training.running.lock import only_training
from training.running.optimizers import rate_factor
from training.running.push import check_push, push
from training.running.report import RunReport
from training.running.signals import stop_signals
from training.running.twins import Twin, train_step
from zoo.device import is_out_of_memory, pick_device
from zoo.errors import DeviceError, TrainingError
from zoo.style import Style

TRACKERS = ("trackio", "tensorboard")


@dataclass
class RunOptions:
    """Where a run computes, what it reports and keeps; none of it changes the trained weights, beyond rounding."""

    device: str = "auto"  # one of zoo.device.DEVICES
    vgg_weights: str = "bundled"
    preview: Path | None = None  # folder of fixed photos to look at; default: the first of the content folder
    preview_every: int = 250
    held_out: Path | None = None  # folder of photos never trained on
    held_out_every: int = 250
    checkpoint_every: int = 100
    log_every: int = 10
    workers: int | None = None  # processes that read photos; None: as many as keep a GPU busy, none beside a CPU training
    track: str | None = None  # besides the JSON lines: one of TRACKERS
    push_to: str | None = None  # owner/name of the Hub, where the finished style is published
    stop_at: int | None = None  # end the session after this step; a later call resumes

    def __post_init__(self) -> None:
        for name in ("preview_every", "held_out_every", "checkpoint_every", "log_every", "stop_at"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainingError(f"--{name.replace('_', '-')} counts steps and must be at least 1, got {value}")
        if self.workers is not None and self.workers < 0:
            raise TrainingError(f"--workers must be 0 (read photos inline) or more, got {self.workers}")
        if self.track and not importlib.util.find_spec(self.track):
            raise TrainingError(f"--track {self.track} needs a package that is not installed: pip install {self.track}")


def run(
    config: TrainConfig,
    paintings: list[Painting],
    content: str | Path,
    out: Path,
    norms: tuple[str, ...] = ("instance", "batch"),
    options: RunOptions | None = None,
    start: tuple[Style, ...] = (),
) -> Path:
    """Train the generators of `norms` against paintings on photos; returns `out`.

    `content` is what `training.data.archives.photo_folder` takes. One painting makes `out` its style folder; several are
    trained into one conditional generator, one style a step, and exported to a style folder out/SLUG each. With `start`,
    trained styles, it begins from their weights. A run that was stopped goes on from its newest checkpoint in out/run.
    Ctrl-C and SIGTERM end it after the step at hand (of several processes: after the next that is logged), with a checkpoint,
    as KeyboardInterrupt. Where memory runs out before anything was kept, all twins start again with a smaller micro-batch,
    which the recipe records. Raises ZooError for bad input, an `out` that holds another run or is trained into right now,
    losses that stay non-finite at any learning rate.
    """
    options, out = options or RunOptions(), Path(out)
    if options.push_to:
        check_push(options.push_to, config, paintings, norms, start)
    accelerator = make_accelerator(config, len(paintings), out, options.track, options.device)
    check_processes(accelerator.num_processes, config, norms)
    with only_training(out / "run") if accelerator.is_main_process else nullcontext():
        with accelerator.main_process_first():  # the others find what it has unpacked
            content, dataset = photo_folder(content, out / "run" / "photos"), dataset_of(content)
        state = load_checkpoint(out / "run" / "checkpoints", accelerator.print)
        if state and not config.micro_batch:
            config = replace(config, micro_batch=state["run"]["recipe"].get("micro_batch", 0))  # what the memory allowed before
        while True:
            try:
                finished = train(config, paintings, content, out, norms, options, accelerator, state, start, dataset)
                accelerator.wait_for_everyone()
                if finished and options.push_to and accelerator.is_main_process:
                    push(out, options.push_to, config.only, accelerator.print)
                accelerator.end_training()
                return out
            except OSError as error:
                what = f"cannot write {error.filename or out} ({error.strerror or error})"
                raise TrainingError(f"{what}: the last checkpoint is kept; make room, then call again to go on") from error
            except (MemoryError, RuntimeError) as error:
                config = with_less_memory(config, error, out, accelerator)
            # outside of the except clause, whose error still holds the memory
            accelerator.print(f"out of memory: starting again with {config.micro_batch} pictures at once")
            accelerator.free_memory()


def train(
    config: TrainConfig,
    paintings: list[Painting],
    content: Path,
    out: Path,
    norms: tuple[str, ...],
    options: RunOptions,
    accelerator: Accelerator,
    state: dict | None,
    start: tuple[Style, ...] = (),
    dataset: str | None = None,
) -> bool:
    """`run` from a checkpoint's state or the start, with one size of micro-batch, which may be too large for the memory.

    `dataset` is the Hub's name of the photos, if they have one, for the record. Returns whether the last step of the recipe
    was done, and the styles exported.
    """
    photos = PhotoFolder(content, config.crop_size, config.seed, config.photo_count, config.zoom)
    photos[0]  # raises here, in this process and in plain words, when nothing in the folder can be read
    objectives = make_objectives(config, paintings, options.vgg_weights, accelerator.device)
    twins = [Twin(norm, config, len(objectives), accelerator, start) for norm in norms]
    report = RunReport(out, config, norms, options, paintings, photos, accelerator, start, dataset)
    which = {"recipe": asdict(config), "norms": list(norms), **fingerprint(paintings, photos)}
    which["start"] = [record["sha256"] for record in report.started_from]
    first = resume(state, report, which, twins)
    if len(firsts := set(gather_object([first]))) > 1:
        raise TrainingError(f"processes would go on after steps {sorted(firsts)}: let all of them see the same {out}")
    report.start(first, twins)

    last = min(config.steps, options.stop_at or config.steps)
    loader = accelerator.prepare(make_loader(photos, first, last, config.batch_size, workers(options, accelerator.device)))
    bar = tqdm(total=config.steps, initial=first, unit="step", smoothing=0.02, disable=not accelerator.is_main_process)
    seconds, began = state["seconds"] if state else 0.0, time.monotonic()  # of training alone, over all sessions
    with bar, stop_signals() as signals:
        for step, batch in enumerate(plainly(loader), first + 1):
            batch = batch.to(accelerator.device, memory_format=torch.channels_last)
            style = style_of_step(step, len(objectives), config.seed)
            factor = rate_factor(config, step)
            losses = train_step(twins, objectives[style], batch, style, factor, config.micro_batch, seed=step)
            bar.update()
            seconds += time.monotonic() - began
            log, checkpoint = (step % every == 0 or step == last for every in (options.log_every, options.checkpoint_every))
            log = log or step == 1
            stopping = stops(accelerator, signals, log or checkpoint)
            checkpoint = checkpoint or stopping
            if log or checkpoint:
                for twin in twins:
                    twin.look(step, bar.write)
            if log:
                speed = step * config.batch_size / seconds
                means = {norm: {k: accelerator.reduce(v, "mean").item() for k, v in f.items()} for norm, f in losses.items()}
                report.log(step, {"style": report.slugs[style], **means}, seconds=round(seconds, 1))
                totals = {norm: f"{found['total']:.3g}" for norm, found in means.items()}
                bar.set_postfix({**totals, "pictures/s": f"{speed:.1f}"})
            report.after_step(step, last, twins)
            if checkpoint and accelerator.is_main_process:
                state = {twin.norm: twin.state_dict() for twin in twins}
                save_checkpoint(report.checkpoints, step, {"run": which, "seconds": seconds, **state})
            if stopping:
                raise KeyboardInterrupt
            began = time.monotonic()
    if last == config.steps:
        report.finish(twins)
    return last == config.steps


def make_accelerator(config: TrainConfig, styles: int, out: Path, track: str | None, device: str = "auto") -> Accelerator:
    """What runs the training: a device, a batch that all processes share, a tracker. Precision is the twins' own business.

    Raises DeviceError when there is no such device, TrainingError or DeviceError when accelerate was set up for another in this
    process, or in half precision by a program of its own.
    """
    where = pick_device(device).type
    rows = styles > 1 or config.identity_weight > 0  # of which a step trains one
    try:
        accelerator = Accelerator(
            mixed_precision="no",
            cpu=device == "cpu",
            dataloader_config=DataLoaderConfiguration(split_batches=True),
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=rows)],
            log_with=track,
            project_dir=out / "run",
        )
    except ValueError as error:  # of which there is one state a process
        raise TrainingError(f"accelerate works in another way in this process: train in one of its own ({error})") from error
    if device != "auto" and accelerator.device.type != where:
        raise DeviceError(f"this process trains on {accelerator.device.type} already: train on {where} in another")
    if track:
        os.environ.setdefault("TRACKIO_DIR", str((out / "run" / "trackio").resolve()))
        flat = {key: value if isinstance(value, (int, float, str)) else str(value) for key, value in asdict(config).items()}
        accelerator.init_trackers("missing-ingredient", config=flat)
    return accelerator


def stops(accelerator: Accelerator, signals: list[int], meeting: bool) -> bool:
    """Whether the run ends after this step, as a signal came. One of several processes may have got it alone: they decide
    together, at steps at which they wait for each other anyway (`meeting`)."""
    if accelerator.num_processes == 1:
        return bool(signals)
    if signals:
        accelerator.set_trigger()
    return meeting and accelerator.check_trigger()


def workers(options: RunOptions, device: torch.device) -> int:
    """How many processes read photos beside the training."""
    if options.workers is not None:
        return options.workers
    return 0 if device.type == "cpu" else min(8, (os.cpu_count() or 2) - 1)


def resume(state: dict | None, report: RunReport, which: dict, twins: list[Twin]) -> int:
    """Take up the state of a checkpoint, if there is one; returns the step it was made after, or 0.

    Raises TrainingError when the folder holds another run than `which` describes.
    """
    if state is None:
        return 0
    anew = f"choose another --out, or delete {report.folder} to start anew"
    there, here = ({**run, **run["recipe"], "recipe": {}} for run in (state["run"], which))
    if other := differences(there, here):
        raise TrainingError(f"{report.out} holds a run that differs in {', '.join(other)}: {anew}")
    try:
        for twin in twins:
            twin.load_state_dict(state[twin.norm])
    except (KeyError, ValueError) as error:
        raise TrainingError(f"{report.checkpoints} is of another version of the trainer (no {error}): {anew}") from error
    report.accelerator.print(f"resuming after step {state['step']} of {report.config.steps}")
    return state["step"]


def with_less_memory(config: TrainConfig, error: Exception, out: Path, accelerator: Accelerator) -> TrainConfig:
    """The recipe with which to start again, as memory ran out. Raises `error` when it is another, TrainingError when steps were
    kept already, or one of several processes lacks memory: the others wait for it, until what started them ends them."""
    if not is_out_of_memory(error):
        raise error
    processes = accelerator.num_processes
    if processes > 1:
        now = config.micro_batch or config.batch_size // processes
        which = f"process {accelerator.process_index + 1} of {processes}, which computes {now} pictures at once"
        raise TrainingError(f"out of memory in {which}: give a smaller --micro-batch or --crop-size") from error
    if any((out / "run" / "checkpoints").glob("step_*.pt")):
        raise TrainingError(
            "out of memory in the middle of a run, which fitted before: free some, then call again; "
            f"what {out}/run has kept is untouched"
        ) from error
    return smaller_micro_batch(config)


def smaller_micro_batch(config: TrainConfig) -> TrainConfig:
    """The recipe with the next smaller micro-batch: halved, down through divisors of the batch.

    Raises TrainingError when a single picture is too much.
    """
    now = config.micro_batch or config.batch_size
    fitting = [size for size in range(1, now // 2 + 1) if config.batch_size % size == 0]
    if not fitting:
        raise TrainingError(
            f"out of memory with a single crop of {config.crop_size} px: choose a smaller --crop-size or --width"
        )
    return replace(config, micro_batch=fitting[-1])


def check_processes(processes: int, config: TrainConfig, norms: tuple[str, ...]) -> None:
    """Raise TrainingError where several processes would train something else than one does."""
    if processes > 1 and "batch" in norms:
        raise TrainingError(
            "batch norm takes its statistics from the batch of one process: with several it is no longer the batch norm of "
            "the recipe (with one picture a process it is instance norm). Train the pair in one process, or --norm instance"
        )
    if config.batch_size % processes:
        raise TrainingError(f"batch_size {config.batch_size} cannot be shared evenly by {processes} processes")
