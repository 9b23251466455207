"""Commands that make pictures, or a file that makes them elsewhere."""

import argparse
import os
import sys
from pathlib import Path

from tqdm import tqdm

from zoo.catalog import find, load
from zoo.cli import Commands, say
from zoo.device import DEVICES, HELP, pick_device
from zoo.engine.choice import ENGINES
from zoo.errors import ConfigError, PhotoError
from zoo.finish import check_strength, finish
from zoo.frozen import frozen
from zoo.images import check_picture_name, list_photos, open_photo, save_picture
from zoo.painter import check_size, stylize, texture


def add(commands: Commands) -> None:
    """Add them to the command line."""
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
    sub.add_argument("--engine", choices=ENGINES, default="auto", help="what computes on a processor (default: the fastest)")
    sub.set_defaults(run=stylize_command)

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

    about = "Make a seamless tile out of noise, with a style trained for it (python -m training.train --recipe texture)."
    sub = commands.add_parser("texture", help="make a seamless tile", description=about)
    sub.add_argument("style", metavar="STYLE", help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.add_argument("-o", "--out", required=True, type=Path, help="file to write")
    sub.add_argument("--size", type=int, default=512, metavar="N", help="side in px, a multiple of 32 (default: 512)")
    sub.add_argument("--seed", type=int, default=0, metavar="S", help="another seed gives another tile (default: 0)")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin (default: instance)")
    sub.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    sub.set_defaults(run=texture_command)


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
