"""What keeps a painted film calm: instance norm's statistics smoothed over frames, and noise averaged where nothing moves."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from zoo.errors import ConfigError, shorten

NOISE = 3.0  # levels of 255 by which the surroundings of a pixel differ from before, in the mean, if nothing but noise is new
REACH = 2  # pixels around a pixel that are its surroundings
CUT = 30.0  # levels by which a whole frame differs from the one before, in the mean, if it begins another scene


class Calm:
    """What is remembered of the frames of a film, in the order in which they are painted: call `look` with each, and have its
    statistics pass `smooth` (see Manner of zoo/engine/painting.py). At a cut, everything is forgotten.

    `statistics` is the share that stays of the statistics of the frames before, in an exponential moving average: 0 gives each
    frame its own, 1 all frames of a scene those of its first. `still` is the same for the pixels that do not move.
    Raises ConfigError for a share that is none.
    """

    def __init__(self, statistics: float = 0.0, still: float = 0.0):
        for flag, share in (("--calm", statistics), ("--still", still)):
            if not 0 <= share <= 1:
                raise ConfigError(f"{flag} is a share from 0 to 1, what stays of the frames before, got {shorten(share)}")
        self._statistics, self._still, self._norm = statistics, still, 0
        self.memory: dict[str, torch.Tensor] = {}  # the average photo, H×W×3 float32, and the statistics of each norm

    @property
    def is_on(self) -> bool:
        """Whether anything is remembered."""
        return bool(self._statistics or self._still)

    def look(self, photo: Image.Image) -> Image.Image:
        """The next frame, RGB; returns it as it should be painted: what does not move is the average over frames."""
        if not self.is_on:
            return photo
        self._norm = 0
        now, before = torch.from_numpy(np.array(photo, dtype=np.float32)), self.memory.get("photo")
        if before is None or before.shape != now.shape or (now - before).abs().mean() > CUT:
            self.memory = {"photo": now}
            return photo
        away = now - before
        if self._still:
            away *= 1 - self._still * _stillness(away)
        self.memory["photo"] = before + away
        return Image.fromarray(self.memory["photo"].round().to(torch.uint8).numpy()) if self._still else photo

    def smooth(self, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of each channel, as the next norm of this frame shall use them instead of its own."""
        key, now = f"norm {self._norm}", torch.stack([mean, variance])
        self._norm += 1
        before = self.memory.get(key, now).to(now)
        self.memory[key] = before + (1 - self._statistics) * (now - before)
        return self.memory[key][0], self.memory[key][1]


def _stillness(away: torch.Tensor) -> torch.Tensor:
    """From 0, moves, to 1, stands still: H×W×1, from H×W×3 differences to before in levels."""
    x = away.permute(2, 0, 1)
    size, mean = (F.avg_pool2d(y, 2 * REACH + 1, 1, REACH, count_include_pad=False) for y in (x.abs(), x))
    moved = torch.maximum(size, 2 * mean.abs()).amax(0)  # noise has next to no mean; a soft edge that moves has little else
    return (2 - moved.unsqueeze(-1) / NOISE).clamp(0, 1)
