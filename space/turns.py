"""Who paints now: a few at a time, whichever way they came, and of one visitor's requests the newest alone."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from space.counts import COUNTS
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


def ignore(share: float) -> None:
    """Whom it does not matter how much of a picture is painted."""


@dataclass(frozen=True, eq=False)
class Visit:
    """A request: the address it came from, whether its visitor still wants it, and whom to tell which share is
    painted."""

    who: str = ""
    wanted: Callable[[], bool] = lambda: True
    tell: Callable[[float], None] = ignore

    def still_wanted(self) -> None:
        """Raise Superseded unless it is."""
        if not self.wanted():
            raise Superseded


NOBODY = Visit()  # in particular


class Turns:
    """At most `at_once` turns at the same time, one of each visitor, who take them in turns; at most `places` requests of a
    visitor that have a turn or wait for one, `places_of_all` of all. Nobody has more of them than are left for others: a few
    addresses cannot fill them.

    gradio's queue counts requests, too, but one that was cancelled counts no more while its thread still paints.
    """

    def __init__(self, at_once: int, places: int, places_of_all: int):
        self._at_once, self._places, self._places_of_all = at_once, places, places_of_all
        self._changed = threading.Condition()
        self._waiting: list[Visit] = []  # in the order in which they came
        self._busy: list[Visit] = []
        self._count, self._last = itertools.count(), OrderedDict[str, int]()  # of each visitor, which turn was the last one

    @contextmanager
    def turn(self, visit: Visit, patient: bool = False) -> Iterator[None]:
        """Inside, it is one's turn. Raises Superseded when it is not wanted any more, ZooError when too many wait; who is
        patient, having begun what takes many turns, waits until fewer do."""
        with self._changed:
            while words := self._full(visit):
                if not patient:
                    COUNTS.refuse("turn")
                    raise ZooError(words)
                visit.still_wanted()
                self._changed.wait(0.2)
            self._waiting.append(visit)
            try:
                while visit.wanted() and not self._is_next(visit):
                    self._changed.wait(0.2)
            finally:
                self._waiting.remove(visit)
            visit.still_wanted()
            self._busy.append(visit)
            self._last[visit.who] = next(self._count)
            self._last.move_to_end(visit.who)
            while len(self._last) > KEPT:
                self._last.popitem(last=False)
        try:
            yield
        finally:
            with self._changed:
                self._busy.remove(visit)
                self._changed.notify_all()

    def _full(self, visit: Visit) -> str:
        """Why there is no place for a visit; nothing if there is one."""
        here = [*self._waiting, *self._busy]
        free = self._places_of_all - len(here)
        if sum(other.who == visit.who for other in here) >= min(self._places, max(free, 1)):
            return "you have asked for many pictures at once: wait until some are done"
        return "" if free > 0 else "many pictures are being painted just now: try again in a minute"

    def _is_next(self, visit: Visit) -> bool:
        """Whether there is a turn to be had, and it is the first of the visitor who has had none for longest, those at work
        left out: of two who ask for much, one would always come next, and everybody else wait."""
        at_work = {other.who for other in self._busy}
        able = (other for other in self._waiting if other.who not in at_work)
        first = min(able, key=lambda other: self._last.get(other.who, -1), default=None)
        return len(self._busy) < self._at_once and visit is first
