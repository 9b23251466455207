"""A picture of a hundred megapixels on the command line: time, and the most memory that its process takes.

  python -m benchmarks.ultra --size 12000x8400 --limit 3G

A photo is enlarged to that size and written as a JPEG; `python -m zoo stylize` paints it in a process of its own, decoding and
encoding included, with at most --limit for painting (MISSING_INGREDIENT_MEMORY). Before that, a picture of 12 MP is painted
with every map kept and with the fewest, and the largest difference is printed, in float32 and of 255 levels.

  python -m benchmarks.ultra --size 6000x4000 --limit 3G --quick

--quick paints it exactly and with a thumbnail's statistics instead, in turns, and prints how far one is from the other.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

import zoo
from benchmarks.inference import size_of
from training.records import machine
from zoo.cli import command
from zoo.engine.choice import TORCH, candidates
from zoo.engine.torch_engine import LEVELS, torch_engine
from zoo.images import open_photo
from zoo.registry import Generator
from zoo.style import PHOTO


def difference(generator: Generator, image: Image.Image) -> float:
    """The largest between a picture of which every map was kept and one of as few as may be, in [0, 1].

    Not `forward`: in pictures of that size it is further from float64 than either, as it adds up statistics in float32.
    """
    whole, most = torch.empty(1, 3, image.height, image.width), 0.0

    def keep(row: int, x: torch.Tensor) -> None:
        whole[:, :, row : row + x.shape[2]] = x

    def compare(row: int, x: torch.Tensor) -> None:
        nonlocal most
        most = max(most, float((x - whole[:, :, row : row + x.shape[2]]).abs().max()))

    torch_engine(generator).paint(image, keep, LEVELS[0])
    torch_engine(generator).paint(image, compare, LEVELS[-1])
    return most


def run(words: list[str], limit: str) -> tuple[float, float, float]:
    """Seconds, those of processors, and the most MiB that a command has had at once."""
    began, most, busy = time.perf_counter(), 0, 0.0
    process = psutil.Popen(words, env={**os.environ, "MISSING_INGREDIENT_MEMORY": limit})
    while process.poll() is None:
        try:
            most, busy = max(most, process.memory_info().rss), sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    if process.wait():
        sys.exit(f"failed: {' '.join(words)}")
    return time.perf_counter() - began, busy, most / 2**20


def quick(stylize: list[str], folder: Path, limit: str, rounds: int) -> None:
    """Print the time and memory of exact and quick pictures, and how far they are from each other."""
    ways: dict[str, list[str]] = {"exact": [], "quick": ["--quick"]}
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, more in ways.items():
            found[name].append(run([*stylize, "--engine", "torch", "-o", str(folder / f"{name}.png"), *more], limit))
    print("| | s | processor s | MiB of the process, at most |\n|---|---:|---:|---:|")
    for name, figures in found.items():
        seconds, busy, most = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"| {name} | {seconds:.0f} | {busy:.0f} | {most:.0f} |")
    exact, other = (np.asarray(open_photo(folder / f"{name}.png"), np.int16) for name in ways)
    off = np.abs(exact - other).ravel()
    print(f"off by {off.mean():.1f} of 255 levels in the mean, 99.9% within {np.quantile(off, 0.999):.0f}")


def _stylize(args: argparse.Namespace, folder: Path) -> list[str]:
    """The command, but for its engine and the file to write, with the photo that it paints in a folder."""
    open_photo(PHOTO).resize(size_of(args.size), Image.Resampling.BICUBIC).save(folder / "photo.jpg", quality=90)
    return [sys.executable, "-m", "zoo", "stylize", str(folder / "photo.jpg"), "-s", args.style]


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="12000x8400", metavar="WxH", help="in px (default: 12000x8400, 101 MP)")
    parser.add_argument("--limit", default="3G", help="of memory for painting (default: 3G)")
    parser.add_argument("--style", default="starry-night", help="(default: starry-night)")
    parser.add_argument("--whole", default="4000x3000", metavar="WxH", help="of the one painted both ways (default: 4000x3000)")
    parser.add_argument("--quick", action="store_true", help="exact and quick pictures in turns")
    parser.add_argument("--rounds", type=int, default=1, metavar="K", help="of --quick (default: 1)")
    args = parser.parse_args(argv)
    print(machine(torch.device("cpu")), flush=True)
    if args.quick:
        with tempfile.TemporaryDirectory() as folder:
            quick(_stylize(args, Path(folder)), Path(folder), args.limit, args.rounds)
        return
    away = difference(zoo.load(zoo.find(args.style)), open_photo(PHOTO).resize(size_of(args.whole), Image.Resampling.BICUBIC))
    print(
        f"{args.whole}: with all maps and with the fewest it differs by at most {away:.1e} ({255 * away:.3f} of 255 levels)",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        stylize = [*_stylize(args, Path(folder)), "-o", str(Path(folder) / "painted.jpg")]
        print("| engine | s | MiB of the process, at most |\n|---|---:|---:|")
        for engine in (engine for engine in candidates() if engine in TORCH):
            seconds, _, most = run([*stylize, "--engine", engine], args.limit)
            print(f"| {engine} | {seconds:.0f} | {most:.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
