"""What no visitor may take of the page: the time in which it looks at a request, sessions, connections."""

import socket
import time
from contextlib import ExitStack

import httpx
import pytest

from space import bodies, guard


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


@pytest.mark.parametrize("address", ["queue/join", "call/stylize", "cancel"])
def test_what_is_kept_of_a_session_is_short(page, address):
    """Names of a megabyte were kept, thousands of them (issue 13, item 40)."""
    for key in ("session_hash", "event_id"):
        answer = httpx.post(f"{page}gradio_api/{address}", json={"data": [], "fn_index": 0, key: "x" * 500_000})
        assert answer.status_code == 400 and "200 letters" in answer.text
    parted = {"data": [], "fn_index": 0, "session_hash": "a<gradio-sep>b"}  # while it was at work nobody could cancel anything
    assert "200 letters" in httpx.post(f"{page}gradio_api/{address}", json=parted).text
    assert httpx.post(f"{page}gradio_api/upload?upload_id={'x' * 500}", files={"files": b"x"}).status_code == 400
    for way in ("heartbeat/{}", "queue/data?session_hash={}", "upload_progress?upload_id={}"):
        assert httpx.get(f"{page}gradio_api/{way.format('x' * 500)}").status_code == 400


def test_an_upload_is_a_few_files(page, two_visitors):
    """Hundreds of empty ones in each made a folder of twenty thousand in a minute (issue 13, item 40)."""
    one, other = two_visitors

    def send(count, headers):
        sent = [("files", (f"{k}.png", b"-" * 70_000)) for k in range(count)]
        try:
            return httpx.post(f"{page}gradio_api/upload", files=sent, headers=headers).status_code
        except httpx.TransportError:
            return 400

    assert send(bodies.PARTS, one) == 200 and send(bodies.PARTS + 1, one) >= 400 and send(300, one) >= 400
    assert [send(1, one) for _ in range(guard.UPLOADS // guard.LEAST)][-1] == 429 and send(1, other) == 200


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; charset=punycode; boundary=x", 'multipart/form-data; boundary="x"; charset=utf-8',
        "multipart/form-data; boundary=x;", "multipart/form-data; boundary=zz; boundary=x", "multipart/form-data", "text/plain",
        'multipart/form-data; q="boundary=zz"; boundary=x', 'multipart/form-data; boundary="x',
        'multipart/form-data; boundary=x"',
    ],
)  # fmt: skip
def test_an_upload_is_written_in_one_way(page, kind):
    """A field in punycode of half a megabyte held the page for five seconds, and files were not counted (issue 13, item 40)."""
    began, field = time.monotonic(), b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n%s\r\n--x--\r\n' % (b"a" * 10**6)
    answer = httpx.post(f"{page}gradio_api/upload", content=field, headers={"content-type": kind})
    assert answer.status_code == 415 and time.monotonic() - began < 3


@pytest.mark.parametrize("query", ["", "?upload_id=fields"])
def test_an_upload_is_files_alone(page, query):
    """A field of it is gathered in memory: four that never ended held 400 MiB (issue 13, item 40)."""
    sent = {"files": ("a.png", b"a")}
    answer = httpx.post(f"{page}gradio_api/upload{query}", files=sent, data={"files": "b"})
    assert answer.status_code == 400 and "Too many fields" in answer.text
    assert httpx.post(f"{page}gradio_api/upload{query}", files=sent).status_code == 200


@pytest.mark.parametrize("address", ["call", "call/v2", "run", "api", "stream"])
def test_a_function_called_upload_takes_no_upload(page, address):
    """A hundred megabytes were read for one, and sent back as JSON: for 18 s nobody was answered (issue 13, item 40)."""
    form = {"content-type": "multipart/form-data; boundary=x"}
    answer = httpx.post(f"{page}gradio_api/{address}/upload", content=bytes(guard.BODY + 1), headers=form)
    assert answer.status_code == 413 and "1 MiB at most" in answer.text


def test_one_visitor_begins_no_more_sessions_by_joining(page, two_visitors):
    """Each takes a quarter of a megabyte (issue 13, item 40)."""
    one, other = two_visitors

    def join(number, headers):
        body = {"data": [], "fn_index": 10**6, "session_hash": f"s-{number}"}
        return httpx.post(f"{page}gradio_api/queue/join", json=body, headers=headers).status_code

    codes = [join(number, one) for number in range(guard.SESSIONS + 5)]
    assert 429 not in codes[: guard.SESSIONS] and set(codes[guard.SESSIONS :]) == {429}
    assert join(0, one) != 429 and join("other", other) != 429
    for number in range(3):
        told = httpx.get(f"{page}gradio_api/upload_progress", params={"upload_id": f"u-{number}"}, headers=one)
        assert told.status_code == 429
    for address in ("run/load_example", "api/stylize"):  # refused or not, each would keep one
        sent = {"data": ["x"], "session_hash": f"s-{address}"}
        assert httpx.post(f"{page}gradio_api/{address}", json=sent, headers=one).status_code == 429
    assert httpx.get(f"{page}gradio_api/deep_link", params={"session_hash": "s-0"}).status_code == 404


@pytest.mark.parametrize("sent", [{}, {"session_hash": None}], ids=str)
def test_who_names_no_session_begins_one_each_time(page, two_visitors, monkeypatch, sent):
    """gradio makes up its name: six hundred calls in a minute took 250 MB (issue 13, item 40)."""
    monkeypatch.setattr(guard, "SESSIONS", 3)
    codes = [
        httpx.post(f"{page}gradio_api/call/styles", json={"data": [], **sent}, headers=one).status_code
        for one in two_visitors
        for _ in range(5)
    ]
    assert codes == [200] * 3 + [429] * 2 + [200] * 3 + [429] * 2


def test_a_camera_may_send_more_than_one_joins(page, two_visitors, monkeypatch):
    """Ten frames a second are as many a minute as a visitor may join; what goes past the queue counts as joining."""
    monkeypatch.setattr(guard, "JOINS", 3)
    for address, refused in (("stream/nothing", 0), ("run/nothing", 3), ("api/nothing", 6)):
        sent = [httpx.post(f"{page}gradio_api/{address}", json={"data": []}, headers=two_visitors[0]) for _ in range(6)]
        assert [answer.status_code for answer in sent].count(429) == refused


def test_a_request_that_does_not_come_is_given_up(page, two_visitors, monkeypatch):
    """Two hundred connections were kept for as long as it pleased their visitor (issue 13, item 40)."""
    monkeypatch.setattr(guard, "SLOW", 1.0)
    (one, other), host = two_visitors, httpx.URL(page)
    with ExitStack() as stack:
        lines = []
        for _ in range(guard.OPEN + 3):
            line = stack.enter_context(socket.create_connection((host.host, host.port), timeout=20))
            head = f"POST /gradio_api/cancel HTTP/1.1\r\nHost: x\r\nx-forwarded-for: {one['x-forwarded-for']}\r\n"
            line.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n[".encode())
            lines.append(line)
        codes = sorted(line.recv(1000).split()[1] for line in lines)
    assert codes == [b"413"] * guard.OPEN + [b"429"] * 3
    assert httpx.post(f"{page}gradio_api/cancel", json={}, headers=other).status_code != 429


def test_an_upload_that_never_ends_is_given_up(page, two_visitors, monkeypatch):
    """(issue 13, item 40)"""
    monkeypatch.setattr(guard, "SLOWEST", 1.0)
    host, who = httpx.URL(page), two_visitors[0]["x-forwarded-for"]
    with socket.create_connection((host.host, host.port), timeout=20) as line:
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nx-forwarded-for: {who}\r\nContent-Length: 9000\r\n"
        line.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
        assert line.recv(1000).split()[1] == b"408"


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
