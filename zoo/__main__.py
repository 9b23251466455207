"""Stylize pictures from the command line.

  python -m zoo list                                            which styles there are
  python -m zoo info starry-night                               what one is, who painted it, how well it does
  python -m zoo stylize photo.jpg -s starry-night -o out.png    paint a photo
  python -m zoo stylize holiday/ -s starry-night -o painted/ --size 1024    paint a folder of them

STYLE is a slug of the list, or the path of a style folder.
"""

import argparse
import json
import sys
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from zoo.catalog import find, sound_styles
from zoo.errors import PhotoError, ZooError, fail
from zoo.images import SUFFIXES, list_photos, open_photo, save_picture
from zoo.stylize import DEVICES, check_size, pick_device, stylize


def list_command(args: argparse.Namespace) -> None:
    """Print the styles, as a table or as JSON; a damaged one is named on stderr and left out."""
    styles, problems = sound_styles()
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    if args.json:
        rows = [{"slug": s.slug, "title": s.title, "norms": s.norms, "source": s.source} for s in styles]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not styles:
        print("no styles yet: train one (python -m training.train --help)")
    else:
        width = max(len(style.slug) for style in styles)
        for s in styles:
            print(f"{s.slug:{width}}  {s.source:8}  {' + '.join(s.norms):16}  {by_line(s.title, s.painting)}")


def by_line(title: str, painting: dict) -> str:
    """Title, author, year, as far as they are known."""
    return ", ".join([title, *(str(painting[key]) for key in ("author", "year") if key in painting)])


def info_command(args: argparse.Namespace) -> None:
    """Print what is known of one style."""
    style = find(args.style)
    print(by_line(style.title, style.painting))
    for key in ("licence", "source"):
        if key in style.painting:
            print(f"  painting's {key}: {style.painting[key]}")
    print(f"  folder: {style.folder} ({style.source})\n  norms:  {', '.join(style.norms)}")
    recipe = style.recipe
    if recipe:
        keys = ("steps", "batch_size", "crop_size", "style_size", "content_weight", "style_weight", "width")
        print("  recipe: " + ", ".join(f"{key} {recipe[key]}" for key in keys if key in recipe))
    for size, found in style.held_out.items():
        values = ", ".join(
            f"{name} {found[name]['objective']:,.0f}" for name in ("photo", "batch", "instance") if name in found
        )
        print(f"  held-out objective at {size} px (lower is better): {values}")


def plan_outputs(inputs: list[Path], out: Path) -> list[tuple[Path, Path]]:
    """Pairs (photo, file to write). One photo goes to the file OUT; several, or a folder, go into the folder OUT.

    What lies in OUT already is no input, so that a command can be repeated. Raises PhotoError when a photo would be
    overwritten, two photos would be written to one file, or OUT has no suffix of a picture.
    """
    photos = [photo for path in inputs for photo in (_photos_of(path, out) if path.is_dir() else [path])]
    if len(inputs) == 1 and not inputs[0].is_dir() and not out.is_dir():
        Image.init()
        if Image.EXTENSION.get(out.suffix.lower()) not in Image.SAVE or out.suffix.lower() not in SUFFIXES:
            raise PhotoError(f"cannot write {out}: end its name in .png, .jpg or .webp")
        plan = {out: photos[0]}
    else:
        if out.exists() and not out.is_dir():
            raise PhotoError(f"{out} is a file: several photos need a folder to go to")
        plan = {}
        for photo in photos:
            target = out / f"{photo.stem}.png"
            if target in plan:
                raise PhotoError(f"{plan[target]} and {photo} would both be written to {target}: rename one")
            plan[target] = photo
    originals = {photo.resolve() for photo in photos}
    for target, photo in plan.items():
        if target.resolve() in originals:
            raise PhotoError(f"{photo} painted would overwrite the photo {target}: choose another --out")
    return [(photo, target) for target, photo in plan.items()]


def _photos_of(folder: Path, out: Path) -> list[Path]:
    results = out.resolve()
    return [p for p in list_photos(folder) if results == folder.resolve() or results not in p.resolve().parents]


def stylize_command(args: argparse.Namespace) -> None:
    """Paint photos. A bad one does not stop the others; it is named at the end."""
    check_size(args.size)
    style, device = find(args.style), pick_device(args.device)
    plan, bad = plan_outputs(args.photos, args.out), []
    for photo, target in tqdm(plan, unit="photo", disable=len(plan) < 2 or None):
        try:
            image = open_photo(photo)
            if args.size and args.size > max(image.size):
                w, h = image.size
                print(f"{photo.name} is {w}×{h} px, smaller than --size {args.size}: it keeps its own size", file=sys.stderr)
            painted = stylize(image, style, args.norm, args.size, device.type)
            save_picture(painted, target)
        except PhotoError as error:
            bad.append(str(error))
    if bad:
        raise PhotoError("; ".join(bad) if len(plan) == 1 else f"{len(bad)} of {len(plan)} photos failed: " + "; ".join(bad))


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m zoo", description=__doc__, formatter_class=raw)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sub = commands.add_parser("list", help="the styles there are")
    sub.add_argument("--json", action="store_true", help="a JSON array of objects with slug, title, norms, source")
    sub.set_defaults(run=list_command)

    sub = commands.add_parser("info", help="what one style is")
    sub.add_argument("style", metavar="STYLE", help="slug or style folder")
    sub.set_defaults(run=info_command)

    sub = commands.add_parser("stylize", help="paint photos", description="Paint photos in a style of the zoo.")
    sub.add_argument("photos", nargs="+", type=Path, metavar="IN", help="photos, or folders of photos")
    sub.add_argument("-s", "--style", required=True, help="slug or style folder")
    sub.add_argument("-o", "--out", required=True, type=Path, help="file to write; for several photos a folder (PNG files)")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin paints (default: instance)")
    sub.add_argument("--size", type=int, metavar="N", help="long side of the result in px (default: the photo's own)")
    sub.add_argument("--device", choices=DEVICES, default="auto", help="auto takes CUDA where present (default: auto)")
    sub.set_defaults(run=stylize_command)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    try:
        args.run(args)
    except ZooError as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
