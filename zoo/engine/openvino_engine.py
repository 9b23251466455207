"""OpenVINO as an engine: the generator's ONNX export, compiled for this processor (missing-ingredient[fast])."""

import queue
from typing import Any

import numpy as np
import torch

from zoo.export import to_onnx
from zoo.registry import Generator


class OpenVinoEngine:
    """Paints as a generator does. Raises ImportError where OpenVINO is missing, ConfigError for what cannot be exported."""

    name = "openvino"

    def __init__(self, generator: Generator):
        import openvino

        core, threads = openvino.Core(), torch.get_num_threads()
        model = core.read_model(to_onnx(generator))  # not convert_model, which opens a telemetry session
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = core.compile_model(model, "CPU", settings)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()  # a request serves one thread at a time

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
