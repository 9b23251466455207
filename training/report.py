"""What a run tells: recipe, loss log, previews, held-out history and curves, in a folder a person can read.

OUT/                the style folder: config.json, model.safetensors, batch/, recipe.yaml, metrics.json, images/
OUT/run/log.jsonl   losses, one JSON line every few steps; held-out objectives in between
OUT/run/previews/   step_000000.jpg ...: fixed photos, one row each: photo, then each norm
OUT/run/checkpoints/
"""

import json
import shutil
from pathlib import Path

import torch
from PIL import Image

from training import figures
from training.measure import held_out_objective, measure, square_batches, untouched, with_batch_statistics
from training.records import machine, write_metrics, write_recipe
from training.vgg import load_vgg
from zoo.catalog import PHOTO
from zoo.errors import PhotoError, TrainingError
from zoo.images import fit_long_side, fit_short_side, list_photos, open_photo, to_image, to_tensor

PREVIEW_SIZE, PREVIEW_PHOTOS, HELD_OUT_SIZE = 256, 5, 256  # px, pictures, px
PICTURE_SIZE = 640  # px, long side of the style's own pictures


class RunReport:
    """Everything `training.loop.run` writes, apart from weights and checkpoints. Quiet on all but the main process."""

    def __init__(self, out, config, norms, options, style_image, photos, painting, accelerator):
        self.out, self.folder = Path(out), Path(out) / "run"
        self.checkpoints, self.log_file = self.folder / "checkpoints", self.folder / "log.jsonl"
        self.config, self.norms, self.options, self.photos = config, norms, options, photos
        self.style_image, self.painting, self.accelerator = Path(style_image), painting, accelerator
        self.active = accelerator.is_main_process
        self._objective = None

    def start(self, first: int, twins: list) -> None:
        """Write recipe.yaml, drop log lines past `first` (they will be made again), preview a fresh start."""
        if not self.active:
            return
        try:
            (self.folder / "previews").mkdir(parents=True, exist_ok=True)
            write_recipe(self.out / "recipe.yaml", self.config, self.style_image, self.photos, self.painting)
            lines = self.log_file.read_text(encoding="utf-8").splitlines() if self.log_file.exists() else []
            kept = [line for line in lines if json.loads(line)["step"] <= first] if first else []
            self.log_file.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        except (OSError, ValueError) as error:
            raise TrainingError(f"cannot write the run folder {self.folder}: {error}") from error
        if first == 0:
            self.preview(0, twins)
            self.held_out(0, twins)

    def log(self, step: int, losses: dict, **more: object) -> None:
        """Add one line to the loss log."""
        if self.active:
            with open(self.log_file, "a", encoding="utf-8") as log:
                log.write(json.dumps({"step": step, **losses, **more}) + "\n")

    def after_step(self, step: int, last: int, twins: list) -> None:
        """Preview and measure when it is time to."""
        if not self.active:
            return
        if step % self.options.preview_every == 0 or step == last:
            self.preview(step, twins)
            figures.loss_curves(self.log_file, self.folder / "curves.png")
        if step % self.options.held_out_every == 0 or step == self.config.steps:
            self.held_out(step, twins)

    def generators(self, twins: list) -> dict[str, torch.nn.Module]:
        """The bare generators, put into eval mode."""
        return {twin.norm: self.accelerator.unwrap_model(twin.generator).eval() for twin in twins}

    def preview_photos(self) -> list[Path]:
        """The fixed photos that previews show."""
        folder = self.options.preview
        return [PHOTO, *(list_photos(folder) if folder else self.photos.photos)[: PREVIEW_PHOTOS - 1]]

    def paint(self, twins: list, photo: Image.Image) -> dict[str, Image.Image]:
        """The photo as each twin paints it now, in eval mode, batch norm first."""
        painted = {}
        for norm, generator in sorted(self.generators(twins).items()):
            with torch.no_grad():
                painted[norm] = to_image(generator(to_tensor(photo).to(self.accelerator.device)))
            generator.train()
        return painted

    def preview(self, step: int, twins: list) -> None:
        """Save run/previews/step_NNNNNN.jpg: one row a photo: the photo, then what each twin makes of it."""
        rows, captions = [], ["photo"]
        for path in self.preview_photos():
            try:
                photo = fit_short_side(open_photo(path), PREVIEW_SIZE)
            except PhotoError:
                continue
            painted = self.paint(twins, photo)
            rows.append([photo, *painted.values()])
            captions = ["photo", *(f"{norm} norm" for norm in painted)]
        path = self.folder / "previews" / f"step_{step:06d}.jpg"
        figures.contact_sheet(rows, captions, title=f"step {step}").save(path, quality=85)

    def held_out(self, step: int, twins: list) -> None:
        """Log the held-out objective on square crops: eval mode, and batch norm with the statistics of its batch."""
        if self.options.held_out is None:
            return
        if self._objective is None:
            vgg = load_vgg(self.options.vgg_weights).to(self.accelerator.device)
            self._objective = held_out_objective(vgg, open_photo(self.style_image))
        generators = self.generators(twins)
        painters = {"photo": untouched, **generators}
        if "batch" in generators:
            painters["batch, batch statistics"] = with_batch_statistics(generators["batch"])
        batches = square_batches(list_photos(self.options.held_out), HELD_OUT_SIZE)
        found = measure(self._objective, painters, batches)
        for generator in generators.values():
            generator.train()
        self.log(step, {}, held_out=found)

    def finish(self, twins: list) -> None:
        """Fill images/ of the style folder: the zoo's photo in both norms, previews, curves; and metrics.json's history."""
        if not self.active:
            return
        images = self.out / "images"
        images.mkdir(parents=True, exist_ok=True)
        figures.loss_curves(self.log_file, images / "curves.png")
        shutil.copyfile(self.folder / "previews" / f"step_{self.config.steps:06d}.jpg", images / "preview.jpg")
        photo = fit_long_side(open_photo(PHOTO), PICTURE_SIZE)
        for name, picture in {"photo": photo, **self.paint(twins, photo)}.items():
            picture.save(images / f"{name}.jpg", quality=88)
        if self.options.show_painting:
            painting = images / "painting.jpg"
            if self.style_image.suffix.lower() in (".jpg", ".jpeg"):
                shutil.copyfile(self.style_image, painting)  # the very file that was trained on
            else:
                open_photo(self.style_image).save(painting, quality=95)
        records = [json.loads(line) for line in self.log_file.read_text(encoding="utf-8").splitlines()]
        history = [{"step": r["step"], **r["held_out"]} for r in records if "held_out" in r]
        if history:
            note = f"centre crops of {HELD_OUT_SIZE} px in batches of 4; batch norm in eval mode unless named"
            write_metrics(self.out, {"history": {"note": note, "machine": machine(), "steps": history}})
        if bad := self.photos.unreadable:
            self.accelerator.print(f"{len(bad)} unreadable files were skipped, first {bad[0].name}")
