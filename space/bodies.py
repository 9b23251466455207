"""Bodies of requests, as they come: no larger than they may be, in one form, looked at before gradio sees them."""

import json
import re

from gradio import route_utils
from starlette.datastructures import Headers
from starlette.types import Message, Receive

PARTS = 4  # files in one upload
# How every browser and client writes it; by more, gradio would take minutes over a few letters (charset=punycode).
# Of a quote that is not closed, the parser would take the mark for a part of the boundary, and files would not be counted.
FORM = re.compile(r"""multipart/form-data; ?boundary=("?)([\w'()+,./:=?-]{1,70})\1""", re.ASCII | re.IGNORECASE)


class FilesAlone(route_utils.GradioMultiPartParser):
    """gradio's reader of uploads, which refuses what is no file: it would be gathered in memory, for as long as it comes."""

    def __init__(self, *args, **options):
        super().__init__(*args, **{**options, "max_fields": 0})


route_utils.GradioMultiPartParser = FilesAlone  # type: ignore[misc]  # where `upload_fn` looks for it


def boundary_of(headers: Headers) -> str | None:
    """What parts the files of an upload; None for another form."""
    kinds = headers.getlist("content-type")
    found = FORM.fullmatch(kinds[0][:200]) if len(kinds) == 1 else None
    return found and found[2]


async def whole(receive: Receive) -> bytes | None:
    """The body of a request; None when its sender has hung up, or had to."""
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
    return None


def again(body: bytes, receive: Receive) -> Receive:
    """`receive` as it was before the body was read."""
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def once() -> Message:
        return messages.pop() if messages else await receive()

    return once


def up_to(limit: int, receive: Receive) -> Receive:
    """`receive`, which hangs up on who sends more than `limit` bytes."""
    left = limit

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return counted


def few_parts(boundary: str, receive: Receive) -> Receive:
    """`receive`, which hangs up on who sends more than PARTS files at once."""
    mark, left, end = b"--" + boundary.encode(), PARTS + 1, b""

    async def counted() -> Message:
        nonlocal left, end
        message = await receive()
        text = end + message.get("body", b"")
        left, end = left - text.count(mark), text[max(0, len(text) - len(mark) + 1) :]  # all of it while it is shorter
        return message if left >= 0 else {"type": "http.disconnect"}

    return counted


def names(body: bytes) -> dict[str, str]:
    """What a request calls its session, and whatever else it names; nothing of what is no JSON."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return {}  # gradio says what is wrong with it
    named = asked.items() if isinstance(asked, dict) else ()
    return {key: value for key, value in named if isinstance(value, str) and key not in ("data", "event_data")}
