"""What a run tells while it goes on, in a folder a person can read.

OUT/run/recipe.yaml   the resolved recipe
OUT/run/log.jsonl     losses, one JSON line every few steps; held-out objectives in between
OUT/run/curves.png    both, drawn anew at every preview
OUT/run/previews/     step_000000.jpg ...: fixed photos as each norm paints them, from before the first step on
OUT/run/checkpoints/
"""

import json
import os
from pathlib import Path

import torch
from PIL import Image

from training.drawing.curves import loss_curves
from training.drawing.sheet import contact_sheet
from training.drawing.style_pictures import PREVIEW_SIZE, preview_photos
from training.measure.held_out import (
    PHOTO_SIZE,
    held_out_objective,
    measure,
    psnr,
    square_batches,
    untouched,
    whole_photos,
    with_batch_statistics,
)
from training.objective.vgg import load_vgg
from training.records import check_other_half, read_log, recipe_record, write_recipe
from training.running.export import finish_identity, finish_style
from training.running.start import describe_start
from zoo.conditional import choose
from zoo.errors import TrainingError
from zoo.images import fit_short_side, list_photos, open_photo, to_image, to_tensor

IDENTITY = "identity"  # slug of the row that gives the photo back


class RunReport:
    """Everything `training.running.loop.run` writes, apart from checkpoints. Quiet on all but the main process."""

    def __init__(self, out, config, norms, options, paintings, photos, accelerator, start=(), dataset=None):
        self.out, self.folder = Path(out), Path(out) / "run"
        self.checkpoints, self.log_file = self.folder / "checkpoints", self.folder / "log.jsonl"
        self.dataset = dataset
        self.config, self.norms, self.options, self.paintings = config, norms, options, paintings
        self.photos, self.accelerator, self.active = photos, accelerator, accelerator.is_main_process
        self.start_styles, self.started_from = start, describe_start(start, norms)
        self.slugs = [painting.slug for painting in paintings] + ([IDENTITY] if config.identity_weight else [])
        self._objectives: dict = {}

    def start(self, first: int, twins: list) -> None:
        """Write the recipe, drop log lines past `first` (they will be made again), preview a fresh start.

        Raises TrainingError when a folder holds the twin of another training, or cannot be written.
        """
        if not self.active:
            return
        for painting in self.paintings:
            check_other_half(self.style_folder(painting), self.recipe([painting]), self.norms)
        try:
            (self.folder / "previews").mkdir(parents=True, exist_ok=True)
            self.write_recipe(self.folder / "recipe.yaml", self.paintings)
            kept = [record for record in read_log(self.log_file) if first and record["step"] <= first]
            partial = self.log_file.with_suffix(".part")
            partial.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
            os.replace(partial, self.log_file)
        except OSError as error:
            raise TrainingError(f"cannot write the run folder {self.folder}: {error}") from error
        if first == 0:
            self.preview(0, twins)
            self.held_out(0, twins)

    def write_recipe(self, path: Path, paintings: list) -> None:
        """recipe.yaml as it concerns some of the paintings."""
        write_recipe(path, self.recipe(paintings), self.norms)

    def recipe(self, paintings: list) -> dict:
        """The recipe, and what it is applied to, as they concern some of the paintings."""
        began = self.started_from
        if len(paintings) == 1 and len(began) > 1:
            began = [began[self.paintings.index(paintings[0])]]
        device = self.accelerator.device
        return recipe_record(self.config, paintings, self.photos, self.paintings, began, self.dataset, device)

    def style_folder(self, painting) -> Path:
        """Where the style of that painting goes."""
        return self.out if len(self.slugs) == 1 else self.out / painting.slug

    def log(self, step: int, losses: dict, **more: object) -> None:
        """Add one line to the loss log."""
        if self.active:
            with open(self.log_file, "a", encoding="utf-8") as log:
                log.write(json.dumps({"step": step, **losses, **more}) + "\n")
            values = {key: value for key, value in {**losses, **more}.items() if key != "style"}
            self.accelerator.log(flatten(values, losses["style"]), step=step)

    def after_step(self, step: int, last: int, twins: list) -> None:
        """Preview and measure when it is time to."""
        if not self.active:
            return
        if step % self.options.held_out_every == 0 or step == self.config.steps:
            self.held_out(step, twins)
        if step % self.options.preview_every == 0 or step == last:
            self.preview(step, twins)
            loss_curves(self.log_file, self.folder / "curves.png")

    @property
    def identity(self) -> int | None:
        """The row that gives the photo back, if it is trained."""
        return len(self.paintings) if IDENTITY in self.slugs else None

    def generators(self, twins: list, style: int) -> dict[str, torch.nn.Module]:
        """What each twin paints with now, by norm, batch norm first, in eval mode and set to that style."""
        bare = {twin.norm: choose(twin.painter, style).eval() for twin in twins}
        return dict(sorted(bare.items()))

    def paint(self, twins: list, style: int, photo: Image.Image) -> dict[str, Image.Image]:
        """The photo as each twin paints it now, in eval mode, batch norm first."""
        painted = {}
        for norm, generator in self.generators(twins, style).items():
            with torch.no_grad():
                painted[norm] = to_image(generator(to_tensor(photo).to(self.accelerator.device)))
            generator.train()
        return painted

    def preview_photos(self) -> list[Image.Image]:
        """The fixed photos that previews show."""
        return preview_photos(self.options.preview, self.photos.photos)

    def style_sheet(self, twins: list, style: int, title: str) -> Image.Image:
        """One style on the preview photos: a row a photo, the photo and then each norm."""
        rows = [[photo, *self.paint(twins, style, photo).values()] for photo in self.preview_photos()]
        return contact_sheet(rows, ["photo", *(f"{norm} norm" for norm in sorted(self.norms))], title)

    def preview(self, step: int, twins: list) -> None:
        """Save run/previews/step_NNNNNN.jpg: a row a photo for one style; for several, a row a style on two photos."""
        title = f"step {step}"
        if len(self.slugs) == 1:
            sheet = self.style_sheet(twins, 0, title)
        else:
            rows, photos = [], self.preview_photos()[:2]
            for style, painting in enumerate(self.paintings):
                shown = fit_short_side(open_photo(painting.file), PREVIEW_SIZE)
                rows.append([shown, *(p for photo in photos for p in self.paint(twins, style, photo).values())])
            if self.identity is not None:
                painted = (p for photo in photos for p in self.paint(twins, self.identity, photo).values())
                rows.append([photos[0], *painted])
            captions = ["painting", *(f"{norm} norm" for _ in photos for norm in sorted(self.norms))]
            sheet = contact_sheet(rows, captions, title)
        sheet.save(self.folder / "previews" / f"step_{step:06d}.jpg", quality=85)

    def held_out(self, step: int, twins: list) -> None:
        """Log the held-out objective on square crops: eval mode, and batch norm with the statistics of its batch."""
        if self.options.held_out is None:
            return
        if not self._objectives:
            vgg = load_vgg(self.options.vgg_weights).to(self.accelerator.device)
            self._objectives = {p.slug: held_out_objective(vgg, open_photo(p.file)) for p in self.paintings}
        for style, painting in enumerate(self.paintings):
            generators = self.generators(twins, style)
            painters = {"photo": untouched, **generators}
            if "batch" in generators:
                painters["batch, batch statistics"] = with_batch_statistics(generators["batch"])
            batches = square_batches(list_photos(self.options.held_out), PHOTO_SIZE)
            self.log(step, {"style": painting.slug}, held_out=measure(self._objectives[painting.slug], painters, batches))
            for generator in generators.values():
                generator.train()
        if self.identity is not None:
            self.log(step, {"style": IDENTITY}, psnr=self.psnr(twins))

    def psnr(self, twins: list) -> dict[str, dict[str, float]]:
        """How well the identity row gives held-out photos back, by norm, see `training.measure.held_out.psnr`."""
        generators, photos = self.generators(twins, self.identity), list_photos(self.options.held_out)
        found = {norm: psnr(generator, whole_photos(photos, PHOTO_SIZE)) for norm, generator in generators.items()}
        for generator in generators.values():
            generator.train()
        return found

    def finish(self, twins: list) -> None:
        """Export every style to its folder, with pictures, record and card."""
        if not self.active:
            return
        for style, painting in enumerate(self.paintings):
            finish_style(self.style_folder(painting), style, painting, twins, self)
        if self.identity is not None:
            finish_identity(self.out / IDENTITY, twins, self)
        if bad := self.photos.unreadable:
            self.accelerator.print(f"{len(bad)} unreadable files were skipped, first {bad[0].name}")


def flatten(values: dict, name: str) -> dict[str, float]:
    """Nested figures as trackers want them: {"instance": {"style": 1.0}} gives {"name/instance/style": 1.0}."""
    flat: dict = {}
    for key, value in values.items():
        flat.update(flatten(value, f"{name}/{key}") if isinstance(value, dict) else {f"{name}/{key}": value})
    return flat
