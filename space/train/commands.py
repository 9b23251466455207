"""The commands that make a style of a painting, for several machines, with the time that each takes: measured, or not said.

The trainer is no part of a Space, so its flags are written here; the tests have its own parser read every command.
"""

import os
import shlex
from dataclasses import dataclass, field

from zoo import hub
from zoo.errors import HubNotFoundError, printable
from zoo.memory import Size
from zoo.names import is_hub_id, make_slug

ADDRESS = "https://github.com/missing-ingredient/missing-ingredient"  # pyproject.toml's, as a test sees to
SCRIPT = f"{ADDRESS.replace('github.com', 'raw.githubusercontent.com')}/main/training/jobs/train_style.py"
FACTS = ("title", "author", "year", "licence", "source")  # of a painting: flags of the trainer
SHARED = ("title", "author", "licence", "source")  # without which nothing is published
LONGEST = 300  # characters of what is said of a painting
ANYBODY = "YOUR-NAME"
BREAK = " \\\n    "
ONCE = "Once; not needed where make demo has installed the project"
NEEDED = "Before it can be shared, it needs the painting's title, author, licence and source."
NEEDED_AT_ONCE = "The job ends at once without the painting's title, author, licence and source."
NAMELESS = f"Put your name on the Hub in the place of {ANYBODY}."


@dataclass(frozen=True)
class Machine:
    """Where a style may be trained. `recipe` is what the trainer is told of the way, `painting_at` the short side in px at
    which it looks at the painting, `says` the time it takes, and what that costs, in Markdown."""

    label: str
    start: str
    recipe: str
    says: str
    painting_at: int = 512


H200 = "1,200 steps of a pair take 79 seconds on an NVIDIA H200, measured"
MACHINES = {
    "minutes": Machine(
        "A laptop, in minutes",
        "python -m training.train",
        "--recipe minutes --from the-scream --norm instance",
        "**Ten minutes** on two processor cores. It begins with what *The Scream* has learnt, and trains instance norm alone.",
    ),
    "laptop": Machine(
        "A laptop, both norms",
        "python -m training.train",
        "--recipe laptop --pair",
        "**Three quarters of an hour** on two processor cores, less where they compute in bfloat16. A pair, from scratch.",
    ),
    "gpu": Machine(
        "One GPU",
        "python -m training.train",
        "--recipe zoo --pair",
        f"**About two minutes** on a large GPU: {H200}, before them the start, and after them the pictures. Other GPUs were "
        "not measured. The styles of this page were made so. A rented GPU costs what these minutes cost.",
    ),
    "gpus": Machine(
        "Several GPUs",
        "accelerate launch --multi_gpu --num_processes 4 -m training.train",
        "--recipe zoo --norm instance",
        "**Not measured.** The four photos of a step are shared among 2 or 4 processes; for more, raise `--batch-size` with "
        "`--num_processes`. Instance norm alone: batch norm would take its statistics from each process's share. One GPU is "
        "done in minutes; several are for larger crops and wider networks.",
    ),
    "jobs": Machine(
        "Hugging Face Jobs",
        "hf jobs uv run --flavor h200 --timeout 1h --secrets HF_TOKEN --detach",
        "--recipe zoo --pair",
        f"**About two minutes** of training: {H200}. Before it the project is installed, a download of some 3 GB, which was "
        "not measured; after it the style is on the Hub. Billed by the minute: `hf jobs hardware` lists what there is with its "
        "price, as does the Hub's page on pricing. Smaller GPUs, such as `--flavor a10g-small`, were not measured; after "
        "`--timeout` a job ends in any case.",
    ),
}


@dataclass(frozen=True)
class Wish:
    """What a visitor says: the painting's file name, its facts (FACTS), where photos are, whose name on the Hub; anything."""

    file: str = "painting.jpg"
    facts: dict[str, str] = field(default_factory=dict)
    photos: str = "photos/"
    owner: str = ""

    @property
    def said(self) -> dict[str, str]:
        """The facts that are given, each a line of words that show."""
        cleaned = {key: " ".join(printable(self.facts.get(key) or "").split())[:LONGEST].strip() for key in FACTS}
        return {key: words for key, words in cleaned.items() if words}

    @property
    def painting(self) -> str:
        """The file's name, without folders and what does not show."""
        return printable(str(self.file).replace("\\", "/")).rpartition("/")[2].strip() or "painting.jpg"

    @property
    def name(self) -> str:
        """What the style is called: the words of the title, or else of the file."""
        words = make_slug(self.said.get("title", "")) or make_slug(os.path.splitext(self.painting)[0])
        return words[:60].strip("-") or "my-painting"

    @property
    def repo(self) -> str:
        """owner/name on the Hub, ANYBODY's if the owner is no name there."""
        try:
            return hub.split_id(f"{str(self.owner or '').strip()}/{self.name}")[0]
        except HubNotFoundError:
            return f"{ANYBODY}/{self.name}"


def install(machine: str) -> str:
    """What is to be done once, before."""
    if machine == "jobs":
        return 'pip install --upgrade "huggingface_hub>=1.16"\nhf auth login'
    return f'pip install "missing-ingredient @ git+{ADDRESS}"'


def train(machine: str, wish: Wish) -> str:
    """The command that trains, for a POSIX shell; lines are broken as it allows."""
    how, photos, more = MACHINES[machine], _place(wish.photos) or "photos/", ""
    start = how.start
    if machine == "jobs":
        if not is_hub_id(photos) and not _is_archive(photos):  # a folder: `hf` sends files along, and mounts folders
            start, photos = f"{start} -v {_quoted(f'{_as_folder(photos)}:/photos')}", "/photos"
        start, more = f"{start}{BREAK}{SCRIPT}", f"--push-to {shlex.quote(wish.repo)}"
    else:
        more = f"--out {wish.name}"
    what = f"--style-image {_quoted(_place(wish.painting))} --content {_quoted(photos)} {more}"
    facts = " ".join(f"--{key}={shlex.quote(words)}" for key, words in wish.said.items())
    return BREAK.join(filter(None, [f"{start}{BREAK if machine == 'jobs' else ' '}{how.recipe}", what, facts]))


def afterwards(machine: str, wish: Wish) -> str:
    """What comes then: painting with it, and sharing it where the training has not done so."""
    if machine == "jobs":
        return f"python -m zoo stylize photo.jpg -s {shlex.quote(wish.repo)} -o painted.png"
    return f"python -m zoo stylize photo.jpg -s ./{wish.name} -o painted.png\n{share(f'./{wish.name}', wish)}"


def share(folder: str, wish: Wish) -> str:
    """The command that publishes a style folder."""
    return f"python -m zoo publish {shlex.quote(folder)} --to {shlex.quote(wish.repo)}"


def advice(machine: str, wish: Wish, size: Size | None) -> list[str]:
    """Markdown: time and cost, then what the visitor should still see to, "" where all is well: the painting's facts, a name on
    the Hub, the painting's `size` in px, if there is one."""
    how, larger = MACHINES[machine], ""
    if size and min(size) < how.painting_at:
        larger = (f"Your painting is {size[0]}×{size[1]} px, and is looked at with a short side of {how.painting_at}: a "
                     "larger reproduction would be better.")  # fmt: skip
    is_known = all(key in wish.said for key in SHARED)
    needed = "" if is_known else NEEDED_AT_ONCE if machine == "jobs" else NEEDED
    return [how.says, needed, NAMELESS if wish.repo.startswith(f"{ANYBODY}/") else "", larger]


def _place(path: str) -> str:
    """A path that no command takes for a flag."""
    line = printable(path).strip()
    return f"./{line}" if line.startswith("-") else line


def _as_folder(path: str) -> str:
    """A folder's path that `hf` does not take for anything else."""
    path = path.rstrip("/") or "/"
    return path if path.startswith(("/", "./", "../", "~/")) else f"./{path}"


def _is_archive(path: str) -> bool:
    return path.lower().endswith((".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"))


def _quoted(path: str) -> str:
    """A path for a shell, which shall find one's home by itself."""
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") and path != "~/" else shlex.quote(path)
