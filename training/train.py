"""Train a style: one painting, a folder of photos, one command.

  python -m training.train --recipe laptop --pair --style-image starry_night.jpg --content photos/ \\
      --held-out other_photos/ --title "The Starry Night" --author "Vincent van Gogh" --out starry-night

--pair trains the instance-norm generator and its batch-norm twin in lockstep from the same seed, photos and schedule.
A recipe (bundled: zoo, laptop, minutes, many, texture, smoke; or a YAML file) sets every knob; a flag overrules it. OUT
becomes a style folder; OUT/run holds previews from step 0 on, the loss log, curves and checkpoints. Stop at any time: the
same command resumes.

A style in ten minutes, from one that is there:

  python -m training.train --recipe minutes --from the-scream --style-image painting.jpg --content photos/ --out my-painting

Does it paint too little? Raise --style-weight. Drown the photo? Lower it. Strokes too small? Raise --style-size.
"""

import argparse
import dataclasses
import sys
from dataclasses import replace
from pathlib import Path

from training.config import AUTO, TrainConfig, kind, load_recipe
from training.data.paintings import FACTS, read_paintings
from training.running.loop import complete
from training.running.processes import leave
from training.running.rehearsal import rehearse
from training.running.run import TRACKERS, Run, RunOptions
from training.running.start import find_start, started_recipe
from zoo.cli import command
from zoo.config import NORMS
from zoo.device import DEVICES, HELP
from zoo.errors import ConfigError, printable
from zoo.images import open_photo, save_picture
from zoo.memory import keep_freed
from zoo.names import make_slug
from zoo.style import PHOTO


def layer_weights(words: list[str]) -> dict[str, float]:
    """["relu1_2", "relu2_2:0.5"] -> {"relu1_2": 1.0, "relu2_2": 0.5}."""
    weights = {}
    for word in words:
        name, _, weight = word.partition(":")
        try:
            weights[name] = float(weight or 1)
        except ValueError as error:
            raise ConfigError(f"layer {word!r} should read NAME or NAME:WEIGHT") from error
    return weights


def any_photo(out: Path) -> Path:
    """A folder of one photo, for a training that looks at none but for its size."""
    folder = out / "run" / "any-photo"
    save_picture(open_photo(PHOTO), folder / "photo.jpg")
    return folder


def make_parser() -> argparse.ArgumentParser:
    """The command line; one flag for each recipe key, grouped as in TrainConfig."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    need = parser.add_argument_group("what to train")
    many = "the painting; several are trained into one generator and exported to OUT/SLUG each"
    need.add_argument("--style-image", type=Path, required=True, nargs="+", metavar="FILE", help=many)
    photos = "photos to train on (a texture needs none): a folder, a zip or tar of one, or owner/name of a Hub dataset"
    need.add_argument("--content", metavar="DIR|ARCHIVE|HUB", help=photos)
    need.add_argument("--out", type=Path, required=True, metavar="DIR", help="the style folder to make, or to go on with")
    which = need.add_mutually_exclusive_group()
    which.add_argument(
        "--norm",
        choices=NORMS,
        default="instance",
        help="train one generator (default: instance; styles have instance and batch)",
    )
    which.add_argument("--pair", action="store_true", help="train both twins in lockstep")
    need.add_argument("--recipe", default="zoo", metavar="NAME|FILE", help="recipe the flags below overrule (default: zoo)")

    need.add_argument(
        "--from",
        nargs="+",
        default=[],
        dest="start",
        metavar="STYLE",
        help="begin from the weights of a trained style, or one for each painting (styles that were trained together)",
    )
    push = "then publish it as this repository of the Hub; the painting's facts must be given (log in first: hf auth login)"
    need.add_argument("--push-to", metavar="OWNER/NAME", help=push)
    need.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    dry = "check painting, photos, recipe and name of --push-to, without a network; say what would be done, do nothing"
    need.add_argument("--dry-run", action="store_true", help=dry)
    auto = "weights that set themselves: relative losses, one balance for all paintings (training/objective/losses.py explains)"
    need.add_argument("--auto", action="store_true", help=auto)

    groups, zoo = {}, load_recipe("zoo")
    for field in dataclasses.fields(TrainConfig):
        meta = field.metadata
        if meta["group"] not in groups:
            groups[meta["group"]] = parser.add_argument_group(f"recipe: {meta['group']}")
        group = groups[meta["group"]]
        flag = "--" + field.name.replace("_", "-")
        if kind(field) is dict:
            group.add_argument(flag, nargs="+", metavar="LAYER", help=meta["help"])
        else:
            shown = {"choices": meta["choices"]} if meta["choices"] else {"metavar": kind(field).__name__.upper()}
            group.add_argument(
                flag, type=kind(field), help=f"{meta['help']} (zoo: {zoo.get(field.name, field.default)})", **shown
            )

    tell = parser.add_argument_group("the painting, for the card")
    for key in FACTS:
        tell.add_argument(f"--{key.replace('_', '-')}", metavar="TEXT", help=FACTS[key])
    about = "of several paintings: a YAML mapping from file name to slug, show, trim, " + ", ".join(FACTS)
    tell.add_argument("--about", type=Path, metavar="FILE", help=about)

    cut = "per cent of the painting left out on the left, top, right, bottom: a frame would be painted along photos' edges"
    tell.add_argument("--trim", type=float, nargs=4, metavar="F", help=cut)
    tell.add_argument(
        "--show-painting", action="store_true", help="put it into the style folder: only where its licence allows"
    )

    watch = parser.add_argument_group("reporting (does not change the result)")
    watch.add_argument("--preview", type=Path, metavar="DIR", help="photos to show in the previews")
    watch.add_argument("--held-out", type=Path, metavar="DIR", help="photos never trained on, to measure with")
    watch.add_argument("--vgg-weights", default="bundled", metavar="bundled|torchvision|FILE", help="of the loss network")
    for key, default in (("preview", 250), ("held-out", 250), ("checkpoint", 100), ("log", 10)):
        watch.add_argument(f"--{key}-every", type=int, default=default, metavar="N", help=f"steps (default: {default})")
    watch.add_argument("--workers", type=int, metavar="N", help="processes that read photos (default: 0 on a CPU, 8 for a GPU)")
    watch.add_argument("--track", choices=TRACKERS, help="log there too, besides the JSON lines in OUT/run (pip install it)")
    watch.add_argument("--stop-at", type=int, metavar="STEP", help="end this session after STEP; call again to go on")
    stopped = "leave a style folder when the session ends early, too: what was learnt by then"
    watch.add_argument("--export-stopped", action="store_true", help=stopped)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when trained, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        recipe = load_recipe(args.recipe)
        flags = {field.name: field.type for field in dataclasses.fields(TrainConfig) if getattr(args, field.name) is not None}
        for name, kind in flags.items():
            recipe[name] = layer_weights(getattr(args, name)) if kind is dict else getattr(args, name)
        if args.auto:
            none = ["content_weight"] if recipe.get("content_weight") == 0 else []  # a texture stays one
            recipe = {**recipe, **AUTO, **{key: recipe[key] for key in AUTO if key in flags or key in none}}
        norms = ("instance", "batch") if args.pair else (args.norm,)
        start = find_start(args.start, norms, len(args.style_image))
        config = TrainConfig.from_dict(started_recipe(recipe, start, norms, flags), source=str(args.recipe))
        if config.only != "all" and not start:
            raise ConfigError(f"--only {config.only} trains a few weights of a trained generator: name it with --from STYLE")
        if not args.content and config.takes_photo:
            raise ConfigError("--content is missing: the photos to train on (only --recipe texture needs none)")
        own = make_slug(args.out.resolve().name) or "style" if len(args.style_image) == 1 else None
        paintings = read_paintings(args.style_image, args.about, own)
        facts = {key: getattr(args, key) for key in FACTS if getattr(args, key)}
        one = {"show-painting": args.show_painting, "trim": args.trim}
        if len(paintings) > 1 and (facts or any(one.values())):
            given = ", ".join(f"--{key}" for key in (*facts, *(key for key, value in one.items() if value)))
            raise ConfigError(f"{given} would say the same of {len(paintings)} paintings: say it of each in --about")
        if len(paintings) == 1:
            known = paintings[0]
            trim = tuple(args.trim or known.trim)
            paintings = [replace(known, facts={**known.facts, **facts}, show=known.show or args.show_painting, trim=trim)]
        names = [field.name for field in dataclasses.fields(RunOptions)]
        options = RunOptions(**{name: getattr(args, name) for name in names})
        if args.dry_run:
            content = args.content or PHOTO.parent
            lines = rehearse(Run(config, paintings, content, args.out, norms, options, start))
            print("\n".join([*map(printable, lines), "Nothing was trained: leave --dry-run out."]))
            return
        complete(Run(config, paintings, args.content or any_photo(args.out), args.out, norms, options, start))
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from the last checkpoint in {args.out}/run", file=sys.stderr)
        raise


if __name__ == "__main__":
    keep_freed()
    leave(main())
