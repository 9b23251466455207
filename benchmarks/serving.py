"""The page as many use it at once: the real one, in a process of its own, asked over HTTP as browsers and programs ask it.

  python -m benchmarks.serving                                     all of it, some minutes
  python -m benchmarks.serving --clients 50 --requests 500 --out serving.json

First useful paint: from opening the page in Chromium (left out where it or playwright is not installed) until both pictures
of the comparison are there. Knob: from letting go of "Strength of the paint", which needs no new painting, until both
pictures at 512 px are decoded. Thumbnails: of all styles, on a photo that was never seen. Clients: so many visitors ask for a
picture in the same moment; each gets the right one, pixel by pixel as the library paints it, or an honest "busy", or else
something is wrong. Soak: so many pictures, four visitors at a time, and what memory the page has meanwhile. Abuse: what is
answered to who takes more than a share, and how long somebody else waits for a picture meanwhile. Printed as a table, saved
with --out.
"""

import argparse
import importlib.util
import io
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from PIL import Image

import zoo
from benchmarks.abuse import attacks
from benchmarks.chromium import CHROMIUM
from benchmarks.visitors import (
    STYLE,
    Answer,
    as_file,
    call,
    memory,
    new_visitor,
    numbers,
    served,
    stylize,
    summary,
    unseen_photo,
    upload,
)
from training.records import machine, write_json
from zoo.catalog import photo_styles
from zoo.cli import command
from zoo.errors import ConfigError
from zoo.images import open_photo
from zoo.style import PHOTO

AT_ONCE = 4  # visitors of the soak
TURN = """async strength => {
  const images = () => [...document.querySelectorAll('#comparison img')], before = images().map(i => i.src);
  const knob = document.querySelector('#strength input[type=range]'), began = performance.now();
  knob.value = strength;
  ['input', 'pointerup'].forEach(kind => knob.dispatchEvent(new Event(kind, {bubbles: true})));
  while (!images().every((i, k) => i.src !== before[k] && i.complete)) await new Promise(next => setTimeout(next, 1));
  await Promise.all(images().map(i => i.decode()));
  return (performance.now() - began) / 1000;
}"""


def wall(page: str) -> float:
    """Seconds until a new visitor has the thumbnails of all styles on their photo."""
    functions = httpx.get(f"{page}/config").json()["dependencies"]
    (index,) = (one["id"] for one in functions if one["api_name"] == "paint_wall")
    with new_visitor() as visitor:
        photo, session = as_file(upload(visitor, page, unseen_photo(1024))), f"wall-{next(numbers)}"
        began = time.perf_counter()
        visitor.post(f"{page}/gradio_api/queue/join", json={"data": [photo], "fn_index": index, "session_hash": session})
        told = visitor.get(f"{page}/gradio_api/queue/data", params={"session_hash": session}).text
    if '"success":true' not in told.replace(" ", ""):
        raise ConfigError(f"the page painted no thumbnails: {told[-300:]}")
    return time.perf_counter() - began


@contextmanager
def browser() -> Iterator[Any]:
    """A tab in Chromium; None where there is no browser."""
    there = importlib.util.find_spec("playwright")  # of requirements-dev.txt, and of use here alone
    if not (CHROMIUM and there):
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started.new_page()
        started.close()


def first_paint(page: str) -> float | None:
    """Seconds from opening the page until both pictures of its comparison are there; None where there is no browser."""
    there = "[...document.querySelectorAll('#comparison img')].filter(i => i.complete && i.naturalWidth).length === 2"
    with browser() as tab:
        if tab is None:
            return None
        began = time.perf_counter()
        tab.goto(page, wait_until="commit")
        tab.wait_for_function(there, timeout=60_000)
        return time.perf_counter() - began


def knob(page: str, rounds: int) -> list[float]:
    """Seconds from letting go of a knob that needs no new painting until both pictures at 512 px are decoded, as often as
    wanted, at most 20 times; nothing where there is no browser."""
    with browser() as tab:
        if tab is None:
            return []
        tab.goto(page)
        tab.locator("#more button").first.click()
        tab.locator("#keep-colours input").click()  # paints, as the page's first pictures were there from the start
        tab.locator("#save-instance:not([disabled])").wait_for(timeout=60_000)
        found = []
        for k in range(min(rounds, 20)):
            time.sleep(1)
            found.append(tab.evaluate(TURN, 0.95 - 0.05 * k))
        return found


def soak(page: str, requests: int, size: int, wanted: np.ndarray) -> dict[str, Any]:
    """So many pictures, AT_ONCE visitors at a time: the answers, and the memory before and after each tenth of them."""
    answers: list[Answer] = []
    held = [memory(page)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for tenth in range(10):
            count = requests * (tenth + 1) // 10 - requests * tenth // 10
            answers += pool.map(lambda _: stylize(page, size, wanted), range(count))
            held.append(memory(page))
    return {**summary(answers), "memory": [round(each) for each in held]}


def large(page: str, side: int, size: int, wanted: np.ndarray) -> dict[str, Any]:
    """Seconds of both norms' pictures of `side` px, and the answers that others got meanwhile, one after the other."""
    file = io.BytesIO()
    open_photo(PHOTO).resize((side, side * 2 // 3), Image.Resampling.BICUBIC).save(file, "JPEG")

    def pair() -> float:
        began = time.perf_counter()
        with new_visitor() as visitor:
            data = [as_file(upload(visitor, page, file.getvalue())), STYLE, side]
            told = call(visitor, page, "compare", data) or "it is busy"
        if "event: complete" not in told:
            raise ConfigError(f"the page painted nothing of {side} px: {told[-300:]}")
        return time.perf_counter() - began

    answers: list[Answer] = []
    with ThreadPoolExecutor(1) as pool:
        painted = pool.submit(pair)
        while not painted.done():
            answers.append(stylize(page, size, wanted))
    return {"large": painted.result(), **summary(answers)}


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__, formatter_class=raw)
    parser.add_argument("--clients", type=int, default=50, metavar="N", help="visitors in the same moment (default: 50)")
    parser.add_argument("--requests", type=int, default=500, metavar="N", help="pictures of the soak (default: 500)")
    parser.add_argument("--size", type=int, default=256, metavar="N", help="px of the long side (default: 256)")
    parser.add_argument("--large", type=int, metavar="PX", help="also: a photo of that long side, others' pictures meanwhile")
    parser.add_argument("--rounds", type=int, default=3, metavar="K", help="of first paint and thumbnails (default: 3)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON file for the figures")
    args = parser.parse_args(argv)
    if min(args.clients, args.requests, args.rounds) < 1:
        raise ConfigError("--clients, --requests and --rounds are at least 1")
    wanted = np.asarray(zoo.stylize(PHOTO, STYLE, size=args.size), int)
    with served() as page:
        painted = [seconds for _ in range(args.rounds) if (seconds := first_paint(page)) is not None]
        turned = knob(page, 5 * args.rounds)
        walls = [wall(page) for _ in range(args.rounds + 1)][1:]  # the first loads the styles
        at_512 = np.asarray(zoo.stylize(PHOTO, STYLE, size=512), int)
        pictures = summary([stylize(page, 512, at_512) for _ in range(args.rounds)])
        with ThreadPoolExecutor(args.clients) as pool:
            clients = summary(list(pool.map(lambda _: stylize(page, args.size, wanted), range(args.clients))))
        soaked = soak(page, args.requests, args.size, wanted)
        beside: dict[str, Any] = {"beside": large(page, args.large, args.size, wanted)} if args.large else {}
        beside["abuse"] = attacks(page, args.size, wanted)
    found = {"first_paint": painted, "knob": turned, "thumbnails": walls, "picture": pictures, "clients": clients,
             "soak": soaked, "styles": len(photo_styles()), "machine": machine(torch.device("cpu")), **beside}  # fmt: skip
    _print(found, args)
    if args.out:
        write_json(args.out, found)


def _print(found: dict[str, Any], args: argparse.Namespace) -> None:
    rows = [(f"thumbnails of {found['styles']} styles", f"{statistics.median(found['thumbnails']):.2f} s")]
    if found["first_paint"]:
        rows.insert(0, ("first useful paint", f"{statistics.median(found['first_paint']):.2f} s"))
    if found["knob"]:
        rows.insert(1, ("a knob without a new painting, 512 px", f"{statistics.median(found['knob']):.2f} s"))
    asked = [("one picture at 512 px", "picture"), (f"{args.clients} clients at once, {args.size} px", "clients"),
             (f"{args.requests} pictures, {AT_ONCE} visitors at a time", "soak")]  # fmt: skip
    if beside := found.get("beside"):
        rows.append((f"both norms at {args.large} px", f"{beside['large']:.0f} s"))
        asked.append((f"meanwhile pictures of {args.size} px, one after the other", "beside"))
    for title, name in asked:
        one = found[name]
        seconds = " / ".join(f"{each:.2f}" for each in one["seconds"]) or "none"
        rows.append((title, f"{one['right']} right ({seconds} s), {one['busy']} busy, {sum(one['wrong'].values())} wrong"))
        rows += [("", f"wrong: {kind} ({count})") for kind, count in one["wrong"].items()]
    held = found["soak"]["memory"]
    rows.append(("memory: at first, after a tenth, at the end", " / ".join(f"{held[k]} MiB" for k in (0, 1, -1))))
    for one in found["abuse"]:
        rows.append((one["what"], f"{one['answers']}; another's picture meanwhile: {one['other']} ({one['seconds']:.2f} s)"))
    print("| what | figure |\n|---|---|")
    print("\n".join(f"| {title} | {figure} |" for title, figure in rows))
    print(f"\nseconds: median / ninth tenth / longest of the right answers; {found['machine']}")


if __name__ == "__main__":
    sys.exit(main())
