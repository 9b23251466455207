"""What no visitor may take of the page: the time in which it looks at a request, sessions, connections."""

import time
from contextlib import ExitStack

import httpx
import pytest

from space import guard


def test_a_long_path_is_refused_at_once(page):
    """It was looked through for half a minute, in which nobody was answered (issue 13, item 40)."""
    began = time.monotonic()
    for path in ("/run" * 15_000 + "%0A", "/call/" * 10_000):
        assert httpx.post(page + path.lstrip("/"), json={}).status_code == 404
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("address", ["cancel", "reset", "queue/join", "call/stylize", "stream/abc", "run/x"])
@pytest.mark.parametrize("body", ['{"x":[%s1]}' % ("1," * 500_000), "[" * 6000, "[%s{}]" % ("{}," * 300_000)], ids=len)
def test_many_values_are_refused_before_anybody_reads_them(page, address, body):
    """Each held up everybody for seconds (issue 13, item 40)."""
    began = time.monotonic()
    answer = httpx.post(f"{page}gradio_api/{address}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413 and "5000 values" in answer.text and time.monotonic() - began < 5


def test_one_visitor_does_not_begin_sessions_without_end(page, two_visitors):
    """Thousands, opened and closed, kept everybody waiting (issue 13, item 40)."""
    one, other = two_visitors

    def begin(number, headers):
        with httpx.stream("GET", f"{page}gradio_api/heartbeat/h-{number}", headers=headers, timeout=30) as answer:
            return answer.status_code

    codes = [begin(number, one) for number in range(guard.SESSIONS + 5)]
    assert codes == [200] * guard.SESSIONS + [429] * 5 and begin("other", other) == 200


def test_one_visitor_does_not_listen_without_end(page, two_visitors):
    """(issue 13, item 40)"""
    (one, other), held = two_visitors, ExitStack()
    with held:

        def ask(number, headers):
            asked = httpx.stream("GET", f"{page}gradio_api/heartbeat/o-{number}", headers=headers, timeout=30)
            return held.enter_context(asked).status_code

        assert [ask(number, one) for number in range(guard.OPEN + 2)] == [200] * guard.OPEN + [429] * 2
        assert ask("other", other) == 200


def test_what_a_visitor_has_taken_is_theirs_again_after_a_while(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    share = guard.Share(60.0)
    assert share.take("a", 10, 6) and not share.take("a", 10, 6) and share.take("b", 10, 6) and share.take("a", 10, 4)
    now[0] += 61
    assert share.take("a", 10, 10) and not share.take("a", 10)
