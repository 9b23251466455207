"""Train the experiments on the paper, and keep what its figures and docs/REPRODUCTION.md draw on.

  python -m training.experiments --content photos/ --held-out other_photos/ --style-image starry_night.jpg --runs runs/

Each experiment is an ordinary training by a recipe of training/recipes/paper, with its own folder in RUNS: what is finished
is left alone, what was stopped goes on. docs/experiments/NAME.json then records the recipe and the held-out objective over
the steps; generators that a figure paints with are stored beside it.
"""

import argparse
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from training.config import TrainConfig, load_recipe
from training.data import PhotoFolder
from training.loop import RunOptions, run
from training.paintings import read_paintings
from training.records import fingerprint, machine, read_log, write_json
from zoo.errors import TrainingError, command
from zoo.folder import twin_folder

KEPT = Path(__file__).parents[1] / "docs" / "experiments"
PAIR = ("instance", "batch")
EXPERIMENTS = {  # by name: recipe of training/recipes, norms
    "texture": ("paper/texture", PAIR),
    "residual": ("paper/residual", PAIR),
    "texture-16-photos": ("paper/texture-16-photos", PAIR),
    "residual-norms": ("paper/residual", ("contrast", "none")),
    "texture-replicate": ("paper/texture-replicate", ("batch",)),
    "residual-seed-1": ("paper/residual-seed-1", PAIR),
}
PAINTED = ("residual", "texture", "texture-16-photos", "texture-replicate")  # whose generators the figures need
EVERY = 100  # steps between two measurements


def train(name: str, content: Path, held_out: Path, painting: Path, runs: Path, steps: int | None = None) -> Path:
    """Train one experiment to its end (or to a shorter one, for a trial), measuring it; returns its folder in `runs`."""
    recipe, norms = EXPERIMENTS[name]
    recipe = load_recipe(recipe)
    config = TrainConfig.from_dict({**recipe, "steps": steps or recipe["steps"]})
    options = RunOptions(held_out=held_out, held_out_every=EVERY)
    return run(config, read_paintings([painting], None), content, runs / name, norms, options)


def keep(name: str, content: Path, painting: Path, folder: Path, kept: Path) -> None:
    """Write docs/experiments/NAME.json, and the generators beside it where a figure needs them."""
    recipe, norms = EXPERIMENTS[name]
    config = TrainConfig.from_dict(load_recipe(recipe))
    records = read_log(folder / "run" / "log.jsonl")
    history = [{"step": r["step"], **r["held_out"]} for r in records if "held_out" in r]
    pace = [r for r in records if "seconds" in r][-1]
    record = {
        "recipe": asdict(config),
        "norms": norms,
        **fingerprint(
            read_paintings([painting], None), PhotoFolder(content, config.crop_size, config.seed, config.photo_count)
        ),
        "seconds": pace["seconds"],
        "machine": machine(),
        "note": "held-out objective on centre crops of 256 px in batches of 4; batch norm in eval mode unless named",
        "history": history,
    }
    write_json(kept / f"{name}.json", record)
    for norm in norms if name in PAINTED else ():
        target = twin_folder(kept / name, norm)
        target.mkdir(parents=True, exist_ok=True)
        for file in ("config.json", "model.safetensors"):
            shutil.copyfile(twin_folder(folder, norm) / file, target / file)


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
