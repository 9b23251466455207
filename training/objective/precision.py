"""What a recipe's precision means: "auto" is bfloat16 where the processor or the GPU has instructions for it, else float32."""

import torch

from zoo.device import fastest_precision

PRECISIONS = ("auto", "float32", "bfloat16")


def resolve(precision: str, device: torch.device | str) -> torch.dtype:
    """The dtype that a recipe's precision means on that device; "auto" is whichever computes a convolution faster."""
    return fastest_precision(torch.device(device).type) if precision == "auto" else getattr(torch, precision)
