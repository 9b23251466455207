"""What the page has done since it was started, counted for `/metrics`: sums over all visitors, nothing of any one."""

import copy
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from zoo.engine.painting import Painted


@dataclass
class Done:
    """Pictures painted and the seconds that took, by what they are; requests that were turned away, by the reason."""

    pictures: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    refused: Counter[str] = field(default_factory=Counter)


class Counts:
    """Counts of what many threads do."""

    def __init__(self) -> None:
        self._lock, self._done = threading.Lock(), Done()

    def paint(self, what: str, painted: Iterable[Painted]) -> None:
        """Count pictures: "batch" or "instance" as these norms paint, a "blend" of styles, a "tile" of the wall, a
        "texture" out of noise, a "frame" of a camera or a clip."""
        with self._lock:
            for one in painted:
                self._done.pictures[what] += 1
                self._done.seconds[what] += one.seconds

    def refuse(self, reason: str) -> None:
        """Count a request that was turned away: by its HTTP status, or "turn" where too many waited to be painted."""
        with self._lock:
            self._done.refused[reason] += 1

    def read(self) -> Done:
        """All of it, as it is now."""
        with self._lock:
            return copy.deepcopy(self._done)


COUNTS = Counts()
