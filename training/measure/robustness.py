"""What a generator does to pictures it was not made for: faded ones, ones that end, ones moved a little; and how fast it is.

The paper's claims in figures: that stylization should not depend on a photo's contrast (section 2, figure 2), that zero
padding leaves artefacts along the border (figure 3), that one pass is real time.
"""

import time
from collections.abc import Iterable
from statistics import median

import torch
from torch import nn

from training.measure.held_out import Painter, freeze_statistics, true_float32
from training.objective.losses import Objective
from zoo.device import synchronize
from zoo.errors import TrainingError
from zoo.images import faded
from zoo.texture_net import TextureGenerator

TIMED = (256, 512)  # px: sizes at which a picture's time is taken
CONTRASTS = (1.0, 0.5, 0.25)
BORDER, MARGIN = 16, 64  # px: the frame that is looked at; what is cut off around it, to know what was to be painted
NOISE = 2.0  # levels of 255: deviation of the noise added to a photo


def rms_contrast(pictures: torch.Tensor) -> torch.Tensor:
    """Standard deviation of the luminance (Rec. 601), in levels of 255, of each of B×3×H×W pictures in [0, 1]."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=pictures.device).view(3, 1, 1)
    return 255 * (pictures * weights).sum(dim=1).flatten(1).std(dim=1, correction=0)


@torch.no_grad()
@true_float32()
def contrast_test(painter: Painter, objective: Objective, photos: Iterable[torch.Tensor]) -> dict[str, dict[str, float]]:
    """By contrast of the photo: contrast of the picture in levels, and as a share of that from the full photo; style loss.

    Means over photos, each 1×3×H×W. A painter that discards contrast has shares of 1.
    """
    found: dict[float, dict[str, list[float]]] = {c: {"contrast": [], "share": [], "style": []} for c in CONTRASTS}
    for photo in photos:
        photo = photo.to(objective.vgg.mean.device)
        features, full = objective.photo_features(photo), None
        for contrast, values in found.items():
            picture = painter(faded(photo, contrast))
            own = rms_contrast(picture).item()
            full = own if full is None else full
            values["contrast"].append(own)
            values["share"].append(own / max(full, 1e-6))
            values["style"].append(objective(picture, features)["style"].item())
    return {f"{c:g}": {key: sum(v) / len(v) for key, v in values.items()} for c, values in found.items()}


def border_energy(picture: torch.Tensor, wanted: torch.Tensor) -> tuple[float, float]:
    """Mean squared difference, in squared levels, of two 1×3×H×W pictures in the outer BORDER px, and inside of them."""
    error = (255 * (picture - wanted)).square().mean(dim=(0, 1))
    inside = error[BORDER:-BORDER, BORDER:-BORDER]
    outside = (error.sum() - inside.sum()) / (error.numel() - inside.numel())
    return outside.item(), inside.mean().item()


@torch.no_grad()
@true_float32()
def border_test(generator: nn.Module, photos: Iterable[torch.Tensor], device: torch.device) -> dict[str, float]:
    """What the end of the photo does: the picture of a photo cut by MARGIN px, against that part of the whole photo's picture.

    Root mean square differences in levels over the outer BORDER px and over the inside. Both are painted with the statistics
    (of instance norm) and the noise of the whole photo, so that nothing differs but what the paddings make up.
    """
    energies = []
    for photo in photos:
        whole, cut = photo.to(device), photo[..., MARGIN:-MARGIN, MARGIN:-MARGIN].to(device)
        fixed = freeze_statistics(generator, [whole])
        wanted = fixed(whole)[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
        found = fixed(cut, margin=MARGIN) if isinstance(fixed, TextureGenerator) else fixed(cut)
        energies.append(border_energy(found, wanted))
    border, inside = (sum(values) / len(values) for values in zip(*energies, strict=True))
    return {"border": border**0.5, "inside": inside**0.5}


@torch.no_grad()
@true_float32()
def stability_test(painter: Painter, photos: Iterable[torch.Tensor], device: torch.device) -> dict[str, float]:
    """Root mean square change of the picture, in levels, for a photo moved by 1 px and for one with noise of NOISE levels.

    The moved picture is moved back before it is compared, without its outer BORDER px; both matter for video.
    """
    shifts, noises, inside = [], [], (..., slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    for photo in photos:
        photo = photo.to(device)
        here, there = painter(photo[..., :-1, :-1]), painter(photo[..., 1:, 1:])
        shifts.append((255 * (here[..., 1:, 1:] - there[..., :-1, :-1]))[inside].square().mean().item())
        noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0)).to(device) * NOISE / 255
        noises.append((255 * (painter((photo + noise).clamp(0, 1)) - painter(photo))).square().mean().item())
    return {"shift": (sum(shifts) / len(shifts)) ** 0.5, "noise": (sum(noises) / len(noises)) ** 0.5}


@torch.inference_mode()
def seconds_a_picture(painter: Painter, size: int, device: torch.device, repeats: int = 5) -> float:
    """Median time of one pass over a size×size px photo, after one to warm up."""
    photo, times = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)).to(device), []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        painter(photo)
        synchronize(device)
        times.append(time.perf_counter() - began)
    return median(times[1:])


def measure_robustness(generator: nn.Module, objective: Objective, photos: list[torch.Tensor]) -> dict:
    """All tests of one generator on photos, each 1×3×H×W, as metrics.json keeps them; with its number of parameters.

    Raises TrainingError for photos too small to cut off a margin.
    """
    if (least := 2 * MARGIN + 8 * BORDER) > min(min(photo.shape[2:]) for photo in photos):
        raise TrainingError(f"robustness is measured on photos whose short side is {least} px or more: give --size {least}")
    device = objective.vgg.mean.device
    return {
        "contrast": contrast_test(generator, objective, photos),
        "border": border_test(generator, photos, device),
        "stability": stability_test(generator, photos, device),
        "seconds": {str(size): seconds_a_picture(generator, size, device) for size in TIMED},
        "parameters": sum(p.numel() for p in generator.parameters()),
    }
