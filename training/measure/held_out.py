"""The held-out objective: one definition for metrics, cards and curves, whatever a recipe trained with.

VGG16 in the caffe scale; content = mean squared error at relu3_3, style = sum over relu1_2, 2_2, 3_3, 4_3 of the mean
squared error of Gram/(C·H·W) matrices, objective = content + 5·style, no total variation; the painting at short side
256, photos at short side 256 or as said, Lanczos; mean over photos; batch norm in eval mode unless said otherwise.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from PIL import Image, ImageOps
from torch import nn

from training.data.crops import PhotoFolder
from training.objective.losses import Objective
from training.objective.vgg import VGG16
from zoo import frozen
from zoo.errors import TrainingError
from zoo.images import fit_short_side, open_photo, to_tensor

CONTENT_LAYERS = {"relu3_3": 1.0}
STYLE_LAYERS = {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0}
WEIGHTS = (1.0, 5.0, 0.0)  # content, style, total variation
PAINTING_SIZE = 256  # px, short side
PHOTO_SIZE = 256  # px, short side of the photos unless said otherwise
MOST_PHOTOS = 500  # that are measured on; more would change no figure, and a record of more than 512 KiB is not read

FROZEN, FROZEN_ON = "instance, frozen statistics", 200  # name of a painter; training crops its averages are taken on

Painter = Callable[[torch.Tensor], torch.Tensor]
G = TypeVar("G", bound=nn.Module)


@contextmanager
def true_float32() -> Iterator[None]:
    """Inside, float32 is float32 on an NVIDIA GPU, too, where convolutions otherwise round to TF32, with 10 bits behind the
    point. What is measured and kept is computed so; what is painted, and how fast, is not measured so.
    """
    backends: tuple[Any, Any] = torch.backends.cudnn, torch.backends.cuda.matmul  # modules whose types do not tell
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = False
        yield
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed


@true_float32()
def held_out_objective(vgg: VGG16, painting: Image.Image) -> Objective:
    """The objective defined above for one painting (any size; it is measured at short side 256)."""
    device = vgg.mean.device
    tensor = to_tensor(fit_short_side(painting, PAINTING_SIZE), device)
    return Objective(vgg, tensor, CONTENT_LAYERS, STYLE_LAYERS, WEIGHTS).to(device)


@torch.no_grad()
@true_float32()
def measure(objective: Objective, painters: Mapping[str, Painter], batches: Iterable[torch.Tensor]) -> dict[str, dict]:
    """Mean content, style and objective of each painter's output over batches of B×3×H×W photos in [0, 1].

    `painters` are generators by name; the identity stands for the untouched photo.
    """
    sums = {name: dict.fromkeys(("content", "style", "objective"), 0.0) for name in painters}
    count = 0
    for photos in batches:
        photos = photos.to(objective.vgg.mean.device)
        found = objective.vgg(photos, objective.layers)
        for name, painter in painters.items():
            same = painter is untouched  # whose features are known
            losses = objective.compare(found, photos, found) if same else objective(painter(photos), found)
            for key, loss in zip(("content", "style", "objective"), ("content", "style", "total"), strict=True):
                sums[name][key] += losses[loss].sum().item()
        count += len(photos)
    return {name: {key: value / count for key, value in losses.items()} for name, losses in sums.items()}


@torch.no_grad()
@true_float32()
def psnr(generator: nn.Module, photos: Iterable[torch.Tensor]) -> dict[str, float]:
    """Mean peak signal-to-noise ratio in dB between photos (each 1×3×H×W in [0, 1]) and what the generator makes of them.

    "as_is", and "matched": with each colour channel brought to the photo's mean and deviation first, which instance norm
    cannot know, as it takes them off every channel of its first layer.
    """
    found: dict = {"as_is": [], "matched": []}
    for photo in photos:
        picture = generator(photo.to(next(generator.parameters()).device)).cpu()
        deviation, mean = torch.std_mean(picture, dim=(2, 3), keepdim=True)
        photo_deviation, photo_mean = torch.std_mean(photo, dim=(2, 3), keepdim=True)
        matched = (picture - mean) / deviation.clamp(min=1e-6) * photo_deviation + photo_mean
        for name, version in (("as_is", picture), ("matched", matched.clamp(0, 1))):
            found[name].append(-10 * (version - photo).square().mean().clamp(min=1e-12).log10().item())
    return {name: sum(values) / len(values) for name, values in found.items()}


def check_number(photos: list[Path]) -> None:
    """Raise TrainingError for more photos than MOST_PHOTOS."""
    if len(photos) > MOST_PHOTOS:
        most = f"held-out photos are {MOST_PHOTOS} at most, which metrics.json names one by one"
        raise TrainingError(f"{most}, got {len(photos):,}: give a part of them")


def whole_photos(photos: list[Path], size: int) -> Iterator[torch.Tensor]:
    """Each photo by itself, short side `size` px: 1×3×H×W."""
    for path in photos:
        yield to_tensor(fit_short_side(open_photo(path), size))


def square_batches(photos: list[Path], size: int, batch_size: int = 4) -> Iterator[torch.Tensor]:
    """Centre crops of size×size px in batches of `batch_size`, so that batch norm can use the batch's statistics.

    The last batch is filled up from the start of the list when it is short; of fewer photos there is one batch, of them all.
    Raises TrainingError for more than MOST_PHOTOS.
    """
    check_number(photos)
    crops = [ImageOps.fit(open_photo(path), (size, size), Image.Resampling.LANCZOS) for path in photos]
    batch_size = min(batch_size, len(crops))
    for first in range(0, len(crops), batch_size):
        chosen = [crops[i % len(crops)] for i in range(first, first + batch_size)]
        yield torch.cat([to_tensor(crop) for crop in chosen])


@contextmanager
def batch_statistics(generator: nn.Module) -> Iterator[nn.Module]:
    """Inside, batch norm uses the statistics of the batch it is given, as in training, and gathers none."""
    layers = [m for m in generator.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [(m.training, m.track_running_stats) for m in layers]
    try:
        for m in layers:
            m.training, m.track_running_stats = True, False
        yield generator
    finally:
        for m, (training, track) in zip(layers, before, strict=True):
            m.training, m.track_running_stats = training, track


def with_batch_statistics(generator: nn.Module) -> Painter:
    """The generator as a painter that normalises by the batch at hand."""

    def paint(photos: torch.Tensor) -> torch.Tensor:
        with batch_statistics(generator):
            return generator(photos)

    return paint


def training_pictures(folder: Path, count: int = FROZEN_ON) -> Iterator[torch.Tensor]:
    """`count` training crops of PHOTO_SIZE px, each 1×3×H×W, as a training with seed 0 would see them."""
    photos = PhotoFolder(folder, PHOTO_SIZE)
    return (photos[k][None] for k in range(count))


@true_float32()
def freeze_statistics(generator: G, photos: Iterable[torch.Tensor]) -> G:
    """See zoo/frozen.py; in float32 on a GPU, too."""
    return frozen.freeze_statistics(generator, photos)


def untouched(photos: torch.Tensor) -> torch.Tensor:
    """The painter that paints nothing: the photo itself."""
    return photos
