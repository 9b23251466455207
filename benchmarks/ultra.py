"""A picture of a hundred megapixels on the command line: time, and the most memory that its process takes.

  python -m benchmarks.ultra --size 12000x8400 --limit 3G

A photo is enlarged to that size and written as a JPEG; `python -m zoo stylize` paints it in a process of its own, decoding and
encoding included, with at most --limit for painting (MISSING_INGREDIENT_MEMORY). Before that, a picture of 12 MP is painted
with every map kept and with the fewest, and the largest difference is printed, in float32 and of 255 levels.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
import torch
from PIL import Image

import zoo
from benchmarks.inference import size_of
from training.records import machine
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


def run(command: list[str], limit: str) -> tuple[float, float]:
    """Seconds, and the most MiB that a command has had at once."""
    began, most = time.perf_counter(), 0
    process = psutil.Popen(command, env={**os.environ, "MISSING_INGREDIENT_MEMORY": limit})
    while process.poll() is None:
        try:
            most = max(most, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    if process.wait():
        sys.exit(f"failed: {' '.join(command)}")
    return time.perf_counter() - began, most / 2**20


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="12000x8400", metavar="WxH", help="in px (default: 12000x8400, 101 MP)")
    parser.add_argument("--limit", default="3G", help="of memory for painting (default: 3G)")
    parser.add_argument("--style", default="starry-night", help="(default: starry-night)")
    parser.add_argument("--whole", default="4000x3000", metavar="WxH", help="of the one painted both ways (default: 4000x3000)")
    args = parser.parse_args()
    print(machine(torch.device("cpu")))
    away = difference(zoo.load(zoo.find(args.style)), open_photo(PHOTO).resize(size_of(args.whole), Image.Resampling.BICUBIC))
    print(
        f"{args.whole}: with all maps and with the fewest it differs by at most {away:.1e} ({255 * away:.3f} of 255 levels)",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        photo, out = Path(folder) / "photo.jpg", Path(folder) / "painted.jpg"
        open_photo(PHOTO).resize(size_of(args.size), Image.Resampling.BICUBIC).save(photo, quality=90)
        stylize = [sys.executable, "-m", "zoo", "stylize", str(photo), "-s", args.style, "-o", str(out), "--engine"]
        print("| engine | s | MiB of the process, at most |\n|---|---:|---:|")
        for engine in ("torch", "bfloat16"):
            seconds, most = run([*stylize, engine], args.limit)
            print(f"| {engine} | {seconds:.0f} | {most:.0f} |", flush=True)


if __name__ == "__main__":
    main()
