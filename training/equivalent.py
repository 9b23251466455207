"""How good is one pass of a generator? As good as so many iterations of the slow way.

  python -m training.equivalent photos/*.jpg --style-image starry_night.jpg -o starry-night.json
  python -m training.equivalent photos/*.jpg --style-image starry_night.jpg -o starry-night.json --styles starry-night

The first writes the objective at each iteration of Gatys et al. (training/gatys.py: L-BFGS, from the photo and from noise) for
each photo: once a painting, minutes each; when stopped, the same command goes on. With --styles it then compares: k* is the
first iteration whose held-out objective is at or below the generator's, an iteration being one evaluation of objective and
gradient. Printed are the median and the quartiles over photos, "> N" where N iterations do not get there.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from training.gatys import STARTS, gatys
from training.losses import Objective
from training.measure import held_out_objective
from training.records import machine, sha256, write_json
from training.vgg import load_vgg
from zoo.catalog import Style, find, load
from zoo.errors import TrainingError, ZooError, fail
from zoo.images import fit_short_side, open_photo, to_tensor
from zoo.stylize import DEVICES, check_size, pick_device


def equivalent_iterations(curve: list[float], objective: float) -> float:
    """k*: the first iteration, from 1, whose objective is at or below `objective`; infinity when none is."""
    return next((k for k, value in enumerate(curve, 1) if value <= objective), math.inf)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile, interpolated between neighbours; infinite where a neighbour is."""
    ordered = sorted(values)

    def quantile(q: float) -> float:
        place = q * (len(ordered) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        return low if low == high else low + (high - low) * (place % 1)

    return quantile(0.25), quantile(0.5), quantile(0.75)


def load_curves(path: Path, painting: Path, size: int, steps: int) -> dict:
    """The record in `path`, or a fresh one. Raises TrainingError when it is of another painting, size or number of steps."""
    fresh = {"painting": {"file": painting.name, "sha256": sha256(painting)}, "size": size, "steps": steps, "curves": {}}
    if not path.exists():
        return fresh
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        same = all(found[key] == fresh[key] for key in ("size", "steps"))
        same = same and found["painting"]["sha256"] == fresh["painting"]["sha256"]
        found["curves"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(f"{path} is not what training.equivalent writes: {error!r}") from error
    if not same:
        raise TrainingError(f"{path} holds curves of another painting, --size or --steps: choose another --out")
    return found


def add_curves(record: dict, objective: Objective, photos: list[Path], out: Path) -> None:
    """Compute what `record` lacks, and write it to `out` after every curve."""
    size, steps, where = record["size"], record["steps"], objective.vgg.mean.device
    known = record["curves"]
    missing = [(photo, start) for start in STARTS for photo in photos if start not in known.get(photo.name, {})]
    with tqdm(total=len(missing) * steps, unit="step", disable=not missing or None) as bar:
        for path, start in missing:
            bar.set_postfix_str(f"{path.name} from {start}")
            photo = to_tensor(fit_short_side(open_photo(path), size)).to(where)
            began = time.monotonic()
            _, losses = gatys(objective, photo, steps, start=start, watch=lambda *_: bar.update())
            seconds = (time.monotonic() - began) / steps
            entry = known.setdefault(path.name, {"sha256": sha256(path), "seconds_per_iteration": {}})
            entry[start] = [float(f"{loss:.6g}") for loss in losses]
            entry["seconds_per_iteration"][start] = float(f"{seconds:.3g}")
            record["machine"] = machine(where.type)
            write_json(out, record)


@torch.no_grad()
def compare(style: Style, norm: str, record: dict, objective: Objective, photos: list[Path]) -> dict[str, dict]:
    """k* of a style's generator by start ("photo", "noise"): of each photo by name, with median and quartiles."""
    where = objective.vgg.mean.device
    generator, found = load(style, norm).to(where), {start: {} for start in STARTS}
    for path in photos:
        photo = to_tensor(fit_short_side(open_photo(path), record["size"])).to(where)
        value = objective(generator(photo), objective.photo_features(photo))["total"].item()
        for start in STARTS:
            found[start][path.name] = equivalent_iterations(record["curves"][path.name][start], value)
    return {start: {"photos": by, "quartiles": quartiles(list(by.values()))} for start, by in found.items()}


def in_words(iterations: float, steps: int) -> str:
    """A number of iterations as it is printed: "> N" for one that N iterations do not reach."""
    return f"{iterations:.0f}" if iterations <= steps else f"> {steps}"


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.equivalent", description=__doc__, formatter_class=raw)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="JSON file of the curves, to make or use")
    parser.add_argument("--styles", nargs="+", default=[], metavar="STYLE", help="slugs or style folders to compare")
    parser.add_argument("--size", type=int, default=192, metavar="N", help="short side of the photos in px (default: 192)")
    parser.add_argument("--steps", type=int, default=300, metavar="N", help="iterations (default: 300)")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        check_size(args.size)
        if args.steps < 1:
            raise TrainingError(f"--steps counts iterations and must be at least 1, got {args.steps}")
        if len({photo.name for photo in args.photos}) < len(args.photos):
            raise TrainingError("two photos have the same file name, by which their curves are kept: rename one")
        styles, painting = [find(name) for name in args.styles], open_photo(args.style_image)
        record = load_curves(args.out, args.style_image, args.size, args.steps)
        objective = held_out_objective(load_vgg().to(pick_device(args.device)), painting)
        add_curves(record, objective, args.photos, args.out)
        for style in styles:
            for norm in style.norms:
                for start, found in compare(style, norm, record, objective, args.photos).items():
                    low, middle, high = (in_words(value, args.steps) for value in found["quartiles"])
                    print(f"{style.slug}, {norm} norm: k* from {start:5} {middle} (quartiles {low} .. {high})")
    except ZooError as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
