"""Seconds of one picture by every engine, side by side: all contenders take turns, so that what else the machine does hits all.

  python -m benchmarks.inference --sizes 256 512 --widths 16 32

"eager" is the residual generator as pytorch/examples runs it: torch's own instance norm, NCHW, one map after the other. All
paint with the same weights; what is not installed is left out. Times are medians and least ones of a picture, from
pixels to pixels.
"""

import argparse
import functools
import statistics
import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import nn

import zoo
from training.records import machine
from zoo.engine.painting import Manner, paint_fast, paint_plainly
from zoo.engine.runtimes import RUNTIMES, is_there
from zoo.images import open_photo
from zoo.layers import InstanceNorm
from zoo.registry import Generator
from zoo.style import PHOTO

Contender = Callable[[Image.Image], object]


def eager(generator: Generator) -> Generator:
    """The same weights in torch's own layers, NCHW."""
    plain = zoo.create(generator.config)
    plain.load_state_dict(generator.state_dict())
    for module in list(plain.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                norm = nn.InstanceNorm2d(len(child.weight), child.eps, affine=True)
                norm.load_state_dict(child.state_dict())
                setattr(module, name, norm)
    return plain.eval().requires_grad_(False)


def contenders(generator: Generator) -> dict[str, Contender]:
    """What paints with that generator's weights, by name; the first is what the others are compared with."""
    plain = eager(generator)
    found: dict[str, Contender] = {
        "eager": lambda image: paint_plainly(plain, image),
        "module": lambda image: paint_plainly(generator, image),
        "torch engine": lambda image: paint_fast(generator, image, Manner("torch")),
    }
    for name in RUNTIMES:
        if is_there(name):
            found[name] = functools.partial(_painted_by, name, generator)
    return found


def _painted_by(name: str, generator: Generator, image: Image.Image) -> object:
    return paint_fast(generator, image, Manner(name))


def measure(them: dict[str, Contender], image: Image.Image, rounds: int) -> dict[str, list[float]]:
    """Seconds of each in every round, after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in them}
    for turn in range(rounds + 1):
        for name, paint in them.items():
            started = time.perf_counter()
            paint(image)
            if turn:
                times[name].append(time.perf_counter() - started)
    return times


def multiplications_a_second(side: int = 1536, repeats: int = 5) -> float:
    """What the processor's matrix product reaches: the roof over all of them."""
    a, b = torch.rand(2, side, side)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - started)
    return side**3 / min(times)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], metavar="N", help="sides in px (default: 256 512)")
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32], metavar="W", help="of generators (default: 16 32)")
    parser.add_argument("--rounds", type=int, default=5, metavar="K", help="pictures of each contender (default: 5)")
    args = parser.parse_args()
    print(f"{machine(torch.device('cpu'))}; a matrix product reaches {multiplications_a_second() / 1e9:.0f} GMAC/s")
    print("| width | px | engine | median s | least s | against eager |\n|---:|---:|---|---:|---:|---:|")
    for width in args.widths:
        generator = zoo.create(width=width).eval().requires_grad_(False).to(memory_format=torch.channels_last)
        for size in args.sizes:
            times = measure(contenders(generator), open_photo(PHOTO).resize((size, size)), args.rounds)
            base = statistics.median(times["eager"])
            for name, seconds in times.items():
                median = statistics.median(seconds)
                print(f"| {width} | {size} | {name} | {median:.3f} | {min(seconds):.3f} | {base / median:.2f} |", flush=True)


if __name__ == "__main__":
    main()
