"""Peak memory of painting one picture, beside what zoo/memory.py says before.

  python -m benchmarks.painting_memory                    a table of architectures, norms, widths and sizes
  python -m benchmarks.painting_memory johnson instance 16 1600 1200       one of them

Each is painted in a process of its own. The figures are those of the machine's own memory; the share should stay below 1, and
not far below.
"""

import argparse
import subprocess
import sys

import torch
from PIL import Image

import zoo
from benchmarks.memory import peak_memory
from zoo.cli import command
from zoo.memory import peak_bytes

TABLE = [
    (architecture, norm, width, *size)
    for architecture, widths in (("johnson", (2, 16, 32, 64)), ("texture", (1, 8, 16, 64)), ("synthesis", (8,)))
    for norm in ("instance", "batch")
    for width in widths
    for size in ([(512, 512), (1600, 1200)] if width <= 16 else [(512, 512)])
]


def measure(config: zoo.GeneratorConfig, size: tuple[int, int]) -> int:
    """Bytes that painting a picture of width×height px adds to this process; only the first call of a process tells."""
    import psutil

    generator = zoo.create(config).eval().requires_grad_(False).to(memory_format=torch.channels_last)
    photo = Image.effect_noise(size, 60).convert("RGB")
    zoo.paint(generator, photo.resize((64, 64)))  # what is loaded once
    before = psutil.Process().memory_info().rss
    zoo.paint(generator, photo)
    return round(peak_memory() * 2**20 - before)


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("one", nargs="*", metavar="ARCHITECTURE NORM WIDTH W H", help="(default: the table)")
    one = parser.parse_args(argv).one
    if not one:
        print(f"{'':24}{'width':>6}{'pixels':>12}{'measured MiB':>14}{'foretold MiB':>14}{'share':>7}", flush=True)
        for row in TABLE:
            subprocess.run([sys.executable, "-m", "benchmarks.painting_memory", *map(str, row)], check=True)
        return
    architecture, norm, *numbers = one
    width, w, h = map(int, numbers)
    config = zoo.GeneratorConfig(architecture=architecture, norm=norm, width=width)
    found, foretold = measure(config, (w, h)), peak_bytes(config, (w, h))
    name, pixels = f"{architecture}, {norm} norm", f"{w}×{h}"
    print(f"{name:24}{width:6}{pixels:>12}{found / 2**20:14.0f}{foretold / 2**20:14.0f}{found / foretold:7.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
