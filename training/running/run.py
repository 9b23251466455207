"""A run: what is trained, from what, to where."""

import importlib.util
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from training.config import TrainConfig
from training.data.archives import dataset_of
from training.data.crops import PhotoFolder
from training.data.paintings import Painting
from training.records import fingerprint, recipe_record
from training.running.start import describe_start
from zoo.errors import TrainingError
from zoo.style import Style

TRACKERS = ("trackio", "tensorboard")
IDENTITY = "identity"  # slug of the row that gives the photo back


@dataclass(frozen=True)
class RunOptions:
    """Where a run computes, what it reports and keeps; none of it changes the trained weights, beyond rounding."""

    device: str = "auto"  # one of zoo.device.DEVICES
    vgg_weights: str = "bundled"
    preview: Path | None = None  # folder of fixed photos to look at; default: the first of the content folder
    preview_every: int = 250
    held_out: Path | None = None  # folder of photos never trained on
    held_out_every: int = 250
    checkpoint_every: int = 100
    log_every: int = 10
    workers: int | None = None  # processes that read photos; None: as many as keep a GPU busy, none beside a CPU training
    track: str | None = None  # besides the JSON lines: one of TRACKERS
    push_to: str | None = None  # owner/name of the Hub, where the finished style is published
    stop_at: int | None = None  # end the session after this step; a later call resumes
    export_stopped: bool = False  # a session that ends before the last step leaves a style folder, too

    def __post_init__(self) -> None:
        for name in ("preview_every", "held_out_every", "checkpoint_every", "log_every", "stop_at"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainingError(f"--{name.replace('_', '-')} counts steps and must be at least 1, got {value}")
        if self.workers is not None and self.workers < 0:
            raise TrainingError(f"--workers must be 0 (read photos inline) or more, got {self.workers}")
        if self.track and not importlib.util.find_spec(self.track):
            raise TrainingError(f"--track {self.track} needs a package that is not installed: pip install {self.track}")


@dataclass(frozen=True)
class Run:
    """One training. Row i of its generators is that of painting i; after them comes that of the identity, if there is one."""

    config: TrainConfig
    paintings: list[Painting]
    content: str | Path  # the photos: what training.data.archives.photo_folder takes
    out: Path
    norms: tuple[str, ...] = ("instance", "batch")
    options: RunOptions = field(default_factory=RunOptions)
    start: tuple[Style, ...] = ()  # the styles it begins from: none, one, or one for each painting

    @property
    def folder(self) -> Path:
        """Where it keeps what it tells while it goes on (see running/report.py)."""
        return self.out / "run"

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.folder / "checkpoints"

    @property
    def log_file(self) -> Path:
        """Its loss log."""
        return self.folder / "log.jsonl"

    @property
    def slugs(self) -> list[str]:
        """The slug of each row."""
        return [painting.slug for painting in self.paintings] + ([IDENTITY] if self.config.identity_weight else [])

    @property
    def identity_row(self) -> int | None:
        """The row that gives the photo back, if it is trained."""
        return len(self.paintings) if self.config.identity_weight else None

    def style_folder(self, painting: Painting) -> Path:
        """Where the style of that painting goes."""
        return self.out if len(self.slugs) == 1 else self.out / painting.slug

    def base(self, row: int) -> Style:
        """The style that a row began from."""
        return self.start[row if len(self.start) > 1 else 0]

    @cached_property
    def started_from(self) -> list[dict]:
        """What a record tells of each style it began from; of both halves of a pair, which are trained apart, the same."""
        return describe_start(self.start)

    def identification(self, photos: PhotoFolder) -> dict:
        """What checkpoints keep to tell it from other runs."""
        start = [{norm: record["sha256"][norm] for norm in self.norms} for record in self.started_from]
        return {"recipe": asdict(self.config), "norms": list(self.norms), **fingerprint(self.paintings, photos), "start": start}

    def recipe(self, paintings: list[Painting], photos: PhotoFolder, device: torch.device) -> dict:
        """What recipe.yaml holds: the recipe and what it is applied to, as they concern some of the paintings."""
        began = self.started_from
        if len(paintings) == 1 and len(began) > 1:
            began = [began[self.paintings.index(paintings[0])]]
        return recipe_record(self.config, paintings, photos, self.paintings, began, dataset_of(self.content), device)
