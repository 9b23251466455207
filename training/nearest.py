"""Do styles look like their own paintings? For every style and photo: which painting's Gram matrices is the result nearest?

  python -m training.nearest --content photos/ --style-images paintings/*.jpg --styles folder/*/

Prints, for each style, for how many photos its own painting is the nearest, by the style loss of the held-out objective.
Style folders and paintings belong together by the SHA-256 in recipe.yaml.
"""

import argparse
import sys
from pathlib import Path

from training.data.paintings import RESERVED
from training.measure.nearest import nearest_paintings
from zoo.catalog import find
from zoo.cli import command
from zoo.device import DEVICES, HELP
from zoo.errors import TrainingError
from zoo.folder import sha256
from zoo.images import list_photos, open_photo
from zoo.painter import check_size


def beside_styles(name: str) -> bool:
    """Whether that is a folder which a run of many styles makes beside them: OUT/*/ means the styles."""
    return Path(name).is_dir() and Path(name).name in RESERVED


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training.nearest", description=__doc__, formatter_class=raw)
    parser.add_argument("--styles", nargs="+", required=True, metavar="STYLE", help="slugs or style folders")
    parser.add_argument("--style-images", nargs="+", type=Path, required=True, metavar="FILE", help="their paintings")
    parser.add_argument("--content", type=Path, required=True, metavar="DIR", help="photos never trained on")
    parser.add_argument("--size", type=int, default=256, metavar="N", help="short side of the photos in px (default: 256)")
    parser.add_argument("--norm", choices=("instance", "batch"), default="instance")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=HELP)
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when measured, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    check_size(args.size)
    styles, photos = [find(name) for name in args.styles if not beside_styles(name)], list_photos(args.content)
    if not styles:
        raise TrainingError(f"no style among {', '.join(args.styles)}")
    files = {sha256(path): path.name for path in args.style_images if open_photo(path)}
    for style in styles:
        if style.painting.get("sha256") not in files:
            raise TrainingError(f"the painting of {style.slug} ({style.painting.get('file')}) is not among --style-images")
    found = nearest_paintings(styles, args.style_images, photos, args.size, args.norm, args.device)
    right = 0
    for style in styles:
        own = files[style.painting["sha256"]]
        hits = found[style.slug].count(own)
        right += hits
        others = sorted({name for name in found[style.slug] if name != own})
        print(f"{style.slug:28}{hits:4} of {len(photos)}" + (f"   else {', '.join(others)}" if others else ""))
    print(f"{'all':28}{right:4} of {len(photos) * len(styles)}, {right / len(photos) / len(styles):.1%}")


if __name__ == "__main__":
    sys.exit(main())
