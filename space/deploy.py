"""Put the page on a Hugging Face Space: exactly the files it needs, as one commit.

  python -m space.deploy --to owner/missing-ingredient --dry-run     which files
  python -m space.deploy --to owner/missing-ingredient               upload them (log in first: hf auth login)

The Space gets space/README.md as its README.md (title, hardware, login) and, of requirements.txt, what the page needs: on
a CPU with torch's build for CPUs, a tenth of the download. What else lies in the repository there is removed. Training,
tests, docs and the pictures that the page never shows stay here.
"""

import argparse
import sys
from pathlib import Path

from zoo import hub
from zoo.cli import command
from zoo.errors import ConfigError

ROOT = Path(__file__).parent.parent
PATTERNS = (
    "app.py", "LICENSE", "LICENSES/*", "NOTICE", "space/*.py", "space/style.css", "space/mark.svg",
    *(f"space/{folder}/*.jpg" for folder in ("examples", "hazy", "taught")),
    "zoo/**/*.py", "zoo/photo.jpg", "zoo/styles/*/*.*", "zoo/styles/*/batch/*.*",
    *(f"zoo/styles/*/images/{kind}.jpg" for kind in ("batch", "instance", "painting")),
)  # fmt: skip
TRAINING = ("accelerate", "filelock", "matplotlib", "torchvision")  # requirements that the page does without
HARDWARE = "cpu-basic"  # what a new Space runs on
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def space_files(hardware: str = HARDWARE) -> dict[str, Path | str]:
    """The files of the Space: name there -> file here, or what it holds."""
    found = {str(path.relative_to(ROOT)): path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))}
    return {**found, "README.md": ROOT / "space" / "README.md", "requirements.txt": requirements(hardware)}


def requirements(hardware: str) -> str:
    """requirements.txt of a Space on that hardware; gradio comes by the sdk_version of its README.md."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    needed = [line for line in lines if line.split(">=")[0] not in (*TRAINING, "gradio")]
    builds = [f"--extra-index-url {CPU_BUILDS}"] if hardware.startswith("cpu-") else []
    return "\n".join([*builds, *needed, "spaces"]) + "\n"


def make_parser() -> argparse.ArgumentParser:
    """The flags, with help that teaches."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m space.deploy", description=__doc__, formatter_class=raw)
    parser.add_argument("--to", required=True, metavar="OWNER/SPACE", help="the Space; it is made if need be")
    runs = f"as the Hub calls it, cpu-upgrade, t4-small, zero-a10g ... (default: what it runs on, a new one on {HARDWARE})"
    parser.add_argument("--hardware", metavar="ID", help=runs)
    parser.add_argument("--private", action="store_true", help="make it a private one")
    parser.add_argument("--dry-run", action="store_true", help="list the files and say what would be done, upload nothing")
    parser.add_argument("--replace", action="store_true", help="even where the Space holds something else than this page")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    if not (ROOT / "NOTICE").is_file():
        raise ConfigError(f"the Space needs the notices that lie in a clone of the project, not in {ROOT}: run it there")
    hardware = args.hardware or hub.space_hardware(args.to) or HARDWARE
    files, target = space_files(hardware), hub.Target(args.to, private=args.private, replace=args.replace, hardware=hardware)
    if args.dry_run:
        size = sum(len(file) if isinstance(file, str) else file.stat().st_size for file in files.values())
        print("\n".join(sorted(files)) + f"\n{len(files)} files, {size / 2**20:.1f} MiB, for {hardware}")
    print(hub.deploy(files, target, args.dry_run))


if __name__ == "__main__":
    sys.exit(main())
