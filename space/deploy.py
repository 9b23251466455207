"""Put the page on a Hugging Face Space: exactly the files it needs, as one commit.

  python -m space.deploy --to owner/missing-ingredient --dry-run     which files
  python -m space.deploy --to owner/missing-ingredient               upload them (log in first: hf auth login)
  python -m space.deploy --static --to owner/in-your-browser         the page that needs no server (python -m space.static)

The Space gets space/README.md as its README.md (title, hardware, login) and, of requirements.txt, what the page needs: on
a CPU with torch's build for CPUs, a tenth of the download. What else lies in the page's folders there, as of an earlier
version, is removed, which --dry-run lists; other files there are kept, but for --replace. Training, tests, docs and the
pictures that the page never shows stay here. A static Space gets what python -m space.static makes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from space.browser.folder import build
from space.static import add_build, chosen
from zoo import hub
from zoo.cli import command
from zoo.errors import ConfigError, HubUnavailableError
from zoo.folder import LOCK

ROOT = Path(__file__).parent.parent
PATTERNS = (
    "app.py", "LICENSE", "LICENSES/*", "NOTICE", "space/style.css", "space/mark.svg", "space/languages.json",
    "space/*.py", "space/browser/*.py", "space/train/*.py",
    *(f"space/{folder}/*.jpg" for folder in ("examples", "hazy", "taught")), "space/taught/curves.json",
    "zoo/**/*.py", "zoo/photo.jpg", "zoo/styles/*/*.*", "zoo/styles/*/batch/*.*",
    *(f"zoo/styles/*/images/{kind}.jpg" for kind in ("batch", "instance", "painting")),
)  # fmt: skip
TRAINING = ("accelerate", "matplotlib", "torchvision")  # requirements that the page does without
HARDWARE = "cpu-basic"  # what a new Space runs on
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def space_files(hardware: str = HARDWARE) -> dict[str, Path | str]:
    """The files of the Space: name there -> file here, or what it holds."""
    there = (path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern)) if path.name != LOCK)
    found = {path.relative_to(ROOT).as_posix(): path for path in there}
    return {**found, "README.md": ROOT / "space" / "README.md", "requirements.txt": requirements(hardware)}


def requirements(hardware: str) -> str:
    """requirements.txt of a Space on that hardware; gradio comes by the sdk_version of its README.md."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    needed = [line for line in lines if line.split(">=")[0] not in (*TRAINING, "gradio")]
    builds = [f"--extra-index-url {CPU_BUILDS}"] if hardware.startswith("cpu-") else []
    return "\n".join([*builds, *needed, "spaces"]) + "\n"


def known_hardware(name: str, dry_run: bool) -> str | None:
    """What the Space runs on, None where there is none, nor, in a dry run, a Hub that could be asked."""
    try:
        return hub.space_hardware(name)
    except HubUnavailableError:
        if not dry_run:
            raise
        return None


def make_parser() -> argparse.ArgumentParser:
    """The flags, with help that teaches."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m space.deploy", description=__doc__, formatter_class=raw)
    parser.add_argument("--to", required=True, metavar="OWNER/SPACE", help="the Space; it is made if need be")
    runs = f"as the Hub calls it, cpu-upgrade, t4-small, zero-a10g ... (default: what it runs on, a new one on {HARDWARE})"
    parser.add_argument("--hardware", metavar="ID", help=runs)
    parser.add_argument("--static", action="store_true", help="a static Space: the page that paints in the visitor's browser")
    add_build(parser)
    parser.add_argument("--private", action="store_true", help="make it a private one")
    parser.add_argument(
        "--dry-run", action="store_true", help="list the files, also without a network, and say what would be done"
    )
    parser.add_argument("--replace", action="store_true", help="whatever the Space holds: nothing else is left there")
    return parser


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command; exit code 0 when done, 2 with one plain line for a user's mistake."""
    args = make_parser().parse_args(argv)
    if not (ROOT / "NOTICE").is_file():
        raise ConfigError(f"the Space needs the notices that lie in a clone of the project, not in {ROOT}: run it there")
    if not args.static and (args.styles or args.ort):
        raise ConfigError("--styles and --ort are of what runs in a browser: say --static, too")
    if args.static and args.hardware:
        raise ConfigError("a static Space runs in its visitors' browsers: leave --hardware out")
    hardware, files = None, dict[str, Path | str]()
    with tempfile.TemporaryDirectory() as folder:
        if args.static:
            build(Path(folder), chosen(args.styles), args.ort)
            files = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
        else:
            hardware = args.hardware or known_hardware(args.to, args.dry_run) or HARDWARE
            files = space_files(hardware)
        target = hub.Target(args.to, private=args.private, replace=args.replace, hardware=hardware,
                            sdk="static" if args.static else "gradio")  # fmt: skip
        if args.dry_run:
            size = sum(len(file) if isinstance(file, str) else file.stat().st_size for file in files.values())
            runs = f"for {hardware}" if hardware else "static"
            print("\n".join(sorted(files)) + f"\n{len(files)} files, {size / 2**20:.1f} MiB, {runs}", flush=True)
        print(hub.deploy(files, target, args.dry_run))


if __name__ == "__main__":
    sys.exit(main())
