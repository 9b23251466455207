"""What a run tells: recipe, loss log, previews, held-out history and curves, in a folder a person can read.

    OUT/                the style folder: config.json, model.safetensors, batch/, recipe.yaml, metrics.json, images/
    OUT/run/log.jsonl   losses, one JSON line every few steps; held-out objectives in between
    OUT/run/previews/   step_000000.jpg ...: fixed photos, one row each: photo, then each norm
    OUT/run/checkpoints/
"""

import hashlib
import json
import platform
from dataclasses import asdict
from pathlib import Path

import torch
import yaml
from PIL import Image

from training import figures
from training.config import TrainConfig
from training.data import PhotoFolder
from training.measure import held_out_objective, measure, square_batches, untouched, with_batch_statistics
from training.vgg import load_vgg
from zoo.errors import PhotoError, TrainingError
from zoo.images import fit_short_side, list_photos, open_photo, to_image, to_tensor

PREVIEW_SIZE, PREVIEW_PHOTOS, HELD_OUT_SIZE = 256, 6, 256


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def machine() -> str:
    """One line on what computes here."""
    chip = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    return f"{chip}, {platform.machine()}, torch {torch.__version__}, Python {platform.python_version()}"


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
        """The bare generators, in eval mode; `training_again` undoes it."""
        return {twin.norm: self.accelerator.unwrap_model(twin.generator).eval() for twin in twins}

    def preview_photos(self) -> list[Path]:
        """The fixed photos that previews show."""
        folder = self.options.preview
        return (list_photos(folder) if folder else self.photos.photos)[:PREVIEW_PHOTOS]

    def preview(self, step: int, twins: list) -> Path:
        """Save run/previews/step_NNNNNN.jpg: one row a photo: the photo, then what each twin makes of it."""
        rows = []
        generators = self.generators(twins)
        for path in self.preview_photos():
            try:
                photo = fit_short_side(open_photo(path), PREVIEW_SIZE)
            except PhotoError:
                continue
            with torch.no_grad():
                tensor = to_tensor(photo).to(self.accelerator.device)
                rows.append([photo, *(to_image(generator(tensor)) for generator in generators.values())])
        for generator in generators.values():
            generator.train()
        path = self.folder / "previews" / f"step_{step:06d}.jpg"
        captions = ["photo", *(f"{norm} norm" for norm in generators)]
        figures.contact_sheet(rows, captions, title=f"step {step}").save(path, quality=90)
        return path

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

    def finish(self) -> None:
        """Fill images/ and the history of metrics.json of the style folder."""
        if not self.active:
            return
        images = self.out / "images"
        images.mkdir(parents=True, exist_ok=True)
        figures.loss_curves(self.log_file, images / "curves.png")
        records = [json.loads(line) for line in self.log_file.read_text(encoding="utf-8").splitlines()]
        history = [{"step": r["step"], **r["held_out"]} for r in records if "held_out" in r]
        if history:
            note = f"centre crops of {HELD_OUT_SIZE} px in batches of 4; batch norm in eval mode unless named"
            write_metrics(self.out, {"history": {"note": note, "machine": machine(), "steps": history}})
        if bad := self.photos.unreadable:
            self.accelerator.print(f"{len(bad)} unreadable files were skipped, first {bad[0].name}")


def write_recipe(path: Path, config: TrainConfig, style_image: Path, photos: PhotoFolder, painting: dict | None) -> None:
    """recipe.yaml: the resolved recipe, then the record of what it was applied to. File names only, never paths."""
    names = "\n".join(p.relative_to(p.parents[0]).name for p in photos.photos)
    record = {
        "painting": {**(painting or {}), "file": style_image.name, "sha256": sha256(style_image)},
        "photos": {"number": len(photos.photos), "names_sha256": hashlib.sha256(names.encode()).hexdigest()},
        "made_with": machine(),
    }
    text = yaml.safe_dump({**asdict(config), **record}, sort_keys=False, allow_unicode=True)
    path.write_text("# repeat: python -m training.train --pair --recipe recipe.yaml --style-image ... "
                    "--content ... --out ...\n" + text, encoding="utf-8")


def write_metrics(style: Path, update: dict) -> None:
    """Merge into metrics.json of a style folder, rounding figures to six digits."""
    path = style / "metrics.json"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for key, value in update.items():
            metrics[key] = {**metrics[key], **value} if isinstance(metrics.get(key), dict) else value
        path.write_text(json.dumps(_rounded(metrics), indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot update {path}: {error}") from error


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
