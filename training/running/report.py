"""What a run tells while it goes on, in a folder a person can read.

OUT/run/recipe.yaml   the resolved recipe
OUT/run/log.jsonl     losses, one JSON line every few steps; held-out objectives in between
OUT/run/curves.png    both, drawn anew at every preview
OUT/run/previews/     step_000000.jpg ...: fixed photos as each norm paints them, from before the first step on
OUT/run/checkpoints/
"""

import json
import os
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from accelerate import Accelerator
from PIL import Image

from training.data.crops import PhotoFolder
from training.data.paintings import Painting
from training.drawing.curves import loss_curves
from training.drawing.sheet import contact_sheet
from training.drawing.style_pictures import PREVIEW_SIZE, preview_photos
from training.measure.held_out import (
    PHOTO_SIZE,
    Painter,
    held_out_objective,
    measure,
    psnr,
    square_batches,
    untouched,
    whole_photos,
    with_batch_statistics,
)
from training.objective.vgg import VGG16
from training.records import check_other_half, write_recipe
from training.running.run import IDENTITY, Run
from training.running.twins import Twin
from zoo.conditional import choose
from zoo.device import is_out_of_memory
from zoo.errors import PhotoError, TrainingError
from zoo.images import fit_short_side, list_photos, open_photo, to_image, to_tensor
from zoo.records import read_log


class RunReport:
    """Everything that a run writes while it goes on, apart from checkpoints. Quiet on all but the main process.

    `vgg` is the loss network, in float32, that it measures with.
    """

    def __init__(self, run: Run, photos: PhotoFolder, accelerator: Accelerator, vgg: VGG16):
        self.run, self.photos, self.accelerator, self.vgg = run, photos, accelerator, vgg
        self.active = accelerator.is_main_process
        self.stopped_after: int | None = None  # the step whose weights are exported, where that is not the last
        self._objectives: dict = {}

    def begin(self, first: int, twins: list[Twin]) -> None:
        """Write the recipe, drop log lines past `first` (they will be made again), preview a fresh start, measure what was kept
        but not yet measured.

        Raises TrainingError when a folder holds the twin of another training, or cannot be written; PhotoError for photos that
        cannot be read, as whoever named them should know at once.
        """
        if not self.active:
            return
        run = self.run
        for painting in run.paintings:
            record = run.recipe([painting], self.photos, self.accelerator.device)
            check_other_half(run.style_folder(painting), record, run.norms)
        try:
            (run.folder / "previews").mkdir(parents=True, exist_ok=True)
            self.write_recipe(run.folder / "recipe.yaml", run.paintings)
            still_true = [record for record in read_log(run.log_file) if first and record["step"] <= first]
            partial = run.log_file.with_suffix(".part")
            partial.write_text("".join(json.dumps(record) + "\n" for record in still_true), encoding="utf-8")
            os.replace(partial, run.log_file)
        except OSError as error:
            raise TrainingError(f"cannot write the run folder {run.folder}: {error}") from error
        if first == 0:
            self.preview(0, twins)
        if self.measures(first):
            measured = (
                record for record in still_true if record["step"] == first and ("held_out" in record or "psnr" in record)
            )
            self.held_out(first, twins, {str(record.get("style")) for record in measured}, self.accelerator.print)

    def write_recipe(self, path: Path, paintings: list[Painting]) -> None:
        """recipe.yaml as it concerns some of the paintings."""
        record = self.run.recipe(paintings, self.photos, self.accelerator.device)
        stopped = {"stopped_after": self.stopped_after} if self.stopped_after else {}
        write_recipe(path, {**record, **stopped}, self.run.norms)

    def log(self, step: int, losses: dict, **more: object) -> None:
        """Add one line to the loss log."""
        if self.active:
            with open(self.run.log_file, "a", encoding="utf-8") as log:
                log.write(json.dumps({"step": step, **losses, **more}) + "\n")
            values = {key: value for key, value in {**losses, **more}.items() if key != "style"}
            self.accelerator.log(flatten(values, losses["style"]), step=step)

    def measures(self, step: int) -> bool:
        """Whether the weights after that step are measured on held-out photos, if there are any."""
        return step % self.run.options.held_out_every == 0 or step == self.run.config.steps

    def after_step(self, step: int, last: int, twins: list[Twin], say: Callable[[str], None] = print) -> None:
        """Preview and measure when it is time to, or `say` which photos could not be read for it."""
        if not self.active:
            return
        if self.measures(step):
            with or_left_out(f"step {step}: not measured on held-out photos", say):
                self.held_out(step, twins, say=say)
        if step % self.run.options.preview_every == 0 or step == last:
            with or_left_out(f"step {step}: no preview", say):
                self.preview(step, twins)
            loss_curves(self.run.log_file, self.run.folder / "curves.png")

    @contextmanager
    def generators(self, twins: list[Twin], row: int) -> Iterator[dict[str, torch.nn.Module]]:
        """Inside, what each twin paints with now, by norm, batch norm first, in eval mode and set to that row."""
        bare = {twin.norm: choose(twin.painter, row).eval() for twin in twins}
        try:
            yield dict(sorted(bare.items()))
        finally:
            for generator in bare.values():
                generator.train()

    def paint(self, twins: list[Twin], row: int, photo: Image.Image) -> dict[str, Image.Image]:
        """The photo as each twin paints it now, in eval mode, batch norm first."""
        x = to_tensor(photo, self.accelerator.device)
        with torch.no_grad(), self.generators(twins, row) as generators:
            return {norm: to_image(generator(x)) for norm, generator in generators.items()}

    def preview_photos(self) -> list[Image.Image]:
        """The fixed photos that previews show."""
        return preview_photos(self.run.options.preview, self.photos.photos)

    def style_sheet(self, twins: list[Twin], row: int, title: str) -> Image.Image:
        """One style on the preview photos: a row a photo, the photo and then each norm."""
        rows = [[photo, *self.paint(twins, row, photo).values()] for photo in self.preview_photos()]
        return contact_sheet(rows, ["photo", *(f"{norm} norm" for norm in sorted(self.run.norms))], title)

    def preview(self, step: int, twins: list[Twin]) -> None:
        """Save run/previews/step_NNNNNN.jpg: a row a photo for one style; for several, a row a style on two photos."""
        title = f"step {step}"
        if len(self.run.slugs) == 1:
            sheet = self.style_sheet(twins, 0, title)
        else:
            shown, photos = [], self.preview_photos()[:2]
            for row, painting in enumerate(self.run.paintings):
                original = fit_short_side(open_photo(painting.file), PREVIEW_SIZE)
                shown.append([original, *(p for photo in photos for p in self.paint(twins, row, photo).values())])
            if self.run.identity_row is not None:
                painted = (p for photo in photos for p in self.paint(twins, self.run.identity_row, photo).values())
                shown.append([photos[0], *painted])
            captions = ["painting", *(f"{norm} norm" for _ in photos for norm in sorted(self.run.norms))]
            sheet = contact_sheet(shown, captions, title)
        sheet.save(self.run.folder / "previews" / f"step_{step:06d}.jpg", quality=85)

    def held_out(
        self, step: int, twins: list[Twin], done: Container[str] = (), say: Callable[[str], None] = lambda line: None
    ) -> None:
        """Log the held-out objective on square crops: eval mode, and batch norm with the statistics of its batch. Of the slugs
        that are `done` it is known already. `say` hears that it is measured, which may take minutes."""
        held_out = self.run.options.held_out
        if held_out is None:
            return
        rows = {row: painting for row, painting in enumerate(self.run.paintings) if painting.slug not in done}
        if rows:
            say(f"step {step}: measuring on {len(list_photos(held_out))} held-out photos ...")
        if rows and not self._objectives:
            self._objectives = {p.slug: held_out_objective(self.vgg, open_photo(p.file)) for p in self.run.paintings}
        for row, painting in rows.items():
            batches = square_batches(list_photos(held_out), PHOTO_SIZE)
            with self.generators(twins, row) as generators:
                painters: dict[str, Painter] = {"photo": untouched, **generators}
                if "batch" in generators:
                    painters["batch, batch statistics"] = with_batch_statistics(generators["batch"])
                found = measure(self._objectives[painting.slug], painters, batches)
            self.log(step, {"style": painting.slug}, held_out=found)
        if (identity := self.run.identity_row) is not None and IDENTITY not in done:
            self.log(step, {"style": IDENTITY}, psnr=self.psnr(twins, identity, held_out))

    def psnr(self, twins: list[Twin], row: int, held_out: Path) -> dict[str, dict[str, float]]:
        """How well the identity row gives held-out photos back, by norm, see `training.measure.held_out.psnr`."""
        photos = list_photos(held_out)
        with self.generators(twins, row) as generators:
            return {norm: psnr(generator, whole_photos(photos, PHOTO_SIZE)) for norm, generator in generators.items()}


@contextmanager
def or_left_out(what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Inside, photos that cannot be read end what is done, with a word to `say`, but no training, which does without."""
    try:
        yield
    except PhotoError as error:
        if is_out_of_memory(error.__cause__):  # which will not come back as a disk does
            raise
        say(f"{what}: {error}")


def flatten(values: dict, name: str) -> dict[str, float]:
    """Nested figures as trackers want them: {"instance": {"style": 1.0}} gives {"name/instance/style": 1.0}."""
    flat: dict = {}
    for key, value in values.items():
        flat.update(flatten(value, f"{name}/{key}") if isinstance(value, dict) else {f"{name}/{key}": value})
    return flat
