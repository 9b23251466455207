# /// script
# requires-python = ">=3.10"
# dependencies = ["missing-ingredient @ git+https://github.com/missing-ingredient/missing-ingredient"]
# ///
"""Train a style and publish it where nothing is installed: on Hugging Face Jobs, or wherever uv is.

  hf jobs uv run --flavor h200 --timeout 1h --secrets HF_TOKEN train_style.py --pair --style-image painting.jpg \\
      --content owner/photos --push-to me/my-painting --title "My Painting" --author "Me" --licence cc-by-4.0 --source "my own"

Takes the flags of python -m training.train (`hf` sends files along that these name), and --push-to has to be among them: what
a job leaves on its disk is lost. --out is called as the repository, unless it is said. --dry-run checks painting, photos,
recipe, the repository's name and that there is a token, and says what would be done; it needs no network.
"""

import argparse
import runpy
import sys


def main(argv: list[str]) -> None:
    """Run the trainer in this process, which ends with its exit code."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--push-to", default="")
    parser.add_argument("--out")
    said, _ = parser.parse_known_args(argv)
    if not said.push_to and not {"-h", "--help"} & set(argv):
        print("error: --push-to OWNER/NAME is missing: what a job leaves on its disk is lost", file=sys.stderr)
        sys.exit(2)
    name = said.push_to.rpartition("/")[2]
    sys.argv = ["training.train", *argv, *([] if said.out else ["--out", name or "style"])]
    runpy.run_module("training.train", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
