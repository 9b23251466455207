"""Commands about styles: which there are, what one is, the Hub's."""

import argparse
import json
import sys
from pathlib import Path

from zoo.card import WEIGHTS_LICENCE
from zoo.catalog import find, load, sound_styles
from zoo.cli import Commands, say
from zoo.errors import ConfigError, shorten
from zoo.style import PAINTERS, Style, style_at


def add(commands: Commands) -> None:
    """Add them to the command line."""
    sub = commands.add_parser("list", help="the styles there are")
    sub.add_argument("--json", action="store_true", help="a JSON array of objects with slug, title, norms, source, takes_photo")
    sub.set_defaults(run=list_command)

    sub = commands.add_parser("info", help="what one style is")
    sub.add_argument("style", metavar="STYLE", help="slug, style folder, or owner/name[@revision] of the Hub")
    sub.set_defaults(run=info_command)

    sub = commands.add_parser("find", help="styles on the Hub", description="Styles on the Hub that carry the tag of this zoo.")
    sub.add_argument(
        "words", nargs="*", metavar="WORDS", help="words of its name, its tags, the painting's title or its artist"
    )
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
    sub.add_argument(
        "--onnx", action="store_true", help="each norm as an ONNX file, too, for the page that paints in a browser"
    )
    sub.add_argument("--replace", action="store_true", help="even where the repository holds something else than a style")
    sub.add_argument(
        "--dry-run", action="store_true", help="check the folder, also without a network, and say what would be done"
    )
    sub.set_defaults(run=publish_command)


def list_command(args: argparse.Namespace) -> None:
    """Print the styles, as a table or as JSON; a damaged one is named on stderr and left out."""
    styles, problems = sound_styles()
    for problem in problems:
        say(f"left out: {problem}", sys.stderr)
    if args.json:
        keys = ("slug", "title", "norms", "source", "takes_photo")
        rows = [{key: getattr(s, key) for key in keys} for s in styles]
        print(json.dumps(rows, indent=2))
    elif not styles:
        print("no styles yet: train one (python -m training.train --help)")
    else:
        width = max(len(style.slug) for style in styles)
        for s in styles:
            makes = "" if s.takes_photo else " (makes tiles)"
            say(f"{s.slug:{width}}  {s.source:8}  {' + '.join(s.norms):16}  {by_line(s)}{makes}")


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
    if not style.takes_photo:
        say(f"  paints no photos, it makes seamless tiles: python -m zoo texture {args.style} -o tile.png")
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
        shares = ", ".join(f"{norm} {share:.0%}" for norm, share in faded.items())
        say(f"  contrast that is left where a photo has a quarter of its own: {shares}")


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
    licence = args.licence_weights or style_at(args.folder).painting.get("licence_weights", WEIGHTS_LICENCE)
    if args.dry_run:
        parcel = sharing.pack(args.folder, to, args.licence_weights, args.onnx)
        say(f"{args.folder} is whole, and may be shared: {', '.join(parcel.names)}")
        if not hub.has_token():
            say("there is no login on this machine yet: hf auth login", sys.stderr)
        sys.stdout.flush()  # before the Hub is asked, which may take its time
        say(parcel.would())
    else:
        say(sharing.publish(args.folder, to, args.message, args.licence_weights, onnx=args.onnx))
    say(f"the weights under {licence} (--licence-weights says another)", sys.stderr)
