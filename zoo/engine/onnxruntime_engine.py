"""ONNX Runtime as an engine: the generator's ONNX export. Optional: pip install missing-ingredient[export]."""

import numpy as np
import torch

from zoo.export import quiet_onnxruntime, to_onnx
from zoo.registry import Generator


class OnnxRuntimeEngine:
    """Paints as a generator does. Raises ImportError where onnxruntime or onnx is missing, ConfigError for what cannot be
    exported."""

    name = "onnxruntime"

    def __init__(self, generator: Generator):
        onnxruntime = quiet_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.enable_cpu_mem_arena = False  # which would keep what the largest picture took
        self._session = onnxruntime.InferenceSession(to_onnx(generator), options, providers=["CPUExecutionProvider"])

    def paint(self, photo: np.ndarray) -> np.ndarray:
        """1×3×H×W float32 in [0, 1], in and out; several threads may paint at the same time."""
        return self._session.run(None, {"photo": photo})[0]
