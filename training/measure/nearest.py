"""Which painting a result is nearest to, by its Gram matrices."""

from pathlib import Path

import torch
from tqdm import tqdm

from training.measure.held_out import held_out_objective, true_float32, whole_photos
from training.objective.vgg import load_vgg
from zoo.catalog import load
from zoo.device import pick_device
from zoo.images import open_photo
from zoo.style import Style


@torch.no_grad()
@true_float32()
def nearest_paintings(
    styles: list[Style],
    paintings: list[Path],
    photos: list[Path],
    size: int = 256,
    norm: str = "instance",
    device: str = "auto",
) -> dict[str, list[str]]:
    """For each style's slug, the file name of the nearest painting, photo by photo."""
    where = pick_device(device)
    vgg = load_vgg().to(where)
    objectives = {path.name: held_out_objective(vgg, open_photo(path)) for path in paintings}
    generators = {style.slug: load(style, norm).to(where) for style in styles}
    found: dict[str, list[str]] = {slug: [] for slug in generators}
    for photo in tqdm(whole_photos(photos, size), total=len(photos), unit="photo", leave=False, disable=None):
        for slug, generator in generators.items():
            features = vgg(generator(photo.to(where)), next(iter(objectives.values())).layers)
            losses = {
                name: sum(objective.style[layer](features[layer]).item() for layer in objective.style)
                for name, objective in objectives.items()
            }
            found[slug].append(min(losses, key=lambda name: losses[name]))
    return found
