"""What a body of a request holds, however it comes."""

import asyncio

import pytest

from space.bodies import few_parts


@pytest.mark.parametrize("size", [1, 40, 69, 70, 71, 72, 100])
def test_files_are_counted_however_they_come(size):
    """In pieces a little shorter than their boundary they were not: 900 in an upload counted for four."""
    boundary = "B" * 70
    mark = b"--" + boundary.encode()
    sent = b"".join(mark + b"\r\n\r\nx\r\n" for _ in range(30)) + mark + b"--\r\n"
    pieces = [sent[:70], *(sent[at : at + size] for at in range(70, len(sent), size))]

    async def receive():
        return {"type": "http.request", "body": pieces.pop(0), "more_body": True}

    async def read():
        count = few_parts(boundary, receive)
        while pieces and (await count())["type"] == "http.request":
            pass
        return len(pieces)

    assert asyncio.run(read())
