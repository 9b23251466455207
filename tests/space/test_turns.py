"""A few paint at a time, and of one visitor's requests the newest alone."""

import threading
import time

import pytest

from space import turns
from space.turns import Newest, Superseded, Turns
from zoo.errors import ZooError


def always():
    return True


def test_of_each_visitor_the_newest_counts():
    """(issue 13, item 3)"""
    newest = Newest()
    first, others, second, nobody = (newest.take(visitor) for visitor in ("a", "b", "a", None))
    assert [one() for one in (first, others, second, nobody)] == [False, True, True, True]


def test_visitors_are_not_remembered_for_good(monkeypatch):
    monkeypatch.setattr(turns, "KEPT", 2)
    newest = Newest()
    for visitor in "abcabc":
        last = newest.take(visitor)
    assert last() and len(newest._newest) == 2


def test_no_more_than_a_few_have_their_turn_at_once():
    """Whatever the queue counts: what it took for cancelled may still be painting (issue 13, item 32)."""
    some, inside, most = Turns(at_once=2, waiting=8), [], []

    def paint():
        with some.turn(always):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.03)
            inside.pop()

    threads = [threading.Thread(target=paint) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(most) == 8 and max(most) == 2


def test_who_waits_and_is_not_wanted_any_more_leaves():
    """(issue 13, item 3)"""
    one, wanted = Turns(at_once=1, waiting=8), [True]
    threading.Timer(0.1, wanted.clear).start()
    with one.turn(always), pytest.raises(Superseded), one.turn(lambda: bool(wanted)):
        pass
    with one.turn(always):  # nobody has left anything behind
        pass
    with pytest.raises(Superseded), one.turn(lambda: False):
        pass


def test_when_too_many_wait_the_next_is_told_so():
    """(issue 13, item 40)"""
    one = Turns(at_once=1, waiting=0)
    with one.turn(always), pytest.raises(ZooError, match="try again"), one.turn(always):
        pass
