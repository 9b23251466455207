"""Which precision is faster is found by trial; a recipe that names one gets it."""

import pytest
import torch

from training.objective import precision
from zoo import device


@pytest.mark.parametrize(("seconds", "found"), [((2.0, 1.0), torch.bfloat16), ((1.0, 9.0), torch.float32)])
def test_a_processor_gets_the_faster_one(seconds, found, monkeypatch):
    device.fastest_precision.cache_clear()
    monkeypatch.setattr(device, "_seconds", lambda dtype: seconds[dtype == torch.bfloat16])
    assert precision.resolve("auto", "cpu") == found
    device.fastest_precision.cache_clear()


def test_a_named_one_is_taken():
    assert precision.resolve("float16", "cpu") == torch.float16
    assert precision.resolve("auto", "mps") == torch.float32
