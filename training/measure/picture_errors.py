"""How near a stylized picture is to its photo and to its painting, at several sizes: two figures, for any picture by anyone.

All pictures and the painting are brought to a short side of each of SCALES px (Lanczos). Content error: squared error of
VGG16's relu3_3, over the energy of the photo's. Style error: squared error of the Gram matrices of relu1_2, 2_2, 3_3, 4_3,
each over the energy of the painting's, in the mean. The small size sees large shapes and broad strokes, the large one fine
texture. Of two pictures the better one is lower in both means; where one figure must do, it is content + 4·style.
"""

from collections.abc import Iterable, Mapping

import torch
from PIL import Image

from training.measure.held_out import CONTENT_LAYERS, STYLE_LAYERS, Painter, true_float32, untouched
from training.objective.losses import Objective
from training.objective.vgg import VGG16
from zoo.images import fit_short_side, to_image, to_tensor

SCALES = (192, 384, 768)  # px, short side
STYLE_WEIGHT = 4.0  # of the sum of both


class PictureErrors:
    """The errors of pictures against one painting."""

    @true_float32()
    def __init__(self, vgg: VGG16, painting: Image.Image, scales: tuple[int, ...] = SCALES):
        self.device, weights = vgg.mean.device, (1.0, STYLE_WEIGHT, 0.0)
        self.objectives = {
            size: Objective(vgg, self._resized(painting, size), CONTENT_LAYERS, STYLE_LAYERS, weights, "relative")
            for size in scales
        }

    @torch.no_grad()
    @true_float32()
    def __call__(self, photo: Image.Image, pictures: Mapping[str, Image.Image]) -> dict[str, dict[str, dict[str, float]]]:
        """{picture: {"192": {"content": c, "style": s}, ..., "mean": ...}}, of pictures of that photo, in any size."""
        found: dict = {name: {} for name in pictures}
        for size, objective in self.objectives.items():
            original = self._resized(photo, size)
            features = objective.vgg(original, objective.layers)  # those of content, and all that the photo itself is judged by
            height, width = original.shape[2:]
            for name, picture in pictures.items():
                if picture is photo:
                    losses = objective.compare(features, original, features)
                else:
                    same = picture.resize((width, height), Image.Resampling.LANCZOS)
                    losses = objective(to_tensor(same, self.device), features)
                found[name][str(size)] = {key: losses[key].item() for key in ("content", "style")}
        return {name: {**errors, "mean": mean_errors(errors.values())} for name, errors in found.items()}

    def _resized(self, picture: Image.Image, size: int) -> torch.Tensor:
        return to_tensor(fit_short_side(picture, size), self.device)


def mean_errors(errors: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Mean content and mean style error."""
    listed = list(errors)
    return {key: sum(each[key] for each in listed) / len(listed) for key in ("content", "style")}


@torch.no_grad()
@true_float32()
def painters_errors(errors: PictureErrors, painters: Mapping[str, Painter], photos: Iterable[Image.Image]) -> dict:
    """Errors by painter, as those of a picture, in the mean over photos, each painted at its own size."""
    sums: dict[str, list] = {name: [] for name in painters}
    for photo in photos:
        tensor = to_tensor(photo, errors.device)
        pictures = {name: photo if painter is untouched else to_image(painter(tensor)) for name, painter in painters.items()}
        for name, found in errors(photo, pictures).items():
            sums[name].append(found)
    return {name: {size: mean_errors(each[size] for each in found) for size in found[0]} for name, found in sums.items()}
