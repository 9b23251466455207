"""What strangers may ask of the page: past the queue nothing, through it what the page itself would ask."""

import json

import httpx
import pytest

from zoo.catalog import list_styles


def functions(page: str) -> list[dict]:
    """What the page's configuration says of its functions, private ones too, in the order of their indices."""
    return httpx.get(f"{page}config").json()["dependencies"]


def upload(page: str, path) -> dict:
    """A photo as functions take it: uploaded first."""
    (there,) = httpx.post(f"{page}gradio_api/upload", files={"files": path.read_bytes()}).json()
    return {"path": there, "meta": {"_type": "gradio.FileData"}}


def ask(page: str, fn_index: int, data: list, event_data: object = None, session: str = "test") -> dict:
    """Call a function by its index through the queue; the output of its last message."""
    body = {"data": data, "fn_index": fn_index, "session_hash": session, "event_data": event_data}
    content = json.dumps(body)  # as httpx would refuse NaN
    joined = httpx.post(f"{page}gradio_api/queue/join", content=content, headers={"content-type": "application/json"})
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


def test_private_functions_check_what_they_get(page, private, photo):
    """A contrast that is not a number, a tile that is not there: refused by index, too (issue 13, item 32)."""
    data = [upload(page, photo), None, 256, float("nan")]
    answer = ask(page, private["paint_pair"], data)
    assert not answer["success"] and "contrast" in answer["output"]["error"]
    for index in (-1, len(list_styles()), 1.5, "0", None, [0]):
        answer = ask(page, private["choose"], [], {"index": index, "value": None})
        assert not answer["success"] and "no tile" in answer["output"]["error"]
