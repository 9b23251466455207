"""OpenVINO as an engine: the generator's ONNX export, compiled for this processor (missing-ingredient[fast])."""

import queue
import sys
from types import ModuleType
from typing import Any

import numpy as np
import torch

from zoo.export import to_onnx
from zoo.registry import MIN_SIDE, Generator


class OpenVinoEngine:
    """Paints as a generator does. Raises ImportError where OpenVINO is missing, ConfigError for what cannot be exported."""

    name = "openvino"

    def __init__(self, generator: Generator):
        core, threads = _quiet_openvino().Core(), torch.get_num_threads()
        model = core.read_model(to_onnx(generator))
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = core.compile_model(model, "CPU", settings)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()  # a request serves one thread at a time
        # What OpenVINO's binding sets up at the first picture, two threads that set it up would wait for each other forever.
        self.paint(np.zeros((1, 3, MIN_SIDE, MIN_SIDE), np.float32))

    def paint(self, photo: np.ndarray) -> np.ndarray:
        """1×3×H×W float32 in [0, 1], in and out."""
        try:
            request = self._idle.get_nowait()
        except queue.Empty:
            request = self._compiled.create_infer_request()
        try:
            return next(iter(request.infer({0: photo}).values())).copy()
        finally:
            self._idle.put(request)


def _quiet_openvino() -> ModuleType:
    """openvino. Its import would report to its makers, from a forked process, and keep an identifier in the home folder; it
    does without the package that does so where that is missing, as it seems to be here."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: importing it fails
    import openvino

    return openvino
