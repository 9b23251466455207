"""Devices: the three there are, what each is called, and how memory that has run out is known on each."""

import errno
from unittest.mock import Mock

import pytest
import torch
from PIL import Image

from zoo.device import DEVICES, device_name, is_out_of_memory, pick_device, synchronize
from zoo.errors import DeviceError, PhotoError
from zoo.images import open_photo


@pytest.fixture
def there(monkeypatch):
    """Call it with the devices that are there, besides the processor."""

    def set_there(*kinds):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in kinds)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in kinds)

    return set_there


@pytest.mark.parametrize(("kinds", "picked"), [((), "cpu"), (("cuda",), "cuda"), (("mps",), "mps"), (("cuda", "mps"), "cuda")])
def test_auto_takes_a_gpu_where_there_is_one(there, kinds, picked):
    """Apple's was not known (issue 13, item 6)."""
    there(*kinds)
    assert pick_device() == pick_device("auto") == torch.device(picked)
    for kind in DEVICES[1:]:
        if kind in (*kinds, "cpu"):
            assert pick_device(kind).type == kind
        else:
            with pytest.raises(DeviceError, match=f"device {kind} was asked for.*--device cpu"):
                pick_device(kind)


@pytest.mark.parametrize("device", ["tpu", "cuda:1", "", None, 3])
def test_unknown_devices_are_named(device):
    with pytest.raises(DeviceError, match="choose from auto, cpu, cuda, mps"):
        pick_device(device)


def test_what_computes_is_named_and_waited_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device}")
    assert device_name(torch.device("cuda", 1)) == "GPU cuda:1" and device_name(torch.device("mps")) == "Apple GPU"
    assert device_name(torch.device("cpu")) == f"{torch.get_num_threads()} CPU threads"
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append("cuda"))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    for kind in ("cpu", "cuda", "mps"):
        synchronize(torch.device(kind))
    assert waited == ["cuda", "mps"]


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried ..."), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4000 bytes."), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 5.86 GB, max allowed: 6.77 GB)"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("unable to mmap 1000 bytes from file <x>: Cannot allocate memory (12)"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOENT, "No such file"), False),
        (RuntimeError("Invalid buffer size: 24.00 GB"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("could not create a memory object"), False),
        (RuntimeError("input is in channels_last memory format"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_memory_that_has_run_out(error, ran_out):
    """By type, and by torch's own words: any error that said "memory" counted (issue 13, item 11)."""
    assert is_out_of_memory(error) == ran_out


def test_memory_that_has_run_out_on_the_processor():
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**55)
    assert is_out_of_memory(error.value)


def test_memory_that_runs_out_says_nothing_of_the_picture(photo, monkeypatch):
    """(issue 13, item 11)"""
    monkeypatch.setattr(Image.Image, "load", Mock(side_effect=MemoryError()))
    with pytest.raises(PhotoError, match="there is not enough memory to read astronaut.jpg"):
        open_photo(photo)
