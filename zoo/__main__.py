"""Stylize pictures from the command line.

  python -m zoo list                                            which styles there are
  python -m zoo info starry-night                               what one is, who painted it, how well it does
  python -m zoo stylize photo.jpg -s starry-night -o out.png    paint a photo
  python -m zoo stylize holiday/ -s starry-night -o painted/ --size 1024    paint a folder of them
  python -m zoo export starry-night --onnx starry-night.onnx    a file for other programs
  python -m zoo texture my-texture -o tile.png --size 512       a seamless tile, by a style trained for textures
  python -m zoo find van gogh --sort likes                      styles that others share on the Hub
  python -m zoo pull owner/name --to name                       take one with you
  python -m zoo publish ./my-painting --to me/my-painting       share yours

STYLE is a slug of the list, the path of a style folder, or owner/name[@revision] of a style on the Hub.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from zoo.card import WEIGHTS_LICENCE
from zoo.catalog import find, load, sound_styles
from zoo.cli import above, command, say
from zoo.device import DEVICES, HELP, pick_device
from zoo.engine.painting import ENGINES
from zoo.errors import ConfigError, PhotoError, shorten
from zoo.finish import check_strength, finish
from zoo.frozen import frozen
from zoo.images import check_picture_name, list_photos, open_photo, save_picture
from zoo.painter import check_size, stylize, texture
from zoo.style import PAINTERS, Style, change, style_at


def list_command(args: argparse.Namespace) -> None:
    """Print the styles, as a table or as JSON; a damaged one is named on stderr and left out."""
    styles, problems = sound_styles()
    for problem in problems:
        say(f"left out: {problem}", sys.stderr)
    if args.json:
        rows = [{"slug": s.slug, "title": s.title, "norms": s.norms, "source": s.source} for s in styles]
        print(json.dumps(rows, indent=2))
    elif not styles:
        print("no styles yet: train one (python -m training.train --help)")
    else:
        width = max(len(style.slug) for style in styles)
        for s in styles:
            say(f"{s.slug:{width}}  {s.source:8}  {' + '.join(s.norms):16}  {by_line(s)}")


def by_line(style: Style) -> str:
    """Title, author, year, as far as they are known."""
    return f"{style.title}, {style.by}" if style.by else style.title


def info_command(args: argparse.Namespace) -> None:
    """Print what is known of one style."""
    style = find(args.style)
    say(by_line(style))
    for key in ("licence", "source"):
        if key in style.painting:
            say(f"  painting's {key}: {style.painting[key]}")
    say(f"  folder: {style.folder} ({style.source})")
    say(f"  norms:  {', '.join(style.norms)}")
    recipe = style.recipe
    if recipe:
        keys = ("steps", "batch_size", "crop_size", "style_size", "content_weight", "style_weight", "width")
        say("  recipe: " + ", ".join(f"{key} {shorten(recipe[key])}" for key in keys if key in recipe))
    for size, found in style.held_out.items():
        values = ", ".join(f"{name} {found[name]['objective']:,.0f}" for name in PAINTERS if name in found)
        say(f"  held-out objective at {size} px (lower is better): {values}")
    if errors := style.errors:
        values = ", ".join(f"{name} {each['content']:.2f}, {each['style']:.2f}" for name, each in errors.items())
        say(f"  held-out content and style error (lower is better): {values}")
    if faded := style.faded:
        say("  style loss where contrast is low: " + ", ".join(f"{norm} {change(ratio)}" for norm, ratio in faded.items()))


def find_command(args: argparse.Namespace) -> None:
    """Print styles of the Hub."""
    from zoo import hub

    if args.limit < 1:
        raise ConfigError(f"--limit counts styles and must be at least 1, got {args.limit}")
    found = hub.find(" ".join(args.words), args.author, args.sort, args.limit)
    if args.json:
        rows = [{"id": f.id, "sha": f.sha, "likes": f.likes, "downloads": f.downloads, "tags": list(f.tags)} for f in found]
        print(json.dumps(rows, indent=2))
        return
    none = True
    for f in found:
        say(f"{f.id:40}  {f.likes:5} likes  {f.downloads:7} downloads  {' + '.join(f.norms)}")
        sys.stdout.flush()
        none = False
    if none:
        print("no such styles on the Hub yet: publish yours (python -m zoo publish --help)")


def pull_command(args: argparse.Namespace) -> None:
    """Download a style and say where it lies."""
    from zoo import hub, sharing

    if args.to:
        style = sharing.pull_to(args.name, args.to)
    else:
        style = hub.pull(args.name, ("instance", "batch"), pictures=True)
        for norm in style.norms:
            load(style, norm)  # raises now, not at its first use, when something is wrong with it
    for line in (style.source, f"  {by_line(style)}", f"  {args.to or style.folder}"):
        say(line)


def publish_command(args: argparse.Namespace) -> None:
    """Publish a style folder and print its address."""
    from zoo import hub, sharing

    to = hub.Target(args.to, args.private, args.pr, args.replace)
    say(sharing.publish(args.folder, to, args.message, args.licence_weights, args.dry_run))
    licence = args.licence_weights or style_at(args.folder).painting.get("licence_weights", WEIGHTS_LICENCE)
    say(f"the weights under {licence} (--licence-weights says another)", sys.stderr)
    if args.dry_run:
        say(", ".join(str(path.relative_to(args.folder)) for path in sharing.publishable_files(style_at(args.folder))))


def plan_outputs(inputs: list[Path], out: Path) -> list[tuple[Path, Path]]:
    """Pairs (photo, file to write). One photo goes to the file OUT; several, or a folder, go into the folder OUT.

    What lies in OUT already is no input, so that a command can be repeated. Raises PhotoError when a photo would be
    overwritten, two photos would be written to one file, or OUT has no suffix of a picture.
    """
    photos = [photo for path in inputs for photo in (_photos_of(path, out) if os.path.isdir(path) else [path])]
    if len(inputs) == 1 and not os.path.isdir(inputs[0]) and not os.path.isdir(out):
        check_picture_name(out)
        plan = {out: photos[0]}
    else:
        if os.path.exists(out) and not os.path.isdir(out):
            raise PhotoError(f"{out} is a file: several photos need a folder to go to")
        plan = {}
        for photo in photos:
            target = out / f"{photo.stem}.png"
            if target in plan:
                raise PhotoError(f"{plan[target]} and {photo} would both be written to {target}: rename one")
            plan[target] = photo
    originals = {os.path.realpath(photo) for photo in photos}
    for target, photo in plan.items():
        if os.path.realpath(target) in originals:
            raise PhotoError(f"{photo} painted would overwrite the photo {target}: choose another --out")
    return [(photo, target) for target, photo in plan.items()]


def _photos_of(folder: Path, out: Path) -> list[Path]:
    photos, results = list_photos(folder), Path(os.path.realpath(out))
    if Path(os.path.realpath(folder)) in results.parents:
        photos = [photo for photo in photos if results not in Path(os.path.realpath(photo)).parents]
    if not photos:
        raise PhotoError(f"no pictures in {folder} but what lies in {out} already: choose another --out")
    return photos


def stylize_command(args: argparse.Namespace) -> None:
    """Paint photos. A bad one does not stop the others; it is named at the end."""
    check_size(args.size)
    check_strength(args.strength)
    style, device = find(args.style), pick_device(args.device)
    plan, bad = plan_outputs(args.photos, args.out), []
    for photo, target in tqdm(plan, unit="photo", disable=len(plan) < 2 or None):
        try:
            image = open_photo(photo, args.size)
            if args.size and args.size > max(image.size):
                w, h = image.size
                say(f"{photo.name} is {w}×{h} px, smaller than --size {args.size}: it keeps its own size", sys.stderr)
            painted = stylize(image, style, args.norm, args.size, device.type, args.seed, args.engine)
            save_picture(finish(painted, image, args.strength, args.keep_colours), target)
        except PhotoError as error:
            bad.append(str(error))
    if bad:
        raise PhotoError("; ".join(bad) if len(plan) == 1 else f"{len(bad)} of {len(plan)} photos failed: " + "; ".join(bad))


def texture_command(args: argparse.Namespace) -> None:
    """Write a seamless tile."""
    save_picture(texture(args.style, args.size, args.seed, args.norm, args.device), args.out)


def export_command(args: argparse.Namespace) -> None:
    """Write a generator as an ONNX file, checked against torch."""
    from zoo.export import export

    if args.frozen_stats != bool(args.calibrate):
        raise ConfigError(
            "--frozen-stats needs --calibrate DIR, photos to take the statistics from, and that nothing without it"
        )
    style = find(args.style)
    generator, facts = load(style, args.norm), {"style": style.slug, "norm": args.norm}
    if args.frozen_stats:
        generator, loss = frozen(generator, list_photos(args.calibrate))
        facts["frozen"] = f"{loss:.1f} levels of 255 away from instance norm, in the mean over the photos of --calibrate"
        say(f"frozen statistics: {facts['frozen']}")
    done = export(generator, args.onnx, args.opset, args.half, facts)
    checked = "not checked, as onnxruntime is not there"
    if done.levels is not None:
        checked = f"at three sizes within {done.levels:.3f} of 255 levels of torch's pictures"
    say(f"{args.onnx}: {done.megabytes:.1f} MB, {checked}")


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m zoo", description=__doc__, formatter_class=raw)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sub = commands.add_parser("list", help="the styles there are")
    sub.add_argument("--json", action="store_true", help="a JSON array of objects with slug, title, norms, source")
    sub.set_defaults(run=list_command)

    sub = commands.add_parser("info", help="what one style is")
    sub.add_argument("style", metavar="STYLE", help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.set_defaults(run=info_command)

    sub = commands.add_parser("stylize", help="paint photos", description="Paint photos in a style of the zoo.")
    sub.add_argument("photos", nargs="+", type=Path, metavar="IN", help="photos, or folders of photos")
    sub.add_argument("-s", "--style", required=True, help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.add_argument("-o", "--out", required=True, type=Path, help="file to write; for several photos a folder (PNG files)")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin paints (default: instance)")
    sub.add_argument("--size", type=int, metavar="N", help="long side of the result in px (default: the photo's own)")
    sub.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    sub.add_argument("--seed", type=int, default=0, metavar="S", help="variation of a generator that has noise (default: 0)")
    sub.add_argument("--strength", type=float, default=1.0, metavar="F", help="0: the photo, 1: all paint (default: 1)")
    sub.add_argument("--keep-colours", action="store_true", help="light and dark as painted, colours of the photo")
    sub.add_argument("--engine", choices=ENGINES, default="auto", help="what computes on a processor (default: auto, torch)")
    sub.set_defaults(run=stylize_command)

    about = "Make a seamless tile out of noise, with a style trained for it (python -m training.train --recipe texture)."
    about = "Write a generator as an ONNX file: photos of any size, B×3×H×W in [0, 1], in and out."
    sub = commands.add_parser("export", help="write a style as an ONNX file", description=about)
    sub.add_argument("style", metavar="STYLE", help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.add_argument("--onnx", required=True, type=Path, metavar="F", help="file to write")
    sub.add_argument("--opset", type=int, default=17, metavar="N", help="version of ONNX's operators (default: 17)")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin (default: instance)")
    sub.add_argument("--half", action="store_true", help="store kernels in float16: half the size; computed in float32")
    sub.add_argument(
        "--frozen-stats", action="store_true", help="fixed statistics instead of each picture's own: no norm is left"
    )
    sub.add_argument("--calibrate", type=Path, metavar="DIR", help="photos that these statistics are taken from")
    sub.set_defaults(run=export_command)

    sub = commands.add_parser("texture", help="make a seamless tile", description=about)
    sub.add_argument("style", metavar="STYLE", help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.add_argument("-o", "--out", required=True, type=Path, help="file to write")
    sub.add_argument("--size", type=int, default=512, metavar="N", help="side in px, a multiple of 32 (default: 512)")
    sub.add_argument("--seed", type=int, default=0, metavar="S", help="another seed gives another tile (default: 0)")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin (default: instance)")
    sub.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    sub.set_defaults(run=texture_command)

    sub = commands.add_parser("find", help="styles on the Hub", description="Styles on the Hub that carry the tag of this zoo.")
    sub.add_argument("words", nargs="*", metavar="WORDS", help="words of its name, the painting's title or its artist")
    sub.add_argument("--author", default="", help="of this account only")
    sub.add_argument("--sort", choices=("likes", "downloads", "new"), default="likes", help="(default: likes)")
    sub.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default: 50)")
    sub.add_argument("--json", action="store_true", help="a JSON array of objects with id, sha, likes, downloads, tags")
    sub.set_defaults(run=find_command)

    sub = commands.add_parser("pull", help="download a style of the Hub", description="Download a style, with its twin.")
    sub.add_argument("name", metavar="OWNER/NAME[@REVISION]")
    sub.add_argument("--to", type=Path, metavar="DIR", help="new folder to copy it to (default: it stays in the Hub's cache)")
    sub.set_defaults(run=pull_command)

    about = "Upload a style folder as one commit, with a card made from its records. Log in first: hf auth login."
    sub = commands.add_parser("publish", help="share a style on the Hub", description=about)
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="style folder, as the trainer makes it")
    sub.add_argument("--to", required=True, metavar="OWNER/NAME", help="repository; it is made if need be")
    sub.add_argument("--private", action="store_true", help="make it a private one")
    sub.add_argument("--pr", action="store_true", help="open a pull request instead, to a repository of somebody else")
    sub.add_argument("--message", metavar="M", help="of the commit")
    sub.add_argument("--licence-weights", metavar="ID", help="as the Hub writes it (default: the recipe's, or apache-2.0)")
    sub.add_argument("--replace", action="store_true", help="even where the repository holds something else than a style")
    sub.add_argument("--dry-run", action="store_true", help="check the folder and say what would be done")
    sub.set_defaults(run=publish_command)

    for one in above().values():
        commands.add_parser(one.name, help=f"the same as python -m {one.module}", add_help=False)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run a command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in above():
        sys.exit(above()[words[0]].load()(words[1:]))
    args = make_parser().parse_args(argv)
    args.run(args)


if __name__ == "__main__":
    sys.exit(main())
