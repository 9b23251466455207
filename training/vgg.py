"""The loss network: VGG16 (Simonyan and Zisserman 2015) up to relu4_3, frozen, normalisation inside."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from zoo.errors import TrainingError, WeightsError

BUNDLED = Path(__file__).parent / "weights" / "vgg16_conv1_1_to_conv4_3_fp16.safetensors"
MEAN = (0.48235, 0.45882, 0.40784)  # of torchvision's VGG16_Weights.IMAGENET1K_FEATURES, whose std is 1/255
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3))
LAYERS = tuple(f"relu{b}_{i}" for b, (_, n) in enumerate(_BLOCKS, 1) for i in range(1, n + 1))


class VGG16(nn.Module):
    """Features of pictures. In: B×3×H×W RGB in [0, 1]; inside, the caffe scale: 0-255 minus the mean.

    Parameter names are those of `torchvision.models.vgg16()`, so its weights load as they are.
    """

    def __init__(self):
        super().__init__()
        layers, self.indices, c_in = [], {}, 3
        for block, (c_out, n) in enumerate(_BLOCKS, 1):
            for i in range(1, n + 1):
                layers += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU()]
                self.indices[f"relu{block}_{i}"] = len(layers) - 1
                c_in = c_out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, x: torch.Tensor, layers: tuple[str, ...]) -> dict[str, torch.Tensor]:
        """Activations, float32, of the named layers (relu1_1 to relu4_3); nothing deeper than the deepest is computed."""
        wanted = {self.indices[name]: name for name in layers}
        x, found = (x - self.mean) * 255, {}
        x = x.to(self.features[0].weight.dtype)
        for index, layer in enumerate(self.features[: max(wanted) + 1]):
            x = layer(x)
            if index in wanted:
                found[wanted[index]] = x.float()
        return found


def check_layers(names: list[str] | tuple[str, ...]) -> None:
    """Raise TrainingError unless every name is a layer of the loss network."""
    for name in names:
        if name not in LAYERS:
            raise TrainingError(f"VGG16 has no layer {name!r}; choose from {', '.join(LAYERS)}")


def load_vgg(weights: str | Path = "bundled", dtype: torch.dtype = torch.float32) -> VGG16:
    """The loss network with ImageNet weights, computing in `dtype`.

    `weights` is "bundled" (the fp16 layers that come with the code), "torchvision" (downloads 528 MB once), or the
    path of a safetensors file with torchvision's key names. Raises WeightsError when it cannot be read or lacks a layer.
    """
    vgg = VGG16()
    try:
        if weights == "torchvision":
            import torchvision

            state = torchvision.models.VGG16_Weights.IMAGENET1K_FEATURES.get_state_dict(progress=True)
        else:
            state = load_file(BUNDLED if weights == "bundled" else weights)
    except Exception as error:  # urllib, OSError and safetensors' own: each means the same to the user
        raise WeightsError(f"cannot read VGG16 weights {weights!s}: {error}") from error
    wanted = vgg.state_dict()
    missing = [k for k, v in wanted.items() if k not in state or state[k].shape != v.shape]
    if missing:
        raise WeightsError(f"{weights!s} is not a VGG16 weights file: {missing[0]} is missing or of another shape")
    vgg.load_state_dict({key: state[key].float() for key in wanted})
    return vgg.to(dtype=dtype, memory_format=torch.channels_last)
