"""What the figures are drawn from: bundled photos and paintings, what experiments left, pictures of the slow method."""

import json
from functools import cache
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from tqdm import tqdm

from training.gatys import gatys
from training.measure import held_out_objective
from training.vgg import load_vgg
from zoo import folder
from zoo.catalog import Style, find, load
from zoo.errors import TrainingError
from zoo.images import fade, fit_short_side, open_photo, save_picture, to_image, to_tensor

ROOT = Path(__file__).parents[1]
EXPERIMENTS, EXAMPLES = ROOT / "docs" / "experiments", ROOT / "space" / "examples"
PAINTED = "starry-night"  # the painting of the experiments
SLOW = 256, 200  # short side in px and iterations of the slow method's pictures


@cache
def photo(name: str, contrast: float = 1.0, size: int = SLOW[0]) -> Image.Image:
    """A bundled photo, its short side `size` px, at a share of its contrast."""
    return fade(fit_short_side(open_photo(EXAMPLES / f"{name}.jpg"), size), contrast)


@cache
def painting(slug: str = PAINTED) -> Image.Image:
    """The painting of a style, where it may be shown."""
    return open_photo(find(slug).folder / "images" / "painting.jpg")


@cache
def slow(name: str, contrast: float = 1.0, slug: str = PAINTED) -> Image.Image:
    """The photo as the slow method paints it, from docs/experiments/gatys; made when it is not there."""
    size, steps = SLOW
    path = EXPERIMENTS / "gatys" / f"{slug}-{name}-{contrast:g}.jpg"
    if not path.exists():
        objective = held_out_objective(load_vgg(), painting(slug))
        with tqdm(total=steps, unit="step", desc=path.name) as bar:
            picture, _ = gatys(objective, to_tensor(photo(name, contrast)), steps, watch=lambda *_: bar.update())
        save_picture(to_image(picture), path, quality=92)
    return open_photo(path)


@cache
def generator(name: str, norm: str) -> nn.Module:
    """Of an experiment, or of a style of the zoo."""
    kept = EXPERIMENTS / name
    if kept.is_dir():
        return folder.load_generator(folder.twin_folder(kept, norm))
    return load(name, norm)


@torch.inference_mode()
def painted(name: str, norm: str, picture: Image.Image) -> Image.Image:
    """A picture as that generator paints it."""
    return to_image(generator(name, norm)(to_tensor(picture)))


@cache
def experiment(name: str) -> dict:
    """The record of an experiment. Raises TrainingError when it was not made yet."""
    path = EXPERIMENTS / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path}: make it with python -m training.experiments ({error})") from error


def history(name: str, painter: str) -> tuple[list[int], list[float]]:
    """Steps and held-out objective (in thousands) of a painter of an experiment."""
    records = experiment(name)["history"]
    return [r["step"] for r in records], [r[painter]["objective"] / 1000 for r in records]


def metrics(style: Style, key: str, size: int) -> dict:
    """What training.evaluate measured. Raises TrainingError when it did not."""
    try:
        return style.metrics[key][str(size)]
    except KeyError as error:
        raise TrainingError(f"{style.slug}: metrics.json has no {key} at {size} px: see docs/REPRODUCTION.md") from error
