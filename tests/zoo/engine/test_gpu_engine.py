"""The GPU engine paints the module's pictures: in half precision, which a processor computes, too, and on a GPU recorded."""

import threading

import numpy as np
import pytest
import torch

from tests.zoo.engine.test_torch_engine import noise, random_generator
from zoo.catalog import find, load
from zoo.engine import gpu_engine
from zoo.engine.choice import GPU, candidates
from zoo.engine.gpu_engine import GpuEngine, paints_alike
from zoo.engine.painting import Manner, paint_fast, paint_plainly
from zoo.images import fade, open_photo, to_tensor
from zoo.style import PHOTO

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("contrast", [1.0, 0.1])
def test_in_half_precision_it_paints_what_a_bundled_style_does(norm, contrast):
    """Issue 15."""
    generator, photo = load(find("the-scream"), norm), to_tensor(fade(open_photo(PHOTO, 192), contrast))
    with torch.inference_mode():
        found, wanted = GpuEngine(generator).paint(photo), generator(photo)
    off = (found - wanted).abs() * 255
    assert found.dtype is torch.float32 and (off <= 2).float().mean() >= 0.999
    assert off.mean() > 1e-3  # another precision, hence not the same numbers


def test_one_whose_pictures_are_others_is_not_used():
    generator = random_generator(width=16, residual_blocks=1)
    assert paints_alike(generator, GpuEngine(generator))
    huge = random_generator(width=16, residual_blocks=1)
    huge.down1.conv.weight.mul_(1e7)  # beyond float16's largest number; instance norm makes the same picture of it
    assert not paints_alike(huge, GpuEngine(huge))
    assert not paints_alike(random_generator(width=16, residual_blocks=2), GpuEngine(generator))


def test_what_comes_again_is_recorded_and_few_sizes_are_kept(monkeypatch):
    made = []

    class Record:
        def __init__(self, generator, photo):
            made.append(photo.shape[3])
            self.paint = generator

    monkeypatch.setattr(gpu_engine, "_Record", Record)
    monkeypatch.setattr(gpu_engine, "RECORDS", 2)
    monkeypatch.setattr(gpu_engine, "LARGEST", 32 * 48)
    generator = random_generator(width=2, residual_blocks=1)
    engine = GpuEngine(generator)

    def paint(width):
        photo = to_tensor(noise(width, 32))
        with torch.inference_mode():
            assert torch.allclose(engine.paint(photo), generator(photo), atol=1e-4)

    for width in (32, 33, 32, 33, 64, 64, 32):
        paint(width)
    assert made == [32, 33]  # at the second time, once; never one that is too large
    for width in (48, 48, 32, 33):
        paint(width)
    assert made == [32, 33, 48, 33]  # which had not been used for the longest time


def test_where_nothing_can_be_recorded_it_paints_on(monkeypatch):
    tried = []

    def fail(generator, photo):
        tried.append(photo.shape)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(gpu_engine, "_Record", fail)
    engine, photo = GpuEngine(random_generator(width=2, residual_blocks=1)), to_tensor(noise(40, 32))
    first = engine.paint(photo)
    assert all(torch.equal(engine.paint(photo), first) for _ in range(3)) and len(tried) == 1


def test_on_a_processor_it_is_not_there():
    """Another engine paints, and says which it was."""
    generator = random_generator(width=2, residual_blocks=1)
    assert not GpuEngine.knows(generator) and GPU not in candidates()
    assert paint_fast(generator, noise(40, 33), Manner(GPU)).engine == "torch"


@on_gpu
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_on_a_gpu_recorded_pictures_are_the_modules_from_several_threads(norm):
    generator = load(find("the-scream"), norm).to("cuda")
    photos = [fade(open_photo(PHOTO, size), contrast) for size in (128, 192) for contrast in (1, 0.1)]
    assert paint_fast(generator, photos[0], Manner(GPU)).engine == GPU
    found = {}

    def paint(i):
        found[i] = [paint_fast(generator, photos[i], Manner(GPU)).image for _ in range(5)]

    threads = [threading.Thread(target=paint, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, pictures in found.items():
        wanted = paint_plainly(generator, photos[i]).image
        for picture in pictures:
            assert (np.abs(np.subtract(picture, wanted, dtype=int)) <= 2).mean() >= 0.999
    assert len(found) == 4 and gpu_engine.gpu_engine(generator)._records


@on_gpu
def test_on_a_gpu_what_is_named_for_a_processor_is_the_module():
    generator = random_generator(width=2, residual_blocks=1).to("cuda")
    assert paint_fast(generator, noise(40, 33), Manner("torch")).engine == "module"
