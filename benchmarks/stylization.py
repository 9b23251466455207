"""Time of one picture: both generators in one pass, and the slow method beside them, in one run.

  python -m benchmarks.stylization --size 512

The paper's widths are 32 (residual network) and 8 a scale (texture network); the zoo's is 16. The time does not depend on the
weights, so generators are fresh ones. The slow method's time is that of an iteration (one evaluation of objective and gradient,
L-BFGS) times --iterations.
"""

import argparse
import sys
import time
from typing import Any

import torch

import zoo
from training.measure.held_out import held_out_objective
from training.measure.robustness import seconds_a_picture
from training.objective.gatys import optimise_pixels
from training.objective.vgg import load_vgg
from training.records import machine
from zoo.cli import command
from zoo.device import DEVICES, HELP, pick_device
from zoo.images import open_photo, to_tensor
from zoo.style import PHOTO

GENERATORS: dict[str, dict[str, Any]] = {
    "residual, width 16, instance norm": {"architecture": "johnson", "width": 16, "norm": "instance"},
    "residual, width 16, batch norm": {"architecture": "johnson", "width": 16, "norm": "batch"},
    "residual, width 32, instance norm": {"architecture": "johnson", "width": 32, "norm": "instance"},
    "texture, width 8, instance norm": {"architecture": "texture", "width": 8, "norm": "instance"},
    "texture, width 8, batch norm": {"architecture": "texture", "width": 8, "norm": "batch"},
}


def seconds_an_iteration(size: int, device: torch.device, repeats: int = 4) -> float:
    """Time of one iteration of the slow method on a size×size px photo, after one to warm up."""
    photo = to_tensor(open_photo(PHOTO).resize((size, size)), device)
    objective, times = held_out_objective(load_vgg().to(device), open_photo(PHOTO)), []
    optimise_pixels(objective, photo, repeats, watch=lambda *_: times.append(time.perf_counter()))
    return (times[-1] - times[0]) / (repeats - 1)


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, metavar="N", help="side of the photo in px (default: 512)")
    parser.add_argument("--iterations", type=int, default=300, metavar="N", help="of the slow method (default: 300)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    args = parser.parse_args(argv)
    device, base = pick_device(args.device), 0.0
    print(f"{args.size} px; {machine(device)}\n{'':36}{'parameters':>12}{'seconds':>10}{'ratio':>10}")
    for name, keys in GENERATORS.items():
        generator = zoo.create(**keys).eval().to(device).to(memory_format=torch.channels_last)
        seconds = seconds_a_picture(generator, args.size, device)
        base = base or seconds
        print(f"{name:36}{sum(p.numel() for p in generator.parameters()):12,}{seconds:10.3f}{seconds / base:10.2f}", flush=True)
    seconds = seconds_an_iteration(args.size, device)
    print(f"{'one iteration of Gatys et al.':36}{'':12}{seconds:10.3f}{seconds / base:10.2f}")
    total = f"{args.iterations} iterations"
    print(f"{total:36}{'':12}{seconds * args.iterations:10.0f}{seconds * args.iterations / base:10.0f}")


if __name__ == "__main__":
    sys.exit(main())
