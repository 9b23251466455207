"""A generator as a file for other programs and engines, ONNX or of torch.export: pictures of any size, B×3×H×W in [0, 1].

onnx and onnxruntime are optional (pip install missing-ingredient[export]) and imported when used.
"""

import io
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from zoo.engine.sweeps import fold
from zoo.errors import ConfigError, brief
from zoo.folder import write_whole
from zoo.layers import InstanceNorm, ResizeConv
from zoo.registry import MIN_SIDE, Generator

OPSETS = range(13, 21)  # versions of ONNX's operators that torch writes
SIZES = ((64, 64), (72, 121), (131, 77))  # H×W at which an exported file is compared with torch
CLOSE = {False: 1e-4, True: 1e-2}  # largest difference, of pictures in [0, 1]; with weights in half precision
CONTRACT = f"RGB, B×3×H×W in [0, 1], H and W >= {MIN_SIDE}; out like in"
INSTALL = "pip install 'missing-ingredient[export]'"


class _FusedInstanceNorm(nn.Module):
    """Instance norm as the one operator that ONNX has for it."""

    def __init__(self, norm: InstanceNorm):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B×C×H×W features; the same shape."""
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


class _PlainResizeConv(nn.Module):
    """A ResizeConv that crops by numbers of rows and columns: of a slice torch.export wants to know whether it cuts
    anything off, which depends on the picture."""

    def __init__(self, layer: ResizeConv):
        super().__init__()
        self.conv, self.upsampling = layer.conv, layer.upsampling

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """As of ResizeConv."""
        smooth = {"align_corners": False} if self.upsampling == "bilinear" else {}
        x = F.interpolate(x, scale_factor=2.0, mode=self.upsampling, **smooth)
        return self.conv(x.index_select(2, torch.arange(size[0])).index_select(3, torch.arange(size[1])))


def to_onnx(generator: Generator, opset: int = 17) -> bytes:
    """The ONNX model of a generator, with batch norm in its convolutions; float32.

    Raises ConfigError for an unknown opset, a generator whose noise is drawn anew for each size, or where onnx is missing.
    """
    if opset not in OPSETS:
        raise ConfigError(f"--opset must lie in {OPSETS[0]}..{OPSETS[-1]}, got {opset}")
    _need("onnx")
    plain = _plain(generator, {InstanceNorm: _FusedInstanceNorm})
    axes = {0: "batch", 2: "height", 3: "width"}
    names: dict[str, Any] = {
        "input_names": ["photo"], "output_names": ["painted"], "dynamic_axes": {"photo": axes, "painted": axes}
    }  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # the tracer's: Python's conditions on shapes, and that there is a newer one
        path = Path(folder) / "model.onnx"
        torch.onnx.export(plain, (torch.rand(1, 3, 66, 70),), path, opset_version=opset, dynamo=False, **names)
        return path.read_bytes()


def to_torch_export(generator: Generator, facts: dict[str, str] | None = None) -> bytes:
    """The generator as a program of torch.export, a file .pt2 with `facts` as its extra files: `torch.export.load(f).module()`
    paints B×3×H×W, of any B, H and W, with neither this package nor its Python; float32, batch norm in the convolutions.

    Raises ConfigError for a generator whose noise is drawn anew for each size, and where this torch cannot export it.
    """
    plain = _plain(generator, {InstanceNorm: _FusedInstanceNorm, ResizeConv: _PlainResizeConv})
    Dim, written = torch.export.Dim, io.BytesIO()
    shape = {0: Dim("batch"), 2: Dim("height", min=MIN_SIDE), 3: Dim("width", min=MIN_SIDE)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Two pictures, as torch takes a 1 for one that stays.
            program = torch.export.export(plain, (torch.rand(2, 3, 66, 70),), dynamic_shapes=(shape,))
            torch.export.save(program, written, extra_files=facts or {})
    except Exception as error:  # of many kinds
        raise ConfigError(f"torch {torch.__version__} cannot export it ({brief(error)}): write ONNX instead") from error
    return written.getvalue()


def _plain(generator: Generator, instead: dict[type[nn.Module], Callable[[Any], nn.Module]]) -> nn.Module:
    """A copy for exporters, of float32 on the processor: batch norm in its convolutions, layers of those types replaced."""
    if generator.has_noise:
        kind = generator.config.architecture
        raise ConfigError(f"a {kind} generator draws noise for each size of picture, which an exported file cannot repeat")
    plain = fold(generator).to(memory_format=torch.contiguous_format).cpu().eval()
    for module in list(plain.modules()):
        for name, child in module.named_children():
            if type(child) in instead:
                setattr(module, name, instead[type(child)](child))
    return plain


def halve(model: bytes) -> bytes:
    """The same ONNX model, smaller: its kernels stored in float16, as in the style folder, and short names for what is computed
    on the way; it computes in float32."""
    import onnx
    from onnx import numpy_helper

    read = onnx.load_from_string(model)
    for tensor in list(read.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            cast = onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
            read.graph.node.insert(0, cast)
    ends = {value.name for value in (*read.graph.input, *read.graph.output, *read.graph.initializer)}
    short = {name: f"v{i}" for i, name in enumerate(n for node in read.graph.node for n in node.output if n not in ends)}
    for node in read.graph.node:
        node.name = ""
        for values in (node.input, node.output):
            values[:] = [short.get(name, name) for name in values]
    return read.SerializeToString()


@dataclass(frozen=True)
class Checked:
    """What came of comparing an exported file with the generator: the largest difference of 255 levels, or None unchecked."""

    levels: float | None
    megabytes: float


def export(
    generator: Generator, target: Path, opset: int = 17, half: bool = False, facts: dict[str, str] | None = None
) -> Checked:
    """Write the generator as an ONNX file with `facts` as its metadata, once onnxruntime has painted the same with it at three
    sizes as torch; without onnxruntime it is written unchecked.

    Raises ConfigError when it cannot be exported, or what comes out paints otherwise.
    """
    _check_suffix("--onnx", target, ".onnx")
    model = to_onnx(generator, opset)
    import onnx

    read = onnx.load_from_string(halve(model) if half else model)
    onnx.helper.set_model_props(read, {"contract": CONTRACT, **(facts or {})})
    model = read.SerializeToString()
    return _write(model, target, compare(generator, model), CLOSE[half])


def torch_export(generator: Generator, target: Path, facts: dict[str, str] | None = None) -> Checked:
    """Write the generator as a file of torch.export with `facts` beside it, once that, read again, has painted the same at
    three sizes. Errors as of `export`."""
    _check_suffix("--torch-export", target, ".pt2")
    model = to_torch_export(generator, {"contract": CONTRACT, **(facts or {})})
    paint = torch.export.load(io.BytesIO(model)).module()
    return _write(model, target, _worst(generator, paint), CLOSE[False])


def _check_suffix(flag: str, target: Path, suffix: str) -> None:
    if target.suffix != suffix:
        raise ConfigError(f"{flag} names the file to write, which ends in {suffix}, got {target.name}")


def _write(model: bytes, target: Path, levels: float | None, close: float) -> Checked:
    if levels is not None and not levels <= 255 * close:
        raise ConfigError(
            f"the exported model paints otherwise than torch: up to {levels:.2f} of 255 levels; nothing was written"
        )
    write_whole({target: model})
    return Checked(levels, len(model) / 1e6)


def export_for_browsers(generator: Generator, slug: str, target: Path) -> Checked:
    """Write the generator of the style of that slug in the form that the page in a visitor's browser paints with: see
    `export`."""
    return export(generator, target, half=True, facts={"style": slug, "norm": generator.config.norm})


def check_for_browsers() -> None:
    """Raise ConfigError where what `export_for_browsers` takes is missing, or what its files are compared with torch by."""
    _need("onnx")
    try:
        quiet_onnxruntime()
    except ImportError as error:
        raise ConfigError(f"exporting needs onnxruntime: {INSTALL}") from error


def compare(generator: Generator, model: bytes) -> float | None:
    """The largest difference between torch's and onnxruntime's pictures, in levels of 255; None without onnxruntime."""
    try:
        session = quiet_onnxruntime().InferenceSession(model, providers=["CPUExecutionProvider"])
    except ImportError:
        return None
    return _worst(generator, lambda photo: torch.from_numpy(session.run(None, {"photo": photo.numpy()})[0]))


def _worst(generator: Generator, paint: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """The largest difference between the generator's pictures and those of `paint`, in levels of 255, at three sizes."""
    random, worst = torch.Generator().manual_seed(0), 0.0
    for h, w in SIZES:
        photo = torch.rand(1, 3, h, w, generator=random)
        with torch.no_grad():
            wanted, found = generator(photo), paint(photo)
        worst = max(worst, 255 * (found - wanted).abs().max().item()) if found.isfinite().all() else float("inf")
    return worst


def quiet_onnxruntime() -> ModuleType:
    """onnxruntime, imported here alone. From 1.29 on it reports each model that it opens to its makers, and keeps an identifier
    in the home folder, unless it is told not to before. Raises ImportError where it is missing."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def _need(module: str) -> None:
    try:
        __import__(module)
    except ImportError as error:
        raise ConfigError(f"exporting needs {module}: {INSTALL}") from error
