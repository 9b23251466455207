"""The perceptual objective (Gatys et al. 2016, Johnson et al. 2016): content, style and total-variation losses; and that of
the identity row, which gives the photo back.

Perceptual losses live in the caffe scale (RGB 0-255), in which content : style = 1 : 5 is a good start. Features: B×C×H×W.
"""

import torch
from torch import nn

from training.objective.vgg import VGG16, check_layers


def gram(features: torch.Tensor) -> torch.Tensor:
    """Gram matrices, B×C×C, of B×C×H×W features: inner products of the channels over C·H·W."""
    b, c, h, w = features.shape
    pixels = features.permute(0, 2, 3, 1)  # as they lie in memory
    parts = h if features.is_cuda else 1  # whose products are of few channels and many pixels, else left to a few of its cores
    pixels = pixels.reshape(b * parts, h * w // parts, c)
    return (pixels.mT @ pixels).view(b, parts, c, c).sum(dim=1) / (c * h * w)


class ContentLoss(nn.Module):
    """Mean squared difference of the output's features from the photo's; one value a picture (B)."""

    def forward(self, features: torch.Tensor, photo_features: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features, of the output and of the photo; losses of shape B, >= 0."""
        return (features - photo_features).square().mean(dim=(1, 2, 3))


class StyleLoss(nn.Module):
    """Mean squared difference of the output's Gram matrix from the painting's; one value a picture (B).

    `pooled` compares the mean Gram matrix of the batch (the same value for each picture of it): no crop has to hold the whole
    palette then, so that dark places of a photo may stay dark and flat ones flat.
    """

    target: torch.Tensor

    def __init__(self, painting_features: torch.Tensor, pooled: bool = False):
        super().__init__()
        self.register_buffer("target", gram(painting_features), persistent=False)
        self.pooled = pooled

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features; losses of shape B, >= 0."""
        found = gram(features)
        if self.pooled:
            found = found.mean(dim=0, keepdim=True).expand_as(found)
        return (found - self.target).square().mean(dim=(1, 2))


class TVLoss(nn.Module):
    """Sum of squared differences of neighbouring pixels, RGB scaled to 0-255; one value a picture (B).

    A sum, as in Johnson et al.'s code, so that its customary weight of 1e-6 means what it means there.
    """

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """B×3×H×W pictures in [0, 1]; losses of shape B, >= 0."""
        down, right = pictures.diff(dim=2), pictures.diff(dim=3)
        return 255**2 * (down.square().sum(dim=(1, 2, 3)) + right.square().sum(dim=(1, 2, 3)))


class Objective(nn.Module):
    """content_weight·content + style_weight·style + tv_weight·TV against one painting.

    `content_layers` and `style_layers` map VGG layer names to weights within their own sum; `painting` is 1×3×H×W in
    [0, 1], whose Gram matrices are computed once, here. `balance` says what the losses are measured in:

    absolute  the caffe scale, as in Johnson et al. 2016. Layers and paintings differ by orders of magnitude: a weight
              that suits one painting drowns the photo in another.
    relative  fractions: the content error over the energy (mean square) of the photo's features, each layer's style error
              over the energy of the painting's Gram matrix, averaged by the layers' weights, TV as a mean in [0, 1]. One
              weight then suits paintings and photos of any contrast. Of the ways to balance, this one costs nothing and
              needs no state, unlike scaling by gradient norms (GradNorm, Chen et al. 2018) or by running losses, which
              would also make two twins train on different objectives.

    `pooled` is that of StyleLoss. Raises TrainingError for a layer that VGG16 does not have.
    """

    def __init__(
        self,
        vgg: VGG16,
        painting: torch.Tensor,
        content_layers: dict[str, float],
        style_layers: dict[str, float],
        weights: tuple[float, float, float] = (1.0, 5.0, 0.0),
        balance: str = "absolute",
        pooled: bool = False,
    ):
        super().__init__()
        check_layers([*content_layers, *style_layers])
        self.vgg, self.content_layers, self.weights, self.relative = vgg, content_layers, weights, balance == "relative"
        self.layers = tuple({**content_layers, **style_layers})
        self.content, self.tv = ContentLoss(), TVLoss()
        with torch.no_grad():
            found = vgg(painting, tuple(style_layers))
        style = {name: StyleLoss(found[name], pooled) for name in style_layers}
        self.style = nn.ModuleDict(style)
        self.style_layers = dict(style_layers)
        if self.relative:
            total = sum(style_layers.values())
            energy = {name: style[name].target.square().mean().item() for name in style_layers}
            self.style_layers = {name: weight / total / energy[name] for name, weight in style_layers.items()}

    @torch.no_grad()
    def photo_features(self, photos: torch.Tensor, seed: int = 0) -> dict[str, torch.Tensor]:
        """What `forward` compares content with; computed once for all twins that see the same photos."""
        return self.vgg(photos, tuple(self.content_layers)) if self.content_layers else {}

    def forward(self, pictures: torch.Tensor, photo_features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Losses of B×3×H×W `pictures` in [0, 1]: content, style, tv (unweighted) and total, each of shape B."""
        return self.compare(self.vgg(pictures, self.layers), pictures, photo_features)

    def compare(
        self, found: dict[str, torch.Tensor], pictures: torch.Tensor, photo_features: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """The losses of pictures whose features at `layers` have been found."""
        none = pictures.new_zeros(len(pictures))
        content = sum((w * self._content(found[k], photo_features[k]) for k, w in self.content_layers.items()), none)
        style = sum(w * self.style[name](found[name]) for name, w in self.style_layers.items())
        tv = self.tv(pictures) / (255**2 * pictures[0].numel() if self.relative else 1)
        total = sum(w * loss for w, loss in zip(self.weights, (content, style, tv), strict=True))
        return {"content": content, "style": style, "tv": tv, "total": total}

    def _content(self, features: torch.Tensor, photo_features: torch.Tensor) -> torch.Tensor:
        error = self.content(features, photo_features)
        return error / photo_features.square().mean(dim=(1, 2, 3)) if self.relative else error


class IdentityObjective(nn.Module):
    """weight · squared error of the pixels over the photo's variance: how far a picture is from the photo itself.

    Trains the identity row of a conditional generator: blended with it, a style loses strength.
    """

    def __init__(self, weight: float):
        super().__init__()
        self.weight = weight

    def photo_features(self, photos: torch.Tensor, seed: int = 0) -> dict[str, torch.Tensor]:
        """What `forward` compares with: the B×3×H×W photos themselves."""
        return {"photo": photos}

    def forward(self, pictures: torch.Tensor, photo_features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Losses under the names of `Objective`, each of shape B: the error is the content's, the others are 0."""
        photos = photo_features["photo"]
        variance = photos.flatten(1).var(dim=1).clamp(min=1e-3)  # a photo may be flat
        error = (pictures - photos).square().mean(dim=(1, 2, 3)) / variance
        none = torch.zeros_like(error)
        return {"content": error, "style": none, "tv": none, "total": self.weight * error}
