"""The experiments on the paper: each an ordinary training by a recipe of training/recipes/paper."""

from dataclasses import asdict
from pathlib import Path

from training.config import TrainConfig, load_recipe
from training.data.crops import PhotoFolder
from training.data.paintings import read_paintings
from training.measure.held_out import PHOTO_SIZE, held_out_objective, whole_photos
from training.measure.robustness import measure_robustness
from training.objective.vgg import load_vgg
from training.paper.records import SHOWN, bundled_photos, photo
from training.records import fingerprint, write_json
from training.running.loop import complete
from training.running.run import Run, RunOptions
from zoo.folder import WEIGHTS, load_generator, twin_folder
from zoo.images import open_photo, save_picture
from zoo.painter import paint
from zoo.records import read_log, read_record

PAIR = ("instance", "batch")
EXPERIMENTS = {  # by name: recipe of training/recipes, norms
    "texture": ("paper/texture", PAIR),
    "residual": ("paper/residual", PAIR),
    "texture-16-photos": ("paper/texture-16-photos", PAIR),
    "residual-norms": ("paper/residual", ("contrast", "none")),
    "texture-replicate": ("paper/texture-replicate", ("batch",)),
    "residual-seed-1": ("paper/residual-seed-1", PAIR),
}
PAINTED = ("texture", "residual", "texture-16-photos", "texture-replicate")  # whose pictures the figures show
EVERY = 100  # steps between two measurements


def train_experiment(name: str, content: Path, held_out: Path, painting: Path, runs: Path, steps: int | None = None) -> Path:
    """Train one experiment to its end (or to a shorter one, for a trial), measuring it; returns its folder in `runs`."""
    bundled, norms = EXPERIMENTS[name]
    recipe = load_recipe(bundled)
    config = TrainConfig.from_dict({**recipe, "steps": steps or recipe["steps"]})
    options = RunOptions(held_out=held_out, held_out_every=EVERY)
    if not finished(runs / name, norms, config):
        complete(Run(config, read_paintings([painting], None), content, runs / name, norms, options))
    return runs / name


def made_by(folder: Path) -> TrainConfig:
    """The recipe that a run followed."""
    return TrainConfig.from_dict(load_recipe(folder / "run" / "recipe.yaml"))


def finished(folder: Path, norms: tuple[str, ...], config: TrainConfig) -> bool:
    """Whether a run by that recipe was measured after its last step, and its generators stored."""
    measured = [r["step"] for r in read_log(folder / "run" / "log.jsonl") if "held_out" in r]
    stored = all((twin_folder(folder, norm) / WEIGHTS).is_file() for norm in norms)
    return config.steps in measured and stored and made_by(folder) == config


def write_results(name: str, content: Path, painting: Path, folder: Path, results: Path) -> None:
    """Write docs/experiments/NAME.json, and the pictures of the figures beside it."""
    norms, config = EXPERIMENTS[name][1], made_by(folder)
    records = read_log(folder / "run" / "log.jsonl")
    photos = PhotoFolder(content, config.crop_size, config.seed, config.photo_count, config.zoom)
    record = {
        "recipe": asdict(config),
        "norms": norms,
        **fingerprint(read_paintings([painting], None), photos),
        "seconds": [r["seconds"] for r in records if "seconds" in r][-1],
        "machine": read_record(folder / "run" / "recipe.yaml")["made_with"],
        "note": "held-out objective on centre crops of 256 px in batches of 4; batch norm in eval mode unless named",
        "history": [{"step": r["step"], **r["held_out"]} for r in records if "held_out" in r],
        "robustness": {},
    }
    objective = held_out_objective(load_vgg(), open_photo(painting))
    for norm in norms:
        generator = load_generator(twin_folder(folder, norm))
        record["robustness"][norm] = measure_robustness(generator, objective, list(whole_photos(bundled_photos(), PHOTO_SIZE)))
        for shown in SHOWN if name in PAINTED else ():
            save_picture(paint(generator, photo(shown)), results / name / f"{norm}-{shown}.jpg", quality=85)
    write_json(results / f"{name}.json", record)
