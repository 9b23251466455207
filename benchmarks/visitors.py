"""Visitors of a page, the real one, in a process of its own, asked over HTTP as browsers and programs do."""

import io
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from PIL import Image, PngImagePlugin

from zoo.errors import ConfigError
from zoo.images import open_photo
from zoo.style import PHOTO

STYLE = "starry-night"
BUSY = (429, 503)  # too much of one visitor, of all
PATIENT = httpx.Timeout(300.0)
numbers = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    """What a visitor got: "right", "busy" or what was wrong, in words; after how many seconds."""

    kind: str
    seconds: float


@contextmanager
def served() -> Iterator[str]:
    """The address of a page of its own, which takes its visitors' addresses from a header, as behind a Space's proxies: here
    they are one machine, and one visitor gets no more than a share."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "SPACE_ID": "benchmarks/serving"}
    words = [sys.executable, "-m", "space.serve", "--host", "127.0.0.1", "--port", str(port)]
    page = f"http://127.0.0.1:{port}"
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 120
            while not _is_there(page):
                if process.poll() is not None or time.monotonic() > until:
                    raise ConfigError("the page did not start: does python -m space.serve?")
                time.sleep(0.2)
            yield page
        finally:
            process.terminate()


def _is_there(page: str) -> bool:
    try:
        return httpx.get(f"{page}/health").is_success
    except httpx.TransportError:
        return False


def unseen_photo(size: int) -> bytes:
    """The zoo's photo in a file that was never uploaded, so that nothing of it is kept; its pixels are always the same."""
    file, text = io.BytesIO(), PngImagePlugin.PngInfo()
    text.add_text("Comment", f"{time.time_ns()} {next(numbers)}")
    open_photo(PHOTO, size).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def new_visitor() -> httpx.Client:
    """Somebody at an address of their own."""
    number = next(numbers)
    return httpx.Client(headers={"x-forwarded-for": f"8.8.{number // 250 % 250}.{number % 250}"}, timeout=PATIENT)


def upload(visitor: httpx.Client, page: str, photo: bytes) -> httpx.Response:
    """A photo sent as a browser does."""
    return visitor.post(f"{page}/gradio_api/upload", files={"files": ("photo.png", photo)})


def as_file(uploaded: httpx.Response) -> dict[str, Any]:
    """It, as functions of the page take it."""
    return {"path": uploaded.json()[0], "meta": {"_type": "gradio.FileData"}}


def call(visitor: httpx.Client, page: str, name: str, data: list) -> str | None:
    """The events by which an endpoint answers; None where the page says that it is busy."""
    joined = visitor.post(f"{page}/gradio_api/call/{name}", json={"data": data})
    if joined.status_code in BUSY:
        return None
    return visitor.get(f"{page}/gradio_api/call/{name}/{joined.json()['event_id']}").text


def stylize(page: str, size: int, wanted: np.ndarray) -> Answer:
    """A new visitor uploads a photo, asks for a picture, waits, downloads it and looks at it."""
    began = time.perf_counter()

    def answer(kind: str) -> Answer:
        return Answer(kind, time.perf_counter() - began)

    with new_visitor() as visitor:
        try:
            sent = upload(visitor, page, unseen_photo(size))
            if sent.status_code in BUSY:
                return answer("busy")
            data = [as_file(sent), STYLE, "instance", size]
            if (told := call(visitor, page, "stylize", data)) is None:
                return answer("busy")
            event, _, said = told.partition("\ndata: ")
            if "error" in event:
                return answer("busy" if "wait until" in said or "try again" in said else said.strip())
            with Image.open(io.BytesIO(visitor.get(json.loads(said)[0]["url"]).content)) as image:
                picture = np.asarray(image, int)
        except (httpx.HTTPError, OSError, KeyError, ValueError, TypeError) as error:
            return answer(f"{type(error).__name__}: {error}")
    right = picture.shape == wanted.shape and np.abs(picture - wanted).max() <= 1  # by rounding
    return answer("right" if right else "another picture")


def memory(page: str) -> float:
    """What /metrics says of the page's main memory, in MiB."""
    (line,) = (line for line in httpx.get(f"{page}/metrics").text.splitlines() if line.startswith("process_resident_memory"))
    return float(line.split()[1]) / 2**20


def summary(answers: list[Answer]) -> dict[str, Any]:
    """How many answers of which kind, and the seconds after which the right ones came: median, ninth tenth, longest."""
    kinds = Counter(answer.kind for answer in answers)
    right = sorted(answer.seconds for answer in answers if answer.kind == "right")
    seconds = [statistics.median(right), right[int(0.9 * (len(right) - 1))], right[-1]] if right else []
    wrong = {kind: count for kind, count in kinds.items() if kind not in ("right", "busy")}
    return {"right": kinds["right"], "busy": kinds["busy"], "wrong": wrong, "seconds": [round(s, 3) for s in seconds]}
