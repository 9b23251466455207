"""What several processes decide together: run by the fixture `two` in two of them; the first writes what came out."""

import json
import signal
import sys
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from tests.conftest import EXAMPLES
from training.config import TrainConfig
from training.data.paintings import Painting
from training.objective.losses import Objective
from training.objective.vgg import load_vgg
from training.running import loop
from training.running.processes import leave
from training.running.run import RunOptions
from training.running.twins import Twin, train_step
from training.train import main
from zoo.errors import TrainingError

NOISY = TrainConfig(architecture="texture", width=2, crop_size=64, batch_size=4)
PLAIN = TrainConfig(width=2, residual_blocks=1, crop_size=32, batch_size=2, steps=50, style_layers={"relu1_2": 1.0})

SEVERAL = ["--recipe", "smoke", "--steps", "3", "--log-every", "1", "--preview-every", "99", "--identity-weight", "1"]
SEVERAL += ["--style-image", str(EXAMPLES / "sunset.jpg"), str(EXAMPLES / "dog.jpg"), "--content", str(EXAMPLES)]


def noisy_loss(accelerator: Accelerator, micro_batch: int = 0) -> float:
    """Mean loss of a step of a generator with noise on four photos, shared among the processes."""
    photos = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    objective = Objective(load_vgg(), photos[:1], {"relu1_2": 1.0}, {"relu1_2": 1.0})
    own = photos.chunk(accelerator.num_processes)[accelerator.process_index]
    losses = train_step([Twin("instance", NOISY, 1, accelerator)], objective, own, 0, 1.0, micro_batch, seed=3)
    return accelerator.reduce(losses["instance"]["total"], "mean").item()


def changed_by_a_step_not_finite_in_one(accelerator: Accelerator) -> list[bool]:
    """By process: whether a step changed its weights whose loss, but no gradient, was infinite in the second."""

    class Spoilt(Objective):
        def forward(self, pictures, photo_features):
            infinite = float("inf") if accelerator.process_index == 1 else 0.0
            return {"total": pictures.mean(dim=(1, 2, 3)) + infinite}

    twin, photos = Twin("instance", PLAIN, 1, accelerator), torch.rand(1, 3, 32, 32)
    before = [p.clone() for p in twin.generator.parameters()]
    train_step([twin], Spoilt(load_vgg(), photos, {"relu1_2": 1.0}, {"relu1_2": 1.0}), photos, 0, 1.0)
    same = all(torch.equal(old, new) for old, new in zip(before, twin.generator.parameters(), strict=True))
    return gather_object([not same])


def stopped_by_a_signal_to_one(accelerator: Accelerator, out: Path) -> list[bool]:
    """By process: whether a run ended with KeyboardInterrupt after the second alone got SIGTERM in step 3."""
    real = loop.rate_factor

    def with_signal(config: TrainConfig, step: int) -> float:
        if step == 3 and accelerator.process_index == 1:
            signal.raise_signal(signal.SIGTERM)
        return real(config, step)

    loop.rate_factor = with_signal
    stopped, options = False, RunOptions(log_every=5)
    try:
        loop.run(PLAIN, [Painting(EXAMPLES / "sunset.jpg", "sunset")], EXAMPLES, out, ("instance",), options)
    except KeyboardInterrupt:
        stopped = True
    finally:
        loop.rate_factor = real
    return gather_object([stopped])


def going_on_apart(accelerator: Accelerator, out: Path) -> list[str]:
    """By process: what a run that was stopped says when the second cannot see what the first has kept."""
    said, own = "", out if accelerator.is_main_process else out.with_name("elsewhere")
    try:
        loop.run(PLAIN, [Painting(EXAMPLES / "sunset.jpg", "sunset")], EXAMPLES, own, ("instance",), RunOptions(stop_at=7))
    except TrainingError as error:
        said = str(error)
    return gather_object([said])


if __name__ == "__main__":
    out, accelerator = Path(sys.argv[1]), Accelerator()
    found = {
        "noisy loss": noisy_loss(accelerator),
        "changed": changed_by_a_step_not_finite_in_one(accelerator),
        "stopped": stopped_by_a_signal_to_one(accelerator, out / "stopped"),
        "apart": going_on_apart(accelerator, out / "stopped"),
    }
    if accelerator.is_main_process:
        (out / "found.json").write_text(json.dumps(found))
    leave(main([*SEVERAL, "--out", str(out / "several")]))  # which ends the group of processes
