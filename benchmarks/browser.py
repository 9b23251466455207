"""Seconds of one picture in a browser and in ONNX Runtime on the same machine, taking turns; frames a second of its camera.

  python -m benchmarks.browser --sizes 256 512 [--ort DIR] [--on gpu]

The page of python -m space.static is built, served with the headers for threads and opened in headless Chromium; both paint
with the same file, the instance norm's, from planes to planes. A frame of the camera is painted with both norms.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright

import zoo
from benchmarks.chromium import CHROMIUM
from space.browser.folder import build
from space.browser.server import make_server
from space.words import NORMS
from training.records import machine
from zoo.cli import command
from zoo.engine.runtimes import Runtime, runtime

CAMERA = (192, 144)  # px; as page/app.js
PAINT = """async ([generator, width, height]) => {
    const { paint } = await import("./painter.js"), picture = new ImageData(width, height);
    for (let i = 0; i < picture.data.length; i++) picture.data[i] = i & 3 ? 256 * Math.random() : 255;
    return (await paint(() => true, generator, picture)).seconds;
}"""


def in_browser(page: Page, file: str, width: int, height: int) -> float:
    """Seconds that the page's painter takes."""
    return page.evaluate(PAINT, [file, width, height])


def native(engine: Runtime, width: int, height: int) -> float:
    """Seconds that ONNX Runtime takes."""
    photo = np.random.default_rng(0).random((1, 3, height, width), np.float32)
    started = time.perf_counter()
    engine.paint(photo)
    return time.perf_counter() - started


def report(page: Page, style: str, sizes: list[int], rounds: int) -> None:
    """Print the table, and what the camera reaches."""
    engine = runtime("onnxruntime", zoo.load(style))
    assert engine is not None  # whatever could be exported it knows
    batch, instance = (f"styles/{style}-{norm}.onnx" for norm in NORMS)
    print("| px | browser, median s | ONNX Runtime, median s | times |\n|---:|---:|---:|---:|")
    for size in sizes:
        pairs = [(in_browser(page, instance, size, size), native(engine, size, size)) for _ in range(rounds + 1)]
        browser, here = (statistics.median(times) for times in zip(*pairs[1:], strict=True))
        print(f"| {size} | {browser:.3f} | {here:.3f} | {browser / here:.2f} |", flush=True)
    frames = [sum(in_browser(page, file, *CAMERA) for file in (batch, instance)) for _ in range(rounds + 1)]
    print(
        f"camera at {CAMERA[0]}×{CAMERA[1]} px: {1 / statistics.median(frames[1:]):.1f} frames a second, each with both norms"
    )


@command
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], metavar="N", help="sides in px (default: 256 512)")
    parser.add_argument("--rounds", type=int, default=5, metavar="K", help="pictures of either (default: 5)")
    parser.add_argument("--style", default="starry-night", metavar="SLUG", help="(default: starry-night)")
    parser.add_argument(
        "--ort", type=Path, metavar="DIR", help="npm's package onnxruntime-web, unpacked (default: npm gets it)"
    )
    parser.add_argument("--on", choices=("cpu", "gpu"), default="cpu", help="(default: cpu)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        build(Path(folder), [zoo.find(args.style)], args.ort)
        with make_server(Path(folder)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            page = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]).new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/?on={args.on}")
            page.wait_for_selector("body[data-on]", timeout=120_000)
            threads = page.evaluate("crossOriginIsolated ? navigator.hardwareConcurrency : 1")
            print(f"{machine(torch.device('cpu'))}; in the browser {page.get_attribute('body', 'data-on')}, {threads} threads")
            report(page, args.style, args.sizes, args.rounds)
            server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
