"""What the figures are drawn from: bundled photos and paintings, what experiments left, pictures of the slow method."""

import json
from functools import cache
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from training.measure.held_out import held_out_objective
from training.objective.gatys import optimise_pixels
from training.objective.vgg import load_vgg
from zoo.catalog import find
from zoo.errors import TrainingError
from zoo.images import fade, fit_short_side, list_photos, open_photo, save_picture, to_image, to_tensor
from zoo.painter import stylize
from zoo.style import PHOTO

ROOT = Path(__file__).parents[2]
RESULTS, EXAMPLES = ROOT / "docs" / "experiments", ROOT / "space" / "examples"
PAINTED = "starry-night"  # the painting of the experiments
FIRST_ZOO = "first-zoo"  # what was measured of styles trained for the absolute losses that the slow method has
SHOWN = ("astronaut", "aitzgorri")  # the photos that figures show
SLOW = 256, 100  # short side in px and iterations of the slow method's pictures


def bundled_photos() -> list[Path]:
    """The six photos that come with the code."""
    return [*list_photos(EXAMPLES), PHOTO]


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
    path = RESULTS / "gatys" / f"{slug}-{name}-{contrast:g}-{size}px-{steps}.jpg"
    if not path.exists():
        objective = held_out_objective(load_vgg(), painting(slug))
        with tqdm(total=steps, unit="step", desc=path.name) as bar:
            picture, _ = optimise_pixels(objective, to_tensor(photo(name, contrast)), steps, watch=lambda *_: bar.update())
        save_picture(to_image(picture), path, quality=92)
    return open_photo(path)


def painted(name: str, norm: str, shown: str, contrast: float = 1.0) -> Image.Image:
    """The photo as an experiment's generator painted it (docs/experiments), or as a style of the zoo paints it."""
    if not (RESULTS / f"{name}.json").exists():
        return stylize(photo(shown, contrast), name, norm)
    path = RESULTS / name / f"{norm}-{shown}.jpg"
    if contrast != 1 or not path.exists():
        raise TrainingError(f"there is no {path}: make it with python -m training.experiments {name} (docs/REPRODUCTION.md)")
    return open_photo(path)


@cache
def experiment(name: str) -> dict:
    """The record of an experiment. Raises TrainingError when it was not made yet."""
    path = RESULTS / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path}: make it with python -m training.experiments ({error})") from error


def history(name: str, painter: str) -> tuple[list[int], list[float]]:
    """Steps and held-out objective (in thousands) of a painter of an experiment; the untrained start would flatten the rest."""
    records = [record for record in experiment(name)["history"] if record["step"]]
    return [r["step"] for r in records], [r[painter]["objective"] / 1000 for r in records]
