"""The perceptual objective at several sizes at once: one step sees fine strokes, and strokes as long as a hand."""

import random
from typing import cast

import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from training.config import TrainConfig
from training.data.paintings import Painting
from training.objective.losses import IdentityObjective, Objective
from training.objective.precision import resolve
from training.objective.vgg import VGG16, in_precision
from zoo.images import fit_short_side, to_tensor


class PyramidObjective(nn.Module):
    """The losses of `levels`, one Objective a size: of the picture whole, at half its size, at a quarter, ...

    Why: the receptive field of VGG16's relu4_3 is 92 px. Looking at the same picture at half and quarter size, it sees strokes
    two and four times as long, for a quarter and a sixteenth of the work. At full size it then suffices to look at a random
    crop of `detail` px (0: at all of it): a picture of 320 px at three sizes, the first on a crop of 160 px, costs a little
    over half of what it costs whole.

    Style is the mean over the levels, each against the painting reduced likewise; content is the mean over those that
    have content layers; total variation is that of the full size.
    """

    def __init__(self, levels: list[Objective], detail: int = 0):
        super().__init__()
        self.levels, self.detail = nn.ModuleList(levels), detail
        self.with_content = sum(bool(level.content_layers) for level in levels)
        self.weights = levels[0].weights

    def photo_features(self, photos: torch.Tensor, seed: int = 0) -> dict:
        """What `forward` compares B×3×H×W photos' pictures with, and where it looks closely: a place that `seed` decides."""
        place = random.Random(f"{seed}/detail")
        down, right = (side - min(side, self.detail or side) for side in photos.shape[2:])
        corner = place.randint(0, down), place.randint(0, right)
        views = self._views(photos, corner)
        with torch.no_grad():
            found = self._features(views, [tuple(level.content_layers) for level in self._levels])
        return {"corner": corner, "levels": found}

    def forward(self, pictures: torch.Tensor, photo_features: dict) -> dict[str, torch.Tensor]:
        """Losses of B×3×H×W `pictures` in [0, 1]: content, style, tv (unweighted) and total, each of shape B."""
        views = self._views(pictures, photo_features["corner"])
        features = self._features(views, [level.layers for level in self._levels])
        compared = zip(self._levels, features, views, photo_features["levels"], strict=True)
        found = [level.compare(seen, view, photos) for level, seen, view, photos in compared]
        losses: dict = {
            "content": sum(losses["content"] for losses in found) / self.with_content,
            "style": sum(losses["style"] for losses in found) / len(found),
            "tv": found[0]["tv"],
        }
        weighted = zip(self.weights, losses.values(), strict=True)
        return {**losses, "total": sum(weight * loss for weight, loss in weighted)}

    @property
    def _levels(self) -> list[Objective]:
        return [cast(Objective, level) for level in self.levels]

    def _views(self, pictures: torch.Tensor, corner: tuple[int, int]) -> list[torch.Tensor]:
        """What each level looks at."""
        (top, left), side = corner, self.detail or max(pictures.shape[2:])
        smaller = [F.avg_pool2d(pictures, 2**level) for level in range(1, len(self.levels))]
        return [pictures[:, :, top : top + side, left : left + side], *smaller]

    def _features(self, views: list[torch.Tensor], layers: list[tuple[str, ...]]) -> list[dict[str, torch.Tensor]]:
        """Each level's features of its view, at its `layers`. Those that look at pictures of one size are computed together."""
        found: list[dict] = [{} for _ in views]
        alike: dict[tuple, list[int]] = {}
        for i, (view, names) in enumerate(zip(views, layers, strict=True)):
            alike.setdefault((view.shape, names), []).append(i)
        for (_, names), those in alike.items():
            together = self._levels[0].vgg(torch.cat([views[i] for i in those]), names) if names else {}
            for name, features in together.items():
                for i, own in zip(those, features.chunk(len(those)), strict=True):
                    found[i][name] = own
        return found


def make_objectives(config: TrainConfig, paintings: list[Painting], vgg: VGG16) -> list:
    """The objective of each row: of each painting, all on one loss network, which is `vgg` in the recipe's precision; then of
    the identity, if the recipe wants it."""
    vgg = in_precision(vgg, resolve(config.vgg_precision, vgg.mean.device))
    objectives: list = [painting_objective(config, painting.image(), vgg) for painting in paintings]
    return objectives + ([IdentityObjective(config.identity_weight)] if config.identity_weight else [])


def painting_objective(config: TrainConfig, painting: Image.Image, vgg: VGG16) -> nn.Module:
    """What a recipe measures pictures by: at one size, or at several (training.objective.pyramid)."""
    device = vgg.mean.device
    weights, levels = (config.content_weight, config.style_weight, config.tv_weight), []
    for i in range(config.levels):
        picture = to_tensor(fit_short_side(painting, config.style_size // 2**i), device)
        content = config.content_layers if config.content_level in (-1, i) else {}
        pooled = i == 0 and config.gram == "batch"
        levels.append(Objective(vgg, picture, content, config.style_layers, weights, config.balance, pooled).to(device))
    return levels[0] if config.levels == 1 else PyramidObjective(levels, config.detail_crop)
