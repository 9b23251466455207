"""The loss network: VGG16 (Simonyan and Zisserman 2015) up to relu4_3, frozen, normalisation inside."""

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from zoo.device import is_out_of_memory
from zoo.errors import TrainingError, WeightsError

BUNDLED = Path(__file__).parents[1] / "weights" / "vgg16_conv1_1_to_conv4_3_fp16.safetensors"
MEAN = (0.48235, 0.45882, 0.40784)  # of torchvision's VGG16_Weights.IMAGENET1K_FEATURES, whose std is 1/255
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3))
COLOURS = "colours"  # no layer, but asked for as one: what a picture's lights and darks are, whatever its strokes
SPREAD = 0.2  # of pixels in [0, 1], in a painting: so that their mean weighs about as much as their covariance
LAYERS = (COLOURS, *(f"relu{b}_{i}" for b, (_, n) in enumerate(_BLOCKS, 1) for i in range(1, n + 1)))


class VGG16(nn.Module):
    """Features of pictures. In: B×3×H×W RGB in [0, 1]; inside, the caffe scale: 0-255 minus the mean.

    Parameter names are those of `torchvision.models.vgg16()`, so its weights load as they are. `origin` says which these are.
    """

    mean: torch.Tensor

    def __init__(self):
        super().__init__()
        self.origin = "random"
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
        """Activations, float32, of those named of LAYERS; nothing deeper than the deepest is computed."""
        wanted = {self.indices[name]: name for name in layers if name != COLOURS}
        centred, dtype = x - self.mean, self.dtype
        found = {COLOURS: with_constant(centred)} if COLOURS in layers else {}
        if not wanted:
            return found
        x = centred * 255
        scaled = dtype == torch.float16 and x.requires_grad
        maps = ScaledGradients.apply(x, self.activations, wanted) if scaled else self.activations(x.to(dtype), wanted)
        return found | {name: features.float() for name, features in zip(wanted.values(), maps, strict=True)}

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return next(self.parameters()).dtype

    def activations(self, x: torch.Tensor, wanted: dict[int, str]) -> tuple[torch.Tensor, ...]:
        """The wanted layers' outputs, in their order and the weights' precision, of pictures in the caffe scale."""
        found = {}
        for index, layer in enumerate(self.features[: max(wanted) + 1]):
            x = layer(x)
            if index in wanted:
                found[index] = x
        return tuple(found[index] for index in wanted)


class ScaledGradients(torch.autograd.Function):
    """Float16 activations whose gradients reach the pictures whatever the unit of the loss.

    A loss is a mean over millions of values, and its gradient at one of them, some 1e-9 of a relative loss, is 0 in float16.
    So the gradients of all layers are multiplied by one number, by which the largest becomes LARGEST, and that of the pictures
    is divided by it again. Found anew at each step, on the device, it follows any loss, and is no state to be kept.
    """

    LARGEST = 4.0  # float16 ends at 65504, and gradients grow on their way down: 25 to 150 times on photos

    @staticmethod
    def forward(ctx, x: torch.Tensor, activations: Callable, wanted: dict[int, str]) -> tuple[torch.Tensor, ...]:
        """The activations of B×C×H×W `x` at the `wanted` layers, computed in float16, as float32."""
        ctx.x = x.detach().half().requires_grad_()
        with torch.enable_grad():
            ctx.found = activations(ctx.x, wanted)
        return tuple(features.detach().float() for features in ctx.found)  # whose gradients are float32, too

    @staticmethod
    def backward(ctx, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """The gradient at `x`, of its shape, from those at the activations; None for what is no tensor."""
        largest = torch.stack([gradient.abs().amax() for gradient in gradients]).amax()
        scale = ScaledGradients.LARGEST / largest.clamp(min=1e-30)
        halves = [(gradient * scale).half() for gradient in gradients]
        (gradient,) = torch.autograd.grad(ctx.found, ctx.x, halves)
        return gradient.float() / scale, None, None


def with_constant(centred: torch.Tensor) -> torch.Tensor:
    """B×4×H×W: B×3×H×W pixels, MEAN taken off, beside a constant: their Gram matrix is mean and covariance in one."""
    return torch.cat([centred, torch.full_like(centred[:, :1], SPREAD)], dim=1)


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
        if is_out_of_memory(error):  # but for this one, which says nothing of the file
            raise WeightsError(f"there is not enough memory to read VGG16 weights {weights!s}: free some") from error
        raise WeightsError(f"cannot read VGG16 weights {weights!s}: {error}") from error
    wanted = vgg.state_dict()
    missing = [k for k, v in wanted.items() if k not in state or state[k].shape != v.shape]
    if missing:
        raise WeightsError(f"{weights!s} is not a VGG16 weights file: {missing[0]} is missing or of another shape")
    vgg.load_state_dict({key: state[key].float() for key in wanted})
    vgg.origin = str(weights)
    return vgg.to(dtype).to(memory_format=torch.channels_last)


def in_precision(vgg: VGG16, dtype: torch.dtype) -> VGG16:
    """The same network computing in `dtype`: itself where it does, else a copy."""
    return vgg if vgg.dtype == dtype else copy.deepcopy(vgg).to(dtype=dtype)
