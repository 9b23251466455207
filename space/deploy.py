"""Put the page on a Hugging Face Space: exactly the files it needs, as one commit.

  python -m space.deploy --to owner/missing-ingredient --dry-run     which files
  python -m space.deploy --to owner/missing-ingredient               upload them (log in first: hf auth login)

The Space gets space/README.md as its README.md (title, hardware, login) and space/requirements.txt as its requirements.txt;
what else lies in the repository there is removed. Training, tests and docs stay here.
"""

import argparse
import sys
from pathlib import Path

from zoo import hub
from zoo.cli import command
from zoo.errors import ConfigError

ROOT = Path(__file__).parent.parent
RENAMED = {"space/README.md": "README.md", "space/requirements.txt": "requirements.txt"}
PATTERNS = (
    "app.py", "LICENSE", "LICENSES/*", "NOTICE", "space/*.py", "space/style.css", "space/examples/*.jpg",
    "zoo/*.py", "zoo/hub/*.py", "zoo/photo.jpg", "zoo/styles/*/*.*", "zoo/styles/*/images/*.*", "zoo/styles/*/batch/*.*",
)  # fmt: skip


def space_files() -> dict[str, Path]:
    """The files of the Space: name there -> file here."""
    found = {str(path.relative_to(ROOT)): path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))}
    return {**found, **{there: ROOT / here for here, there in RENAMED.items()}}


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m space.deploy", description=__doc__, formatter_class=raw)
    parser.add_argument("--to", required=True, metavar="OWNER/SPACE", help="the Space; it is made if need be")
    parser.add_argument("--private", action="store_true", help="make it a private one")
    parser.add_argument("--dry-run", action="store_true", help="list the files and say what would be done, upload nothing")
    parser.add_argument("--replace", action="store_true", help="even where the Space holds something else than this page")
    args = parser.parse_args(argv)
    if not (ROOT / "NOTICE").is_file():
        raise ConfigError(f"the Space needs the notices that lie in a clone of the project, not in {ROOT}: run it there")
    files = space_files()
    if args.dry_run:
        size = sum(path.stat().st_size for path in files.values())
        print("\n".join(sorted(files)) + f"\n{len(files)} files, {size / 2**20:.1f} MiB")
    print(hub.deploy(files, hub.Target(args.to, private=args.private, replace=args.replace), args.dry_run))


if __name__ == "__main__":
    sys.exit(main())
