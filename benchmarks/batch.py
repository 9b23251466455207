"""Pictures a second of a folder of large photos, from files to files, beside plain loops over the same photos, in one run.

  python -m benchmarks.batch --photos 200 --rounds 1

Photos of 12 MP are made of the page's five, enlarged, with grain like a camera's. "Eager" is the loop as one writes it first:
open, reduce, paint with torch's own layers as pytorch/examples does, save as PNG. "One by one" is this project's engine in such
a loop, which computes each picture with all threads; "batch" is `python -m zoo stylize FOLDER/`. All take turns, a round of
every photo.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, ImageChops

import zoo
from benchmarks.inference import eager
from training.records import machine, write_json
from zoo.batch import Job, Plan, paint_all, plan_outputs
from zoo.cli import command
from zoo.engine.painting import paint_plainly
from zoo.images import list_photos, open_photo, save_picture

PHOTOS = Path(__file__).parent.parent / "space" / "examples"
SIDES = 4000, 3000  # px, as of a 12 MP camera


def make_photos(folder: Path, count: int, sides: tuple[int, int] = SIDES) -> None:
    """Write so many JPEGs of width×height px."""
    grain = Image.effect_noise(sides, 12).convert("RGB")
    kinds = [open_photo(path).resize(sides, Image.Resampling.BICUBIC) for path in list_photos(PHOTOS)]
    for k in range(count):
        ImageChops.add(kinds[k % len(kinds)], grain, offset=-128).save(folder / f"{k:05}.jpg", quality=90)


def contenders(slug: str, norm: str, size: int) -> dict[str, Callable[[Plan], object]]:
    """What paints a plan, by name."""
    plain, job = eager(zoo.load(slug, norm)), Job(zoo.find(slug), norm, size)

    def loop(plan: Plan) -> None:
        for photo, target in plan:
            image = Image.open(photo).convert("RGB")
            image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=None)
            paint_plainly(plain, image).image.save(target)

    def one_by_one(plan: Plan) -> None:
        for photo, target in plan:
            save_picture(zoo.stylize(photo, job.style, norm, size), target)

    return {"eager": loop, "one by one": one_by_one, "batch": lambda plan: list(paint_all(job, plan, again=True))}


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=12, metavar="N", help="how many (default: 12)")
    parser.add_argument("--sides", type=int, nargs=2, default=SIDES, metavar="PX", help="of them (default: 4000 3000)")
    parser.add_argument("--size", type=int, default=1080, metavar="N", help="long side of results in px (default: 1080)")
    parser.add_argument("--style", default="starry-night", help="(default: starry-night)")
    parser.add_argument("--norm", choices=("instance", "batch"), default="instance", help="(default: instance)")
    parser.add_argument("--rounds", type=int, default=3, metavar="K", help="of every contender (default: 3)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON file for the figures")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    args = make_parser().parse_args(argv)
    them = contenders(args.style, args.norm, args.size)
    speeds: dict[str, list[float]] = {name: [] for name in them}
    with tempfile.TemporaryDirectory() as folder:
        photos, out = Path(folder, "photos"), Path(folder, "out")
        photos.mkdir()
        out.mkdir()
        make_photos(photos, args.photos, tuple(args.sides))
        plan = plan_outputs([photos], out)
        for paint in them.values():  # to warm up
            paint(plan[:1])
        for _ in range(args.rounds):
            for name, paint in them.items():
                started = time.perf_counter()
                paint(plan)
                speeds[name].append(len(plan) / (time.perf_counter() - started))
    where = machine(torch.device("cpu"))
    print(f"{args.photos} photos of {args.sides[0]}×{args.sides[1]} px to {args.size} px, {args.style}; {where}")
    print("| | pictures/s | against eager | against one by one |\n|---|---:|---:|---:|")
    found = {name: statistics.median(rounds) for name, rounds in speeds.items()}
    for name, speed in found.items():
        print(f"| {name} | {speed:.2f} | {speed / found['eager']:.2f} | {speed / found['one by one']:.2f} |")
    if args.out:
        write_json(args.out, {"pictures_a_second": speeds, "machine": where, "command": " ".join(sys.argv)})


if __name__ == "__main__":
    sys.exit(main())
