"""As many iterations of the slow way are as good as one pass of a generator: k*.

k* is the first iteration whose held-out objective is at or below the generator's, an iteration being one evaluation of
objective and gradient. The record of the slow way has curves: the objective at each iteration, from the photo and from noise.
"""

import json
import math
import time
from pathlib import Path

import torch
from tqdm import tqdm

from training.measure.held_out import Painter, true_float32
from training.objective.gatys import STARTS, optimise_pixels
from training.objective.losses import Objective
from training.records import machine, write_json
from zoo.errors import TrainingError
from zoo.folder import sha256
from zoo.images import fit_short_side, open_photo, to_tensor


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


def read_curves(path: Path, painting: Path) -> dict:
    """The record in `path`. Raises TrainingError when it is broken, or of another painting."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        other = found["painting"]["sha256"] != sha256(painting)
        found["size"], found["steps"], found["curves"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(f"{path} is not what training.equivalent writes: {error!r}") from error
    if other:
        raise TrainingError(f"{path} holds curves of another painting, {found['painting'].get('file')}")
    return found


def load_curves(path: Path, painting: Path, size: int, steps: int) -> dict:
    """The record in `path`, or a fresh one. Raises TrainingError when it is of another painting, size or number of steps."""
    if not path.exists():
        about = {"file": painting.name, "sha256": sha256(painting)}
        return {"painting": about, "size": size, "steps": steps, "curves": {}}
    found = read_curves(path, painting)
    if (found["size"], found["steps"]) != (size, steps):
        raise TrainingError(f"{path} holds {found['steps']} steps at {found['size']} px: choose another --out")
    return found


def open_checked(photo: Path) -> Path:
    """The path of a photo that can be read. Raises PhotoError for any other."""
    open_photo(photo)
    return photo


@true_float32()
def add_curves(record: dict, objective: Objective, photos: list[Path], out: Path) -> None:
    """Compute what `record` lacks, and write it to `out` after every curve."""
    size, steps, where = record["size"], record["steps"], objective.vgg.mean.device
    known, hashes = record["curves"], {photo: sha256(open_checked(photo)) for photo in photos}
    for path, found in hashes.items():
        if path.name in known and known[path.name]["sha256"] != found:
            raise TrainingError(f"{out} holds curves of another picture named {path.name}: choose another --out, or rename it")
    missing = [(photo, start) for start in STARTS for photo in photos if start not in known.get(photo.name, {})]
    with tqdm(total=len(missing) * steps, unit="step", disable=not missing or None) as bar:
        for path, start in missing:
            bar.set_postfix_str(f"{path.name} from {start}")
            photo = to_tensor(fit_short_side(open_photo(path), size), where)
            began = time.monotonic()
            losses: list[float] = []

            def watch(step: int, loss: float, _picture: torch.Tensor, losses: list[float] = losses) -> None:
                losses[step - 1 :] = [loss]
                bar.update()

            try:
                optimise_pixels(objective, photo, steps, start=start, watch=watch)
            except TrainingError as error:  # it diverged: what comes after is not reached, which is an answer, too
                bar.write(f"{path.name} from {start}: {error}")
            seconds = (time.monotonic() - began) / steps
            entry = known.setdefault(path.name, {"sha256": hashes[path], "seconds_per_iteration": {}})
            entry[start] = [float(f"{loss:.6g}") for loss in losses]
            entry["seconds_per_iteration"][start] = float(f"{seconds:.3g}")
            record["machine"] = machine(where)
            write_json(out, record)


@torch.no_grad()
@true_float32()
def compare(painter: Painter, record: dict, objective: Objective, photos: list[Path]) -> dict[str, dict]:
    """k* of a painter by start ("photo", "noise"): of each photo by name, and lower quartile, median and upper quartile.

    None is for what the iterations of the record do not reach. A start that not all photos have curves of yet is left out.
    Raises TrainingError when the record lacks a photo altogether.
    """
    known = [record["curves"].get(path.name, {}) for path in photos]
    where = objective.vgg.mean.device
    found: dict[str, dict] = {start: {} for start in STARTS if all(start in curves for curves in known)}
    for path, curves in zip(photos, known, strict=True):
        if curves.get("sha256") != sha256(path) or not found:
            raise TrainingError(f"the curves lack {path.name}: make them with python -m training.equivalent")
        photo = to_tensor(fit_short_side(open_photo(path), record["size"]), where)
        value = objective(painter(photo), objective.photo_features(photo))["total"].item()
        for start in found:
            found[start][path.name] = equivalent_iterations(curves[start], value)
    return {
        start: {
            "photos": {name: _finite(k) for name, k in by.items()},
            "quartiles": [_finite(k) for k in quartiles(list(by.values()))],
        }
        for start, by in found.items()
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def in_words(iterations: float | None, steps: int) -> str:
    """A number of iterations as it is printed: "> N" for None, which N iterations do not reach."""
    return f"> {steps}" if iterations is None else f"{iterations:.0f}"
