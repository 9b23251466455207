"""From a finished run to style folders: weights, recipe, pictures, history, held-out metrics, card."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from training.data.paintings import Painting
from training.drawing.curves import loss_curves
from training.drawing.style_pictures import draw_pictures
from training.measure.held_out import PHOTO_SIZE
from training.measure.metrics import Task, held_out_record
from training.records import forget_measurements, machine, read_log, write_card, write_metrics
from training.running.start import known_as
from zoo.adapter import save_adapter
from zoo.conditional import export
from zoo.folder import list_norms, load_generator, save, twin_folder
from zoo.images import fit_long_side, open_photo, save_picture, to_tensor
from zoo.style import Style, at

ADAPTER = "adapter"  # the folder, in that of a style of which only a part was trained, that holds this part
MAX_PAINTING = 2 * 2**20  # bytes: a larger file is shown reduced

if TYPE_CHECKING:
    from training.running.report import RunReport


def finish_style(folder: Path, style: int, painting: Painting, twins: list, report: "RunReport") -> None:
    """Write everything of one style; with held-out photos measured on the weights as they were stored."""
    forget_measurements(folder)
    for twin in twins:
        save(export(twin.painter, style), twin_folder(folder, twin.norm))
        if report.config.only != "all":
            base = report.start_styles[style if len(report.start_styles) > 1 else 0]
            save_adapter(export(twin.painter, style), base.folder, known_as(base), folder / ADAPTER)
            report.write_recipe(folder / ADAPTER / "recipe.yaml", [painting])
    report.write_recipe(folder / "recipe.yaml", [painting])
    if "instance" not in list_norms(folder):
        return  # half a style: its folder is completed by training the other half
    _pictures(folder, painting, report)
    _history(folder, painting, report)
    write_metrics(folder, {"storage": storage_error(folder, style, twins, report)})
    if held_out := report.options.held_out:
        found = held_out_record(
            Task(at(folder), [held_out], painting.file, device=report.options.device, vgg=report.options.vgg_weights)
        )
        write_metrics(folder, {"held_out": {str(PHOTO_SIZE): found}})
    write_card(at(folder))
    if report.config.only != "all":
        _complete_adapter(folder)


def _complete_adapter(folder: Path) -> None:
    """Give the adapter what was measured and painted of the whole style, which it makes of its base to the last bit."""
    forget_measurements(folder / ADAPTER)
    shutil.copytree(folder / "images", folder / ADAPTER / "images", dirs_exist_ok=True)
    write_metrics(folder / ADAPTER, {key: value for key, value in at(folder).metrics.items() if key != "weights"})
    write_card(Style(folder.name, folder / ADAPTER, "local"))


def finish_identity(folder: Path, twins: list, report: "RunReport") -> None:
    """Write the generators that give the photo back, with their recipe and, given held-out photos, their PSNR."""
    for twin in twins:
        save(export(twin.painter, report.identity), twin_folder(folder, twin.norm))
    report.write_recipe(folder / "recipe.yaml", [])
    if report.options.held_out:
        note = f"mean over whole held-out photos at {PHOTO_SIZE} px; matched: each colour at the photo's mean and deviation"
        write_metrics(folder, {"psnr": {**report.psnr(twins), "note": note, "machine": machine(report.accelerator.device)}})


def _pictures(folder: Path, painting: Painting, report: "RunReport") -> None:
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    loss_curves(report.log_file, images / "curves.png", painting.slug)
    draw_pictures(at(folder), report.preview_photos(), report.options.device)
    small = painting.file.stat().st_size < MAX_PAINTING
    if painting.show and small and painting.file.suffix.lower() in (".jpg", ".jpeg"):
        shutil.copyfile(painting.file, images / "painting.jpg")  # the very file that was trained on
    elif painting.show:
        save_picture(fit_long_side(open_photo(painting.file), 2048), images / "painting.jpg", quality=90)


def _history(folder: Path, painting: Painting, report: "RunReport") -> None:
    records = [r for r in read_log(report.log_file) if "held_out" in r and r["style"] == painting.slug]
    history = [{"step": r["step"], **r["held_out"]} for r in records]
    if history:
        note = f"centre crops of {PHOTO_SIZE} px in batches of 4; batch norm in eval mode unless named"
        write_metrics(folder, {"history": {"note": note, "machine": machine(report.accelerator.device), "steps": history}})


@torch.no_grad()
def storage_error(folder: Path, style: int, twins: list, report: "RunReport") -> dict:
    """How far the stored generators (float16) paint from the trained ones (float32), both computed in float32.

    By norm: the share of 8-bit values of the preview photos that differ by at most two levels, and the largest difference.
    """
    found: dict = {}
    for twin in twins:
        trained, stored = export(twin.painter, style).cpu().eval(), load_generator(twin_folder(folder, twin.norm))
        levels = [(255 * (trained(photo) - stored(photo))).abs().flatten() for photo in map(to_tensor, report.preview_photos())]
        levels = torch.cat(levels)
        within = (levels <= 2).double().mean().item()
        found[twin.norm] = {"within_2_levels": within, "largest_difference": levels.max().item()}
    return found
