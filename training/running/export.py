"""From a finished run to style folders: weights, recipe, pictures, history, held-out metrics, card."""

import shlex
import shutil
from pathlib import Path

import torch
from PIL import Image

from training.data.paintings import Painting
from training.drawing.curves import loss_curves
from training.drawing.style_pictures import draw_pictures
from training.measure.held_out import PHOTO_SIZE
from training.measure.metrics import Task, held_out_record
from training.records import forget_measurements, machine, write_card, write_metrics
from training.running.report import RunReport
from training.running.run import IDENTITY
from training.running.start import known_as
from training.running.twins import Twin
from zoo.adapter import save_adapter
from zoo.conditional import export
from zoo.errors import printable
from zoo.folder import HASHES, list_norms, load_generator, save, twin_folder
from zoo.images import fit_long_side, open_photo, save_picture, to_tensor
from zoo.metadata import tells_nothing
from zoo.records import read_log
from zoo.style import Style, style_at

ADAPTER = "adapter"  # the folder, in that of a style of which only a part was trained, that holds this part
MAX_PAINTING = 2 * 2**20  # bytes: a larger file is shown reduced
MOST_POINTS = 300  # of a history: metrics.json is not read above 512 KiB


def export_styles(report: RunReport, twins: list[Twin], step: int) -> None:
    """Export every row of a run, as it is after that step, to its folder, with pictures, record and card."""
    report.stopped_after = step if step < report.run.config.steps else None
    for row, painting in enumerate(report.run.paintings):
        export_style(report, twins, row, painting)
    if (identity := report.run.identity_row) is not None:
        export_identity(report, twins, identity)
    if bad := report.photos.unreadable:
        report.accelerator.print(f"{len(bad)} unreadable files were skipped, first {printable(bad[0].name)}")


def export_style(report: RunReport, twins: list[Twin], row: int, painting: Painting) -> None:
    """Write everything of one style; with held-out photos measured on the weights as they were stored."""
    run, folder = report.run, report.run.style_folder(painting)
    say = report.accelerator.print
    forget_measurements(folder)
    for twin in twins:
        save(export(twin.painter, row), twin_folder(folder, twin.norm))
        if run.config.only != "all":
            base = run.base(row)
            save_adapter(export(twin.painter, row), base.folder, known_as(base), folder / ADAPTER)
            report.write_recipe(folder / ADAPTER / "recipe.yaml", [painting])
    report.write_recipe(folder / "recipe.yaml", [painting])
    if "instance" not in list_norms(folder):
        say(printable(f"{folder} has batch norm alone: a style once instance norm is trained there, too (--norm instance)"))
        return  # half a style: its folder is completed by training the other half
    say(printable(f"painting the pictures of {folder} ..."))
    _pictures(folder, painting, report)
    _history(folder, painting, report)
    write_metrics(folder, {"storage": storage_error(folder, row, twins, report.preview_photos())})
    if held_out := run.options.held_out:
        task = Task(style_at(folder), [held_out], painting.file, report.vgg, PHOTO_SIZE)
        say(f"measuring its stored weights on {len(task.photos)} held-out photos, whole ones and squares ...")
        found = held_out_record(task)
        write_metrics(folder, {"held_out": {str(task.size): found}})
    write_card(style_at(folder))
    if run.config.only != "all":
        _complete_adapter(folder)
    say(printable(_ready(style_at(folder))))


def _ready(style: Style) -> str:
    """What was made, where to look, and the command that paints with it."""
    folder = style.folder if style.folder.is_absolute() else f"./{style.folder}"  # or a bundled style's slug would come first
    name = shlex.quote(str(folder))
    how = f"stylize photo.jpg -s {name} -o painted.png" if style.takes_photo else f"texture {name} -o tile.png"
    return f"{style.folder} is ready: see {style.folder / 'images' / 'preview.jpg'}; python -m zoo {how}"


def _complete_adapter(folder: Path) -> None:
    """Give the adapter what was measured and painted of the whole style, which it makes of its base to the last bit."""
    forget_measurements(folder / ADAPTER)
    shutil.copytree(folder / "images", folder / ADAPTER / "images", dirs_exist_ok=True)
    write_metrics(folder / ADAPTER, {key: value for key, value in style_at(folder).metrics.items() if key not in HASHES})
    write_card(Style(folder.name, folder / ADAPTER, "local"))


def export_identity(report: RunReport, twins: list[Twin], row: int) -> None:
    """Write the generators that give the photo back, with their recipe and, given held-out photos, their PSNR."""
    folder = report.run.out / IDENTITY
    for twin in twins:
        save(export(twin.painter, row), twin_folder(folder, twin.norm))
    report.write_recipe(folder / "recipe.yaml", [])
    if held_out := report.run.options.held_out:
        note = f"mean over whole held-out photos at {PHOTO_SIZE} px; matched: each colour at the photo's mean and deviation"
        write_metrics(
            folder, {"psnr": {**report.psnr(twins, row, held_out), "note": note, "machine": machine(report.accelerator.device)}}
        )


def _pictures(folder: Path, painting: Painting, report: RunReport) -> None:
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    loss_curves(report.run.log_file, images / "curves.png", painting.slug)
    draw_pictures(style_at(folder), report.preview_photos(), report.run.options.device)
    if painting.show:
        show_painting(painting.file, images / "painting.jpg")


def show_painting(file: Path, to: Path) -> None:
    """The very file that was trained on, where it is small and tells nothing of who took it, and where; else its picture."""
    if file.stat().st_size < MAX_PAINTING and tells_nothing(file):
        shutil.copyfile(file, to)
    else:
        save_picture(fit_long_side(open_photo(file), 2048), to, quality=90)


def _history(folder: Path, painting: Painting, report: RunReport) -> None:
    records = [r for r in read_log(report.run.log_file) if "held_out" in r and r["style"] == painting.slug]
    history = [{"step": r["step"], **r["held_out"]} for r in records]
    if history:
        history = thinned(history)
        note = f"centre crops of {PHOTO_SIZE} px in batches of 4; batch norm in eval mode unless named"
        write_metrics(folder, {"history": {"note": note, "machine": machine(report.accelerator.device), "steps": history}})


def thinned(history: list[dict]) -> list[dict]:
    """At most MOST_POINTS of them, as far apart as each other, with the first and the last."""
    most = MOST_POINTS - 1
    return [*history[: -1 : -(-len(history) // most)], history[-1]]


@torch.no_grad()
def storage_error(folder: Path, row: int, twins: list[Twin], photos: list[Image.Image]) -> dict:
    """How far the stored generators (float16) paint from the trained ones (float32), both computed in float32.

    By norm: the share of 8-bit values of the photos that differ by at most two levels, and the largest difference.
    """
    found: dict = {}
    for twin in twins:
        trained, stored = export(twin.painter, row).cpu().eval(), load_generator(twin_folder(folder, twin.norm))
        levels = torch.cat([(255 * (trained(photo) - stored(photo))).abs().flatten() for photo in map(to_tensor, photos)])
        within = (levels <= 2).double().mean().item()
        found[twin.norm] = {"within_2_levels": within, "largest_difference": levels.max().item()}
    return found
