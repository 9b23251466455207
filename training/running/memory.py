"""What to do where memory runs out: start again with fewer pictures at once, if nothing is lost by that."""

from dataclasses import replace
from pathlib import Path

from accelerate import Accelerator

from training.config import TrainConfig
from zoo.device import is_out_of_memory
from zoo.errors import TrainingError


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
