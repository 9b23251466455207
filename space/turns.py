"""Who paints now: a few at a time, whichever way they came, and of one visitor's requests the newest alone."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from zoo.errors import ZooError

KEPT = 4096  # visitors whose newest request is remembered


class Superseded(Exception):
    """A newer request of the same visitor came: this one has nothing to show any more."""


class Newest:
    """Which request of a visitor is the newest."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), itertools.count()
        self._newest: OrderedDict[str, int] = OrderedDict()

    def take(self, visitor: str | None) -> Callable[[], bool]:
        """A request that came now; what is returned tells whether it is still the newest. None is nobody twice."""
        if visitor is None:
            return lambda: True
        with self._lock:
            number = self._newest[visitor] = next(self._count)
            self._newest.move_to_end(visitor)
            while len(self._newest) > KEPT:
                self._newest.popitem(last=False)
        return lambda: self._newest.get(visitor) == number


class Turns:
    """At most `at_once` turns at the same time, and at most `waiting` requests that wait for one.

    gradio's queue counts requests, too, but one that was cancelled counts no more while its thread still paints.
    """

    def __init__(self, at_once: int, waiting: int):
        self._at_once, self._most, self._busy, self._waiting = at_once, waiting, 0, 0
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, wanted: Callable[[], bool]) -> Iterator[None]:
        """Inside, it is one's turn. Raises Superseded when it is not `wanted` any more, ZooError when too many wait."""
        with self._changed:
            if self._busy >= self._at_once:
                self._wait(wanted)
            if not wanted():
                raise Superseded
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _wait(self, wanted: Callable[[], bool]) -> None:
        if self._waiting >= self._most:
            raise ZooError("many pictures are being painted just now: try again in a minute")
        self._waiting += 1
        try:
            while self._busy >= self._at_once and wanted():
                self._changed.wait(0.2)
        finally:
            self._waiting -= 1
