"""Train styles: an accelerate trainer for matched instance-norm and batch-norm generators."""

from training.config import TrainConfig
from training.loop import RunOptions, run
from training.paintings import Painting

__all__ = ["Painting", "RunOptions", "TrainConfig", "run"]
