"""What strangers may ask of the page: past the queue nothing, through it what the page itself would ask."""

import base64
import http.client
import io
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

from space import actions, camera, community, guard
from zoo.catalog import photo_styles
from zoo.engine.painting import Painted
from zoo.errors import StyleNotFoundError
from zoo.images import open_photo


def functions(page: str) -> list[dict]:
    """What the page's configuration says of its functions, private ones too, in the order of their indices."""
    return httpx.get(f"{page}config", timeout=30).json()["dependencies"]  # a busy machine once took more than httpx' 5 s


def upload(page: str, path) -> dict:
    """A photo as functions take it: uploaded first."""
    (there,) = httpx.post(f"{page}gradio_api/upload", files={"files": path.read_bytes()}).json()
    return {"path": there, "meta": {"_type": "gradio.FileData"}}


def ask(
    page: str, fn_index: int, data: list, event_data: object = None, session: str = "test", headers: dict | None = None
) -> dict:
    """Call a function by its index through the queue; the output of its last message."""
    body = {"data": data, "fn_index": fn_index, "session_hash": session, "event_data": event_data}
    content, headers = json.dumps(body), {"content-type": "application/json", **(headers or {})}  # httpx would refuse NaN
    joined = httpx.post(f"{page}gradio_api/queue/join", content=content, headers=headers, timeout=30)
    assert joined.status_code == 200, joined.text
    with httpx.stream("GET", f"{page}gradio_api/queue/data", params={"session_hash": session}, timeout=60) as lines:
        for line in lines.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if message.get("msg") == "process_completed":
                return message
    raise AssertionError("the queue gave no answer")


@pytest.fixture(scope="module")
def private(page) -> dict[str, int]:
    """Index by name of the page's own functions."""
    return {fn["api_name"]: fn["id"] for fn in functions(page) if fn["api_visibility"] == "private" and fn["backend_fn"]}


def test_the_queue_cannot_be_bypassed(page):
    """A function called by its index, directly, would know no limits (issue 13, item 32)."""
    own = [fn for fn in functions(page) if fn["backend_fn"] and fn["api_name"] != "load_example"]  # gradio's: shows a photo
    for fn in own:
        for address in (f"run/{fn['api_name']}", f"api/{fn['api_name']}", "run/predict"):
            answer = httpx.post(f"{page}gradio_api/{address}", json={"data": [], "fn_index": fn["id"]})
            assert answer.status_code == 404, (fn["api_name"], answer.text)


def test_no_film_of_a_stranger_reaches_ffmpeg(page, tmp_path, monkeypatch):
    """gradio would put it through, past the queue and any bound, where the machine has it (issue 13, item 32)."""
    called = tmp_path / "called"
    (tmp_path / "ffmpeg").write_text(f"#!/bin/sh\ntouch {called}\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    film, cut = {"video": ("film.mp4", b"film")}, {"remove_segment_start": "1", "remove_segment_end": "2"}
    answer = httpx.post(f"{page}gradio_api/process_recording", files=film, data=cut)
    assert answer.status_code == 404 and not called.exists()


@pytest.mark.parametrize("address", ["stream/none", "stream/none/close"])
def test_the_frames_of_a_camera_pass(page, address):
    """They follow the first, which joined the queue, to an address of their own: gradio says that there is none, and not we."""
    answer = httpx.post(f"{page}gradio_api/{address}", json={"data": []})
    assert (answer.status_code, answer.text) == (404, "")


@pytest.mark.parametrize("address", ["monitoring", "monitoring/summary"])
def test_how_the_page_is_used_is_nobody_s_to_ask(page, address):
    assert httpx.get(f"{page}{address}").status_code == 403


def test_private_functions_check_what_they_get(page, private, photo):
    """A contrast that is no number, a size of none, a tile that is not there: refused by index, too (issue 13, item 32)."""
    there = upload(page, photo)
    wrong = given(there, float("nan")), given(there, size=None), given(there, protect="/etc/passwd")
    for word, data in zip(("contrast", "size", "protected"), wrong, strict=True):
        answer = ask(page, private["paint_pair"], data)
        assert not answer["success"] and word in answer["output"]["error"]
    for index in (-1, len(photo_styles()), 1.5, "0", None, [0]):
        answer = ask(page, private["choose"], [], {"index": index, "value": None})
        assert not answer["success"] and "no tile" in answer["output"]["error"]


def given(photo, contrast=100, size=256, protect=""):
    """What `paint_pair` takes, in the order in which the page's parts were made: what a visitor set."""
    return [contrast, "batch", False, 1, 1, protect, "PNG", photo, size, None, None]


@pytest.fixture
def blocked(monkeypatch):
    """Nothing is painted until it is set."""
    let_go, paint = threading.Event(), actions.paint_on_gpu
    monkeypatch.setattr(actions, "paint_on_gpu", lambda *request: let_go.wait(60) and paint(*request))
    yield let_go
    let_go.set()


@pytest.mark.slow
def test_one_visitor_cannot_fill_the_queue(page, photo, private, two_visitors, blocked, monkeypatch):
    """Requests whose answers nobody reads held it for a minute, for everybody (issue 13, item 40)."""
    monkeypatch.setattr(guard, "WAIT", 0.5)
    data, (one, other) = given(upload(page, photo)), two_visitors

    def join(number):
        body = {"data": data, "fn_index": private["paint_pair"], "session_hash": f"flood-{number}"}
        return httpx.post(f"{page}gradio_api/queue/join", json=body, headers=one, timeout=30)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(join, range(40)))
    taken = [answer.status_code for answer in answers]
    assert taken.count(200) == guard.PLACES and taken.count(429) == 40 - guard.PLACES
    assert all("wait until" in answer.json()["detail"] for answer in answers if answer.status_code == 429)
    blocked.set()
    began = time.monotonic()
    assert ask(page, private["paint_pair"], data, session="other", headers=other)["success"]
    assert time.monotonic() - began < 20
    again = time.monotonic() + 20
    while join(99).status_code == 429:  # the others end, though nobody reads what they say
        assert time.monotonic() < again
        time.sleep(0.1)


@pytest.mark.slow
def test_many_behind_one_address_wait_for_each_other(page, photo, private, two_visitors):
    """From the fifth of a class on all were refused that began at once (issue 13, item 40)."""
    data, (one, _) = given(upload(page, photo)), two_visitors
    with ThreadPoolExecutor(20) as pool:
        many = pool.map(lambda k: ask(page, private["paint_pair"], data, session=f"pupil-{k}", headers=one), range(20))
    assert not [each["output"]["error"] for each in many if not each["success"]]


def test_one_visitor_does_not_keep_the_hub_from_others(page, private, two_visitors, monkeypatch):
    """Four styles that come slowly held the Community tab for everybody (issue 13, items 18 and 40)."""
    let_go, begun = threading.Event(), threading.Event()

    def fetch(name):
        if name == "slow":
            begun.set()
            let_go.wait(30)
        raise StyleNotFoundError(f"no {name}")

    monkeypatch.setattr(community, "fetch", fetch)
    one, other = two_visitors
    with ThreadPoolExecutor(6) as pool:
        held = [pool.submit(ask, page, private["take"], ["slow"], None, f"slow-{k}", one) for k in range(6)]
        assert begun.wait(20)
        time.sleep(0.5)
        answer = ask(page, private["take"], ["quick"], None, "quick", other)
        assert "no quick" in answer["output"]["error"] and not any(each.done() for each in held)
        let_go.set()
        assert all("no slow" in each.result()["output"]["error"] for each in held)


@pytest.mark.slow
def test_one_visitor_s_walls_do_not_keep_others_waiting(page, private, photo, two_visitors, monkeypatch):
    """Eight large pictures were looked at before the next visitor's (issue 13, item 40)."""
    begun, let_go = threading.Event(), threading.Event()

    def paint(tile, styles):
        if not begun.is_set():
            begun.set()
            let_go.wait(30)
        return [Painted(tile, 0.0)] * len(styles)

    monkeypatch.setattr(actions, "_wall_on_gpu", paint)
    (one, other), there = two_visitors, [upload(page, photo)]
    with ThreadPoolExecutor(6) as pool:
        many = [pool.submit(ask, page, private["paint_wall"], there, None, f"many-{k}", one) for k in range(6)]
        assert begun.wait(20)
        time.sleep(0.2)
        assert ask(page, private["paint_wall"], there, None, "single", other)["success"]
        assert not any(each.done() for each in many)
        let_go.set()
        assert all(each.result()["success"] for each in many)


def test_one_visitor_s_cameras_do_not_keep_others_waiting(page, private, photo, two_visitors, monkeypatch):
    """Eight streams that nobody read and that sent no further frame held the camera for half a minute (issue 13, item 40)."""
    monkeypatch.setattr(guard, "WAIT", 0.0)
    (one, other), file = two_visitors, io.BytesIO()
    open_photo(photo, 64).save(file, "JPEG")
    url = camera.START + base64.b64encode(file.getvalue()).decode()
    data = [{"url": url, "meta": {"_type": "gradio.FileData"}}, next(iter(photo_styles())).slug, True, None]

    def join(session, headers):
        body = {"data": data, "fn_index": private["live"], "session_hash": session}
        return httpx.post(f"{page}gradio_api/queue/join", json=body, headers=headers, timeout=30)

    with ThreadPoolExecutor(9) as pool:
        taken = list(pool.map(lambda number: join(f"stream-{number}", one).status_code, range(9)))
    assert taken.count(200) == guard.PLACES and taken.count(429) == 1
    time.sleep(1)  # they have the places there are
    began = time.monotonic()
    assert join("watched", other).status_code == 200
    with httpx.stream("GET", f"{page}gradio_api/queue/data", params={"session_hash": "watched"}, timeout=60) as lines:
        for line in lines.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if message.get("output"):
                break
    assert "64×" in message["output"]["data"][2] and time.monotonic() - began < 15, message


def test_a_visitor_is_an_address(monkeypatch):
    def who(forwarded, client=("10.1.1.1", 1)):
        return guard.visitor({"type": "http", "client": client, "headers": [(b"x-forwarded-for", forwarded.encode())]})

    assert who("8.8.8.8") == "10.1.1.1"  # without a proxy that is known, the header is the visitor's own invention
    monkeypatch.setenv("SPACE_ID", "alice/demo")
    assert who("8.8.8.8") == "8.8.8.8" == who("1.1.1.1, 8.8.8.8, 10.0.0.7, 192.168.1.1")
    assert who("2001:4860:4860::8888, fd00::1") == "2001:4860:4860::/64"
    assert who("") == who("10.0.0.1") == who("8.8.8.8, nonsense") == "10.1.1.1"
    assert who("", None) == "nobody"


def test_a_visitor_cannot_be_many_addresses(monkeypatch):
    """A household has 2**64 of IPv6, and a header of its own before the proxy's (issue 13, item 40)."""

    def who(*forwarded, client=("10.1.1.1", 1)):
        headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
        return guard.visitor({"type": "http", "client": client, "headers": headers})

    assert who(client=("2001:db8::1", 1)) == who(client=("2001:db8::abcd:1", 1)) != who(client=("2001:db8:0:1::1", 1))
    assert who(client=("::ffff:8.8.8.8", 1)) == "8.8.8.8"
    monkeypatch.setenv("SPACE_ID", "alice/demo")
    assert who("2001:4860:4860::1") == who("2001:4860:4860::2") != who("2001:4860:4861::1")
    assert who("1.1.1.1", "8.8.8.8") == "8.8.8.8"


def raw(page: str, path: str, headers: dict, *parts: bytes) -> http.client.HTTPResponse:
    """A request byte by byte, which may promise more than it sends."""
    connection = http.client.HTTPConnection(page.split("/")[2], timeout=20)
    connection.putrequest("POST", f"/gradio_api/{path}")
    for header in headers.items():
        connection.putheader(*header)
    connection.endheaders()
    for part in parts:
        connection.send(part)
    return connection.getresponse()


def test_large_requests_are_refused_by_their_length(page):
    """(issue 13, items 40 and 43)"""
    json_type, form = {"content-type": "application/json"}, {"content-type": "multipart/form-data; boundary=x"}
    for path, headers in (("queue/join", json_type), ("call/compare", json_type), ("upload", form)):
        answer = raw(page, path, {**headers, "content-length": str(guard.UPLOAD + 1)})
        assert answer.status == 413 and b"MiB at most" in answer.read()
    chunks = (b"%x\r\n" % 2**16 + bytes(2**16) + b"\r\n" for _ in range(20))
    with pytest.raises((OSError, http.client.HTTPException, AssertionError)):  # hung up on
        assert raw(page, "queue/join", {**json_type, "transfer-encoding": "chunked"}, *chunks).status >= 500


def test_uploads_have_a_quota(page, photo, monkeypatch, two_visitors):
    """A visitor's own, and all visitors' together (issue 13, item 40)."""
    one, other = two_visitors

    def send(headers):
        return httpx.post(f"{page}gradio_api/upload", files={"files": photo.read_bytes()}, headers=headers)

    monkeypatch.setattr(guard, "LEAST", 0)
    monkeypatch.setattr(guard, "UPLOADS", 2.5 * photo.stat().st_size)
    assert [send(one).status_code for _ in range(3)] == [200, 200, 429] and send(other).status_code == 200
    assert "try again later" in send(one).text
    monkeypatch.setattr(guard.FILES, "_quota", 0)
    answer = send(other)
    assert answer.status_code == 503 and "try again" in answer.text


def test_a_picture_of_many_pixels_in_few_bytes_is_refused(page, tmp_path, private):
    """64 megapixels in 8 kB, before they are decoded (issue 13, item 40)."""
    Image.new("1", (8000, 8000)).save(tmp_path / "bomb.png")
    bomb = upload(page, tmp_path / "bomb.png")
    began = time.monotonic()
    answer = ask(page, private["paint_pair"], given(bomb))
    assert not answer["success"] and "has 64 megapixels: reduce it to at most 50" in answer["output"]["error"]
    assert ask(page, private["paint_wall"], [bomb])["success"]  # of which the other has told
    assert time.monotonic() - began < 4
