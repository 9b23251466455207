"""A training that is started on the page: one at a time, a process of its own, so that the page stays alive.

    with MISSING_INGREDIENT_TRAIN=1, or python -m space.serve --train

What it makes lies below FOLDER, which the catalogue then looks into, and stays there when the page ends.
"""

import atexit
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gradio.utils import get_space
from PIL import Image

from space.train.commands import Wish
from space.words import without_paths
from zoo.catalog import LOCAL_VARIABLE, list_styles
from zoo.errors import ConfigError, PhotoError, TrainingError
from zoo.folder import CONFIG, WEIGHTS
from zoo.images import open_photo, save_picture
from zoo.records import read_log

VARIABLE = "MISSING_INGREDIENT_TRAIN"  # 1, or the folder of photos to train on
FOLDER = Path("trained-here")  # in the folder that the page was started in
PHOTOS = Path(__file__).parent.parent / "examples"
USUAL = PHOTOS / "raccoon.jpg"  # in previews, beside the zoo's photo, of who has none
ROOT = Path(__file__).parent.parent.parent
RECIPE = ("--recipe", "minutes", "--norm", "instance")
STEPS = (100, 200, 300, 600)
OFTEN = ("--preview-every", "25", "--checkpoint-every", "25", "--log-every", "5", "--export-stopped")
NICE = 10  # the page's visitors come first


def photos() -> Path | None:
    """The photos that trainings on this page learn from; None where its owner has not switched them on, and on a Space.

    Raises ConfigError when there is no such folder, or no trainer.
    """
    said = os.environ.get(VARIABLE, "")
    if said in ("", "0") or get_space():
        return None
    if not importlib.util.find_spec("training"):
        raise ConfigError(f"{VARIABLE} is set, but the trainer is not installed here")
    folder = PHOTOS if said == "1" else Path(said)
    if not folder.is_dir():
        raise ConfigError(f"{VARIABLE}: there is no folder of photos {said}")
    return folder.resolve()


@dataclass(frozen=True)
class Order:
    """What is to be trained: the painting's file, what is said of it, the style to begin from, steps, the previews' photo."""

    painting: Path
    wish: Wish
    start: str
    steps: int
    photo: Path | None = None


@dataclass(frozen=True)
class Standing:
    """How a training stands. `state` is "running", "stopping", or how it ended: "done", "stopped", "failed"; `style` whether
    there is one to try."""

    slug: str
    state: str
    step: int = 0
    steps: int = 0
    loss: float | None = None
    seconds_left: float | None = None
    style: bool = False
    error: str = ""

    @property
    def runs(self) -> bool:
        """Whether it is still at work."""
        return self.state in ("running", "stopping")


@dataclass
class Job:
    """A process that trains for a visitor."""

    who: str
    order: Order
    folder: Path
    process: subprocess.Popen
    stopping: bool = False
    seen: tuple[Path, Image.Image] | None = field(default=None, repr=False)

    @property
    def run(self) -> Path:
        """Where the trainer tells of it."""
        return self.folder / "run"

    def standing(self) -> Standing:
        """How it stands now."""
        code = self.process.poll()
        records = [record for record in read_log(self.run / "log.jsonl") if "instance" in record]
        last = records[-1] if records else {}
        step, steps, left = last.get("step", 0), self.order.steps, None
        if len(records) > 1 and last.get("seconds"):
            left = last["seconds"] / step * (steps - step)
        state = "stopping" if self.stopping else "running"
        if code is not None:
            state = {0: "done"}.get(code, "stopped" if self.stopping else "failed")
        style = code is not None and all((self.folder / name).is_file() for name in (CONFIG, WEIGHTS))
        error = _last_words(self.run / "errors.txt") if state == "failed" else ""
        return Standing(self.folder.name, state, step, steps, last.get("instance", {}).get("total"), left, style, error)

    def preview(self) -> Image.Image | None:
        """The newest preview; the one before while that is being written."""
        for path in sorted((self.run / "previews").glob("step_*.jpg"), reverse=True)[:2]:
            if self.seen and self.seen[0] == path:
                break
            with suppress(PhotoError):
                self.seen = path, open_photo(path)
                break
        return self.seen[1] if self.seen else None


class Trainer:
    """The page's one place to train at. `photos` are trained on, `folder` is where styles go."""

    def __init__(self, photos: Path, folder: Path = FOLDER):
        self._photos, self._folder, self._lock = photos, folder.resolve(), threading.Lock()
        self._job: Job | None = None
        self._folder.mkdir(parents=True, exist_ok=True)
        known = os.environ.get(LOCAL_VARIABLE, "").split(os.pathsep)
        if str(self._folder) not in known:
            os.environ[LOCAL_VARIABLE] = os.pathsep.join(filter(None, [*known, str(self._folder)]))
        atexit.register(self.end)

    def start(self, who: str, order: Order) -> Job:
        """Train for a visitor; one that was stopped goes on where it was. Raises TrainingError while another is under way,
        ZooError for a painting that cannot be read."""
        with self._lock:
            if self._job and self._job.process.poll() is None:
                raise TrainingError("a training is under way on this page: one at a time, try again when it has ended")
            open_photo(order.painting)
            folder = self._place(order)
            run = folder / "run"
            preview, painting = run / "photo", run / f"{order.wish.name}{order.painting.suffix.lower()}"
            try:
                preview.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(order.painting, painting)  # uploads do not stay for ever
                save_picture(open_photo(order.photo or USUAL, 640), preview / "photo.jpg")
                with open(run / "errors.txt", "wb") as errors:
                    process = subprocess.Popen(self._command(order, folder, painting), cwd=ROOT, stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=errors)  # fmt: skip
            except OSError as error:
                raise TrainingError(f"the training cannot begin: {error.strerror}") from error
            if hasattr(os, "setpriority"):
                with suppress(OSError):  # it is gone already
                    os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
            self._job = Job(who, order, folder, process)
            return self._job

    def job(self) -> Job | None:
        """The training that was started last."""
        return self._job

    def stop(self, who: str) -> None:
        """End it after the step at hand; its checkpoint is kept. Raises TrainingError for what another visitor started."""
        job = self._job
        if job is None or job.who != who:
            raise TrainingError("you have no training under way on this page")
        self._end(job)

    def end(self) -> None:
        """End whatever is under way: the page ends."""
        if self._job:
            self._end(self._job)

    def _end(self, job: Job) -> None:
        with self._lock:
            if job.process.poll() is None and not job.stopping:  # a second signal would end it at once, without a style
                job.stopping = True
                job.process.terminate()

    def _command(self, order: Order, folder: Path, painting: Path) -> list[str]:
        """The trainer's command line."""
        facts = [f"--{key}={words}" for key, words in order.wish.said.items()]
        given = ["--from", order.start, "--steps", order.steps, "--style-image", painting, "--content", self._photos]
        told = ["--preview", folder / "run" / "photo", *OFTEN, *facts]
        return [sys.executable, "-m", "training.train", *RECIPE, *map(str, [*given, "--out", folder, *told])]

    def _place(self, order: Order) -> Path:
        """The folder that is called as the style: a new one, or that of the same painting trained in the same way."""
        key = hashlib.sha256(order.painting.read_bytes())
        key.update(json.dumps([order.start, order.steps, order.wish.said, str(self._photos), *RECIPE]).encode())
        names = (order.wish.name, *(f"{order.wish.name}-{number}" for number in range(2, 1000)))
        taken = {style.slug for style in list_styles() if style.folder.parent != self._folder}  # which it would hide
        for folder in (self._folder / name for name in names if name not in taken):
            mark = folder / "run" / "order"
            with suppress(FileNotFoundError):
                if mark.read_text() == key.hexdigest():
                    return folder
            if not folder.exists():
                mark.parent.mkdir(parents=True)
                mark.write_text(key.hexdigest())
                return folder
        raise TrainingError(f"there are too many trainings called {order.wish.name}: give the painting another title")


def _last_words(path: Path) -> str:
    """What a process said last, without paths."""
    with suppress(OSError):
        lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        said = [line for line in lines if line.startswith("error:")] or lines[-1:]
        return without_paths(said[-1].removeprefix("error:").strip()) if said else ""
    return ""
