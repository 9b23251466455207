"""Training as a textbook writes it, to be measured against: one twin after the other, NCHW, torch's own layers, float32, Adam,
one size, every loss written out (Johnson et al. 2016; the loop of pytorch/examples)."""

import torch
from torch import nn

from training.config import TrainConfig
from training.objective.vgg import load_vgg
from zoo.layers import InstanceNorm
from zoo.registry import create

STYLE_LAYERS, CONTENT_LAYER = ("relu1_2", "relu2_2", "relu3_3", "relu4_3"), "relu3_3"


def gram(x: torch.Tensor) -> torch.Tensor:
    """Gram matrices, B×C×C, of B×C×H×W features over C·H·W."""
    b, c, h, w = x.shape
    return torch.bmm(x.view(b, c, h * w), x.view(b, c, h * w).transpose(1, 2)) / (c * h * w)


class Textbook:
    """The generators of both norms, `nets`, and a plain loop's step for them against a 1×3×H×W painting in [0, 1]."""

    def __init__(self, config: TrainConfig, painting: torch.Tensor, device: torch.device):
        self.vgg = load_vgg().to(device).to(memory_format=torch.contiguous_format)
        self.style_weight, self.nets, self.optimizers = config.style_weight, {}, []
        with torch.no_grad():
            self.style = {name: gram(features) for name, features in self.vgg(painting.to(device), STYLE_LAYERS).items()}
        for norm in ("instance", "batch"):
            torch.manual_seed(config.seed)
            net = create(config.generator(norm)).to(device)
            for module in list(net.modules()):
                for name, child in module.named_children():
                    if isinstance(child, InstanceNorm):
                        setattr(module, name, nn.InstanceNorm2d(len(child.weight), affine=True).to(device))
            self.nets[norm] = net
            self.optimizers.append(torch.optim.Adam(net.parameters(), lr=config.learning_rate))

    def step(self, photos: torch.Tensor) -> None:
        """One step of each twin on the same B×3×H×W photos in [0, 1]."""
        for net, optimizer in zip(self.nets.values(), self.optimizers, strict=True):
            optimizer.zero_grad()
            pictures = net(photos)
            found, wanted = self.vgg(pictures, STYLE_LAYERS), self.vgg(photos, (CONTENT_LAYER,))
            loss = nn.functional.mse_loss(found[CONTENT_LAYER], wanted[CONTENT_LAYER])
            for name in STYLE_LAYERS:
                target = self.style[name].expand(len(photos), -1, -1)
                loss = loss + self.style_weight * nn.functional.mse_loss(gram(found[name]), target)
            loss.backward()
            optimizer.step()
