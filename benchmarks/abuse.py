"""What takes more than a share of a page, and what that costs somebody else."""

import io
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.visitors import STYLE, as_file, call, new_visitor, numbers, stylize, unseen_photo, upload

LARGER = 4  # times the size that others ask for, of the pictures of which too many are asked for
BOMB = (14000, 14000)  # px, in a file of some kB


def _join(visitor: httpx.Client, page: str, photo: dict[str, Any], size: int, session: str = "") -> str:
    """The status of a request for both norms' pictures, whose answer nobody reads."""
    body = {"data": [photo, STYLE, size], "session_hash": session or f"unread-{next(numbers)}"}
    return str(visitor.post(f"{page}/gradio_api/call/compare", json=body).status_code)


def _many(page: str, side: int, visitors: int, each: int) -> list[str]:
    people = [new_visitor() for _ in range(visitors)]
    photos = [as_file(upload(one, page, unseen_photo(side))) for one in people]
    asked = [
        (one, page, photo, side - k) for one, photo in zip(people, photos, strict=True) for k in range(each)
    ]  # nothing twice
    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(lambda words: _join(*words), asked))


def _one_asks_for_much(page: str, side: int) -> list[str]:
    return _many(page, side, 1, 40)


def _two_ask_for_much(page: str, side: int) -> list[str]:
    return _many(page, side, 2, 8)


def _long_names(page: str, side: int) -> list[str]:
    with new_visitor() as one:
        return [_join(one, page, {}, side, session="x" * 500_000) for _ in range(20)]


def _bomb(page: str, side: int) -> list[str]:
    file = io.BytesIO()
    Image.new("1", BOMB).save(file, "PNG")
    with new_visitor() as one:
        photo = as_file(upload(one, page, file.getvalue()))
        told = call(one, page, "stylize", [photo, STYLE, "instance", 256]) or "it is busy"
    return ["refused in words" if "megapixels" in told else told[:80]]


def _large_upload(page: str, side: int) -> list[str]:
    with new_visitor() as one:
        return [str(upload(one, page, bytes(101 * 2**20)).status_code)]


def _many_files(page: str, side: int) -> list[str]:
    with new_visitor() as one:
        try:
            sent = [("files", (f"{k}.png", b"")) for k in range(900)]
            return [str(one.post(f"{page}/gradio_api/upload", files=sent).status_code)]
        except httpx.TransportError:
            return ["hung up on"]


ATTACKS = {
    "40 requests of one visitor at once, whose answers nobody reads": _one_asks_for_much,
    "8 such requests of two visitors each": _two_ask_for_much,
    "20 sessions whose names have 500,000 letters": _long_names,
    "a PNG of 196 megapixels in 24 kB": _bomb,
    "an upload of 101 MiB": _large_upload,
    "900 empty files in one upload": _many_files,
}


def attacks(page: str, size: int, wanted: np.ndarray) -> list[dict[str, Any]]:
    """Each in words, with what was answered to it by status, and the answer that another visitor got meanwhile, after s."""
    found = []
    for what, attack in ATTACKS.items():
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(attack, page, LARGER * size)
            time.sleep(1.0)  # it has begun
            other = stylize(page, size, wanted)
            counts = Counter(answers.result())
        said = ", ".join(f"{count} x {status}" for status, count in sorted(counts.items()))
        found.append({"what": what, "answers": said, "other": other.kind, "seconds": round(other.seconds, 3)})
    return found
