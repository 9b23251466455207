"""Train the experiments on the paper, and keep what its figures and docs/REPRODUCTION.md draw on.

  python -m training.experiments --content photos/ --held-out other_photos/ --style-image starry_night.jpg --runs runs/

Each experiment is an ordinary training by a recipe of training/recipes/paper, with its own folder in RUNS: what is finished
is left alone, what was stopped goes on. docs/experiments/NAME.json then records the recipe, the held-out objective over the
steps, and tests of robustness on the bundled photos; beside it lie those photos of the figures that its generators paint.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from training.config import TrainConfig, load_recipe
from training.data.crops import PhotoFolder
from training.data.paintings import read_paintings
from training.measure.held_out import PHOTO_SIZE, held_out_objective, whole_photos
from training.measure.robustness import measure_robustness
from training.objective.vgg import load_vgg
from training.paper.records import EXPERIMENTS as KEPT
from training.paper.records import SHOWN, bundled_photos, photo
from training.records import fingerprint, read_log, write_json
from training.running.loop import RunOptions, run
from zoo.cli import command
from zoo.errors import TrainingError
from zoo.folder import WEIGHTS, load_generator, twin_folder
from zoo.images import open_photo, save_picture
from zoo.painter import paint
from zoo.records import read_record

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


def train(name: str, content: Path, held_out: Path, painting: Path, runs: Path, steps: int | None = None) -> Path:
    """Train one experiment to its end (or to a shorter one, for a trial), measuring it; returns its folder in `runs`."""
    recipe, norms = EXPERIMENTS[name]
    recipe = load_recipe(recipe)
    config = TrainConfig.from_dict({**recipe, "steps": steps or recipe["steps"]})
    options = RunOptions(held_out=held_out, held_out_every=EVERY)
    if not finished(runs / name, norms, config):
        run(config, read_paintings([painting], None), content, runs / name, norms, options)
    return runs / name


def made_by(folder: Path) -> TrainConfig:
    """The recipe that a run followed."""
    return TrainConfig.from_dict(load_recipe(folder / "run" / "recipe.yaml"))


def finished(folder: Path, norms: tuple[str, ...], config: TrainConfig) -> bool:
    """Whether a run by that recipe was measured after its last step, and its generators stored."""
    measured = [r["step"] for r in read_log(folder / "run" / "log.jsonl") if "held_out" in r]
    stored = all((twin_folder(folder, norm) / WEIGHTS).is_file() for norm in norms)
    return config.steps in measured and stored and made_by(folder) == config


def keep(name: str, content: Path, painting: Path, folder: Path, kept: Path) -> None:
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
            save_picture(paint(generator, photo(shown)), kept / name / f"{norm}-{shown}.jpg", quality=85)
    write_json(kept / f"{name}.json", record)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.experiments", description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"(default: all of {', '.join(EXPERIMENTS)})")
    parser.add_argument("--content", type=Path, required=True, metavar="DIR", help="photos to train on")
    parser.add_argument("--held-out", type=Path, required=True, metavar="DIR", help="photos never trained on")
    parser.add_argument("--style-image", type=Path, required=True, metavar="FILE", help="the painting")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="where the trainings go")
    parser.add_argument(
        "--keep", type=Path, default=KEPT, metavar="DIR", help="where the results go (default: docs/experiments)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="of each, for a trial (default: as the recipe says)")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when all are trained, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        if args.steps and args.keep == KEPT:
            raise TrainingError("--steps is for a trial: give it a --keep of its own, not to overwrite docs/experiments")
        if unknown := [name for name in args.names if name not in EXPERIMENTS]:
            raise TrainingError(f"no experiment {unknown[0]!r}: choose from {', '.join(EXPERIMENTS)}")
        for name in args.names or EXPERIMENTS:
            print(f"{name}: {EXPERIMENTS[name][0]}, {' and '.join(EXPERIMENTS[name][1])} norm")
            folder = train(name, args.content, args.held_out, args.style_image, args.runs, args.steps)
            keep(name, args.content, args.style_image, folder, args.keep)
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from the last checkpoint in {args.runs}", file=sys.stderr)
        raise


if __name__ == "__main__":
    sys.exit(main())
