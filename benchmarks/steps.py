"""Pictures a second and peak memory of training a pair, beside a plain loop written the textbook way, in one run.

  python -m benchmarks.steps --crop-size 160 --steps 8

The textbook loop trains one twin after the other, NCHW, torch's own norm layers, float32, every loss written out. Same
network, same losses, same batch. Ours: twins in lockstep, channels-last, shared photo features; in float32, then with the
loss network in bfloat16. Each variant runs in a process of its own, in turns, so that peak memory is its own and a change
of the machine's mood hits all. A picture counts once for each twin that trained on it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from accelerate import Accelerator

from benchmarks.memory import peak_memory
from benchmarks.textbook import CONTENT_LAYER, STYLE_LAYERS, Textbook
from training.config import TrainConfig
from training.objective.losses import Objective
from training.objective.vgg import load_vgg
from training.records import machine
from training.running.twins import Twin, train_step
from zoo.cli import command
from zoo.device import DEVICES, HELP, pick_device, synchronize

VARIANTS = ("textbook", "ours, float32", "ours, bfloat16 losses")


def ours(
    config: TrainConfig, painting: torch.Tensor, device: torch.device, dtype: torch.dtype
) -> Callable[[torch.Tensor], None]:
    """A step of this project's loop."""
    layers = {CONTENT_LAYER: 1.0}, dict.fromkeys(STYLE_LAYERS, 1.0)
    objective = Objective(load_vgg(dtype=dtype).to(device), painting, *layers).to(device)
    accelerator = Accelerator(cpu=device.type == "cpu")
    twins = [Twin(norm, config, 1, accelerator) for norm in ("instance", "batch")]

    def step(photos: torch.Tensor) -> None:
        train_step(twins, objective, photos.to(memory_format=torch.channels_last), 0, 1.0)

    return step


def measure(variant: str, config: TrainConfig, steps: int, device: torch.device) -> dict:
    """Seconds of each step and peak memory in MiB of one variant."""
    torch.manual_seed(0)
    painting = torch.rand(1, 3, config.style_size, config.style_size, device=device)
    photos = torch.rand(config.batch_size, 3, config.crop_size, config.crop_size, device=device)
    if variant == "textbook":
        step: Callable[[torch.Tensor], None] = Textbook(config, painting, device).step
    else:
        step = ours(config, painting, device, torch.float32 if "float32" in variant else torch.bfloat16)
    times = []
    for _ in range(steps + 2):  # two to warm up
        started = time.perf_counter()
        step(photos)
        synchronize(device)
        times.append(time.perf_counter() - started)
    if device.type == "cuda":
        memory = torch.cuda.max_memory_allocated() / 2**20
    else:
        memory = peak_memory()
    return {"seconds": times[2:], "memory": memory}


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crop-size", type=int, default=160, help="px (default: 160)")
    parser.add_argument(
        "--style-size", type=int, default=TrainConfig.style_size, help="px of the painting (default: %(default)s)"
    )
    parser.add_argument("--batch-size", type=int, default=4, help="photos a step (default: 4)")
    parser.add_argument("--width", type=int, default=16, help="of the generators (default: 16)")
    parser.add_argument("--steps", type=int, default=5, help="timed steps of each variant and round (default: 5)")
    parser.add_argument("--rounds", type=int, default=2, help="turns (default: 2)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    sizes = {"crop_size": args.crop_size, "style_size": args.style_size}
    config = TrainConfig(**sizes, batch_size=args.batch_size, width=args.width)
    if args.variant:
        print(json.dumps(measure(args.variant, config, args.steps, pick_device(args.device))))
        return
    words = sys.argv[1:] if argv is None else argv
    found: dict[str, list[dict]] = {variant: [] for variant in VARIANTS}
    for _ in range(args.rounds):
        for variant in VARIANTS:
            one = [sys.executable, "-m", "benchmarks.steps", *words, "--variant", variant]
            found[variant].append(json.loads(subprocess.run(one, capture_output=True, text=True, check=True).stdout))
    seconds = {variant: statistics.median(s for turn in turns for s in turn["seconds"]) for variant, turns in found.items()}
    print(f"a pair, width {args.width}, {args.crop_size} px, batch {args.batch_size}; {machine(pick_device(args.device))}")
    print(f"{'':24}{'pictures/s':>12}{'ratio':>8}{'peak MiB':>10}{'ratio':>8}")
    base = max(turn["memory"] for turn in found["textbook"])
    for variant, turns in found.items():
        memory = max(turn["memory"] for turn in turns)
        speed, ratio = 2 * args.batch_size / seconds[variant], seconds["textbook"] / seconds[variant]
        print(f"{variant:24}{speed:12.2f}{ratio:8.2f}{memory:10.0f}{memory / base:8.2f}")


if __name__ == "__main__":
    sys.exit(main())
