"""Commands that make pictures, or a file that makes them elsewhere."""

import argparse
import importlib.util
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from zoo.batch import FORMATS, Job, Outcome, Plan, paint_all, plan_outputs
from zoo.catalog import find, load
from zoo.cli import Commands, say
from zoo.device import DEVICES, HELP, pick_device
from zoo.engine.choice import ENGINES
from zoo.engine.choice import HELP as ENGINE
from zoo.errors import ConfigError, DoneInPart, PhotoError
from zoo.frozen import frozen
from zoo.images import list_photos, open_photo, save_picture
from zoo.painter import texture


def add(commands: Commands) -> None:
    """Add them to the command line."""
    sub = commands.add_parser("stylize", help="paint photos", description="Paint photos in a style of the zoo.")
    sub.add_argument("photos", nargs="+", type=Path, metavar="IN", help="photos, or folders of photos")
    sub.add_argument("-s", "--style", required=True, help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.add_argument("-o", "--out", required=True, type=Path, help="file to write; for several photos a folder")
    sub.add_argument("--format", choices=FORMATS, help="of what is written into a folder (default: png)")
    sub.add_argument("--again", action="store_true", help="paint also what lies in the folder, painted of the same photo so")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin paints (default: instance)")
    sub.add_argument("--size", type=int, metavar="N", help="long side of the result in px (default: the photo's own)")
    sub.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    sub.add_argument("--seed", type=int, default=0, metavar="S", help="variation of a generator that has noise (default: 0)")
    sub.add_argument("--strength", type=float, default=1.0, metavar="F", help="0: the photo, 1: all paint (default: 1)")
    finer = "length of the strokes as a share of the usual: 0.6 is finer, and takes 2.8 times as long (default: 1)"
    sub.add_argument("--strokes", type=float, default=1.0, metavar="F", help=finer)
    quick = "large photos with a thumbnail's statistics, in less memory and, where that is short, time; says how far it is off"
    sub.add_argument("--quick", action="store_true", help=quick)
    sub.add_argument("--keep-colours", action="store_true", help="light and dark as painted, colours of the photo")
    kept = "picture of the photo's shape, at any scale: where it is white the photo stays, black is painted"
    sub.add_argument("--protect", type=Path, metavar="MASK", help=kept)
    sub.add_argument("--engine", choices=ENGINES, default="auto", help=ENGINE)
    sub.add_argument(
        "--on", metavar="ray|ADDRESS", help="paint on a Ray cluster: this machine's, or that at ip:port or ray://ip:port"
    )
    sub.set_defaults(run=stylize_command)

    about = (
        "Write a generator for other programs, as ONNX or by torch.export: photos of any size, B×3×H×W in [0, 1], in and out."
    )
    sub = commands.add_parser("export", help="write a style as an ONNX file, or one of torch.export", description=about)
    sub.add_argument("style", metavar="STYLE", help="slug, style folder, or owner/name[@revision] of the Hub")
    file = sub.add_mutually_exclusive_group(required=True)
    file.add_argument("--onnx", type=Path, metavar="F", help="ONNX file to write, F.onnx")
    file.add_argument("--torch-export", type=Path, metavar="F", help="file of torch.export to write, F.pt2")
    sub.add_argument("--opset", type=int, metavar="N", help="version of ONNX's operators (default: 17)")
    sub.add_argument("--norm", choices=("instance", "batch"), default="instance", help="which twin (default: instance)")
    sub.add_argument("--half", action="store_true", help="store ONNX's kernels in float16: half the size; computed in float32")
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


def stylize_command(args: argparse.Namespace) -> None:
    """Paint photos. A bad one does not stop the others; all bad ones are named at the end."""
    device = args.device if args.on else pick_device(args.device).type
    settings = args.norm, args.size, args.seed, args.strength, args.keep_colours, device, args.engine, args.strokes, args.quick
    protect = open_photo(args.protect).convert("L") if args.protect else None
    job, plan = Job(find(args.style), *settings, protect), plan_outputs(args.photos, args.out, args.format)
    again = args.again or plan[0][1] == args.out  # one photo, to a file that was named
    bad, skipped = [], 0
    with (
        closing(_paint_on(args.on, job, plan, again, args.out) if args.on else paint_all(job, plan, again)) as outcomes,
        tqdm(total=len(plan), unit="photo", disable=len(plan) < 2 or None) as bar,
    ):
        for outcome in outcomes:
            bar.update()
            skipped += outcome.skipped
            if outcome.note:
                with bar.external_write_mode(sys.stderr):
                    say(outcome.note, sys.stderr)
            if outcome.error:
                bad.append(outcome)
    if skipped:
        say(f"{skipped} of {len(plan)} photos were painted before: --again paints them anew", sys.stderr)
    if len(plan) == 1 and bad:
        raise PhotoError(bad[0].error)
    if done := len(plan) - len(bad) - skipped:
        say(plan[0][1] if len(plan) == 1 else f"{done} photos painted into {args.out}")
    for outcome in sorted(bad, key=lambda one: one.photo):
        say(f"{outcome.photo}: {outcome.error}", sys.stderr)
    if bad:
        raise (PhotoError if len(bad) == len(plan) else DoneInPart)(f"{len(bad)} of {len(plan)} photos failed")


def _paint_on(address: str, job: Job, plan: Plan, again: bool, out: Path) -> Generator[Outcome]:
    if importlib.util.find_spec("ray") is None:
        raise ConfigError("--on needs Ray: pip install 'missing-ingredient[cluster]', or leave it out")
    if plan[0][1] == out:
        raise ConfigError("--on paints folders: name a folder of photos, or leave it out")
    from zoo.cluster import paint_on_cluster

    return paint_on_cluster(job, plan, again, address, out)


def texture_command(args: argparse.Namespace) -> None:
    """Write a seamless tile, and say where it lies."""
    save_picture(texture(args.style, args.size, args.seed, args.norm, args.device), args.out)
    say(args.out)


def export_command(args: argparse.Namespace) -> None:
    """Write a generator as an ONNX file or one of torch.export, checked against torch."""
    from zoo.export import export, torch_export

    if args.frozen_stats != bool(args.calibrate):
        raise ConfigError(
            "--frozen-stats needs --calibrate DIR, photos to take the statistics from, and that nothing without it"
        )
    if args.torch_export and (args.half or args.opset):
        raise ConfigError("--half and --opset are of --onnx: leave them out with --torch-export")
    style = find(args.style)
    generator, facts = load(style, args.norm), {"style": style.slug, "norm": args.norm}
    if args.frozen_stats:
        generator, loss = frozen(generator, list_photos(args.calibrate))
        facts["frozen"] = f"{loss:.1f} levels of 255 away from instance norm, in the mean over the photos of --calibrate"
        say(f"frozen statistics: {facts['frozen']}")
    if args.torch_export:
        done = torch_export(generator, args.torch_export, facts)
    else:
        done = export(generator, args.onnx, args.opset or 17, args.half, facts)
    checked = "not checked, as onnxruntime is not there"
    if done.levels is not None:
        checked = f"at three sizes within {done.levels:.3f} of 255 levels of torch's pictures"
    say(f"{args.onnx or args.torch_export}: {done.megabytes:.1f} MB, {checked}")
