"""A few paint at a time, and of one visitor's requests the newest alone."""

import threading
import time

import pytest

from space import turns
from space.turns import Newest, Superseded, Turns, Visit
from zoo.errors import ZooError


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


def visits(turns, whose, seconds=0.03):
    """Each of these visitors asks for a turn, in that order; who had one, with the number of others at the same time."""
    inside, had = [], []

    def paint(who):
        with turns.turn(Visit(who)):
            inside.append(who)
            had.append((who, tuple(inside)))
            time.sleep(seconds)
            inside.remove(who)

    threads = [threading.Thread(target=paint, args=(who,)) for who in whose]
    for thread in threads:
        thread.start()
        time.sleep(0.01)
    for thread in threads:
        thread.join(10)
    return had


def test_no_more_than_a_few_have_their_turn_at_once():
    """Whatever the queue counts: what it took for cancelled may still be painting (issue 13, item 32)."""
    had = visits(Turns(at_once=2, places=8, places_of_all=24), "abcdefgh")
    assert len(had) == 8 and max(len(inside) for _, inside in had) == 2


def test_visitors_take_turns():
    """Two who had asked for much had all of it, before anybody else got anything (issue 13, item 40)."""
    some, done, had = Turns(at_once=2, places=8, places_of_all=24), threading.Semaphore(0), []

    def paint(who):
        with some.turn(Visit(who)):
            had.append(who)
            done.acquire(timeout=20)

    threads = [threading.Thread(target=paint, args=(who,)) for who in "abaaabbbcd"]
    for count, thread in enumerate(threads):
        thread.start()
        while len(had) + len(some._waiting) <= count:
            time.sleep(0.01)
    done.release(len(threads))
    for thread in threads:
        thread.join(20)
    assert had[:2] == ["a", "b"] and set(had[2:4]) == {"c", "d"} and len(had) == 10


def test_a_visitor_has_one_turn_at_a_time_and_others_pass_by():
    """However many requests came first (issue 13, item 40)."""
    had = visits(Turns(at_once=2, places=8, places_of_all=24), "aaaab", seconds=0.2)
    assert all(inside.count("a") <= 1 for _, inside in had)
    assert [who for who, _ in had].index("b") <= 1


def test_who_waits_and_is_not_wanted_any_more_leaves():
    """(issue 13, item 3)"""
    one, wanted = Turns(at_once=1, places=8, places_of_all=24), [True]
    threading.Timer(0.1, wanted.clear).start()
    with one.turn(Visit("a")), pytest.raises(Superseded), one.turn(Visit("b", lambda: bool(wanted))):
        pass
    with one.turn(Visit("a")):  # nobody has left anything behind
        pass
    with pytest.raises(Superseded), one.turn(Visit("a", lambda: False)):
        pass


def test_a_few_addresses_cannot_take_all_places():
    """Each has at most as many as are left for others (issue 13, item 40)."""
    some, ended, refused = Turns(at_once=2, places=8, places_of_all=24), threading.Event(), []

    def ask(who):
        try:
            with some.turn(Visit(who, lambda: not ended.is_set())):
                ended.wait()
        except ZooError:
            refused.append(who)
        except Superseded:
            pass

    threads = [threading.Thread(target=ask, args=(who,)) for who in "abcde" for _ in range(9)]
    for thread in threads:
        thread.start()
        time.sleep(0.01)  # in this order
    ended.set()
    for thread in threads:
        thread.join()
    assert all(0 < refused.count(who) < 9 for who in "abcde")


def test_who_has_all_of_their_places_is_told_so_and_so_is_everybody_when_all_are_taken():
    """(issue 13, item 40)"""
    some = Turns(at_once=2, places=1, places_of_all=2)
    with some.turn(Visit("a")):
        with pytest.raises(ZooError, match="asked for many"), some.turn(Visit("a")):
            pass
        with some.turn(Visit("b")), pytest.raises(ZooError, match="try again"), some.turn(Visit("c")):
            pass
    with some.turn(Visit("a")):
        pass


def test_who_is_patient_waits_for_a_place():
    """As one must who has painted half a film."""
    turns = Turns(at_once=1, places=1, places_of_all=1)
    done = []

    def paint():
        with turns.turn(Visit("patient"), patient=True):
            done.append("painted")

    with turns.turn(Visit("first")):
        with pytest.raises(ZooError, match="try again in a minute"), turns.turn(Visit("hasty")):
            pass
        with pytest.raises(Superseded), turns.turn(Visit("gone", lambda: False), patient=True):
            pass
        waiting = threading.Thread(target=paint)
        waiting.start()
        time.sleep(0.05)
        assert not done
    waiting.join(5)
    assert done
