"""The processes of a run: what they compute on, and what they decide together."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, DistributedDataParallelKwargs

from training.config import TrainConfig
from training.running.run import RunOptions
from zoo.device import pick_device
from zoo.errors import DeviceError, TrainingError


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


def check_processes(processes: int, config: TrainConfig, norms: tuple[str, ...]) -> None:
    """Raise TrainingError where several processes would train something else than one does."""
    if processes > 1 and "batch" in norms:
        raise TrainingError(
            "batch norm takes its statistics from the batch of one process: with several it is no longer the batch norm of "
            "the recipe (with one picture a process it is instance norm). Train the pair in one process, or --norm instance"
        )
    if config.batch_size % processes:
        raise TrainingError(f"batch_size {config.batch_size} cannot be shared evenly by {processes} processes")


def stops(accelerator: Accelerator, signals: list[int], meeting: bool) -> bool:
    """Whether the run ends after this step, as a signal came. One of several processes may have got it alone: they decide
    together, at steps at which they wait for each other anyway (`meeting`)."""
    if accelerator.num_processes == 1:
        return bool(signals)
    if signals:
        accelerator.set_trigger()
    return meeting and accelerator.check_trigger()


def leave(code: int) -> NoReturn:
    """End a command with that exit code: of several processes each at once, without taking its interpreter apart.

    Why: DistributedDataParallel keeps the threads of its process group alive after destroy_process_group (torch 2.14), and one
    that lets go of a Python object while the interpreter ends aborts the process, seldom, after everything is done.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def workers(options: RunOptions, device: torch.device) -> int:
    """How many processes read photos beside the training."""
    if options.workers is not None:
        return options.workers
    return 0 if device.type == "cpu" else min(8, (os.cpu_count() or 2) - 1)
