"""The GPU engine paints the module's pictures: in half precision, which a processor computes, too, and on a GPU recorded."""

import copy
import threading

import numpy as np
import pytest
import torch

from tests.zoo.engine.test_torch_engine import noise, random_generator
from zoo.catalog import find, load
from zoo.engine import gpu_engine, painting
from zoo.engine.choice import GPU, candidates
from zoo.engine.gpu_engine import GpuEngine, paints_alike
from zoo.engine.painting import Manner, paint_fast, paint_plainly
from zoo.errors import ConfigError
from zoo.images import fade, open_photo, to_tensor
from zoo.layers import make_conv
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


@pytest.fixture
def recorder(monkeypatch):
    """The recorder of all engines, which has recorded nothing yet."""
    monkeypatch.setattr(gpu_engine, "RECORDER", gpu_engine.Recorder())
    return monkeypatch


def test_what_comes_twice_running_is_recorded_and_few_are_kept(recorder):
    made = []

    class Record:
        def __init__(self, generator, photo, pool):
            made.append(photo.shape[3])
            self.paint = generator

    recorder.setattr(gpu_engine, "_Record", Record)
    recorder.setattr(gpu_engine, "RECORDS", 2)
    recorder.setattr(gpu_engine, "LARGEST", 32 * 48)
    generator = random_generator(width=2, residual_blocks=1)
    engine, other = GpuEngine(generator), GpuEngine(generator)

    def paint(engine, *widths):
        for width in widths:
            photo = to_tensor(noise(width, 32))
            with torch.inference_mode():
                assert torch.allclose(engine.paint(photo), generator(photo), atol=1e-4)

    paint(engine, 32, 33, 32, 33, 64, 64)
    assert made == []  # in turns, or too large
    paint(engine, 32, 32, 32, 33, 33, 32, 33)
    assert made == [32, 33]
    paint(other, 33, 33)
    assert made == [32, 33, 33]  # of other weights
    paint(engine, 33, 33)
    assert made == [32, 33, 33]
    paint(engine, 32, 32)
    assert made == [32, 33, 33, 32]  # which had not been used for the longest time


@pytest.mark.parametrize("error, tries", [(torch.OutOfMemoryError("CUDA out of memory"), 3), (RuntimeError("capturing"), 1)])
def test_where_nothing_can_be_recorded_it_paints_on(recorder, error, tries):
    """Memory may be there again; what cannot be recorded is not tried again."""
    tried = []

    def fail(*_):
        tried.append(1)
        raise error

    recorder.setattr(gpu_engine, "_Record", fail)
    engine, photo = GpuEngine(random_generator(width=2, residual_blocks=1)), to_tensor(noise(40, 32))
    first = engine.paint(photo)
    assert all(torch.equal(engine.paint(photo), first) for _ in range(3)) and len(tried) == tries


def test_memory_that_records_keep_is_given_back_when_it_runs_out(recorder):
    engine, photo = GpuEngine(random_generator(width=2, residual_blocks=1)), to_tensor(noise(40, 32))
    paint, forgotten = engine.generator.forward, []
    recorder.setattr(gpu_engine.RECORDER, "_forget", lambda: forgotten.append(1))

    def full(x):
        if not forgotten:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return paint(x)

    engine.generator.forward = full
    assert torch.equal(engine.paint(photo), paint(photo)) and forgotten == [1]


def test_padding_keeps_channels_last_and_is_the_convolutions_own():
    conv = make_conv(16, 16, 3)
    narrowed, x = copy.deepcopy(conv), torch.rand(1, 16, 7, 9).to(memory_format=torch.channels_last)
    gpu_engine._narrow(narrowed)
    seen = []
    narrowed.register_forward_hook(lambda _, given, found: seen.append(given[0]))
    found = narrowed(x)
    assert found.dtype is torch.float16 and torch.allclose(found.float(), conv(x), atol=2e-3)
    assert seen[0].shape == (1, 16, 9, 11) and seen[0].is_contiguous(memory_format=torch.channels_last)


def test_numbers_beyond_half_precision_are_not_blamed_on_the_weights(monkeypatch):
    """As they would come of a photo unlike the trial's; and a seed where there is no noise is told first."""
    generator = random_generator(width=2, residual_blocks=1)
    engine = GpuEngine(generator)
    engine.paint = lambda photo: photo * torch.nan
    monkeypatch.setattr(painting, "_engine", lambda *_: GPU)
    monkeypatch.setattr(painting, "gpu_engine", lambda _: engine)
    assert paint_fast(generator, noise(40, 33)).engine == "module"
    with pytest.raises(ConfigError, match="no noise to vary"):
        paint_fast(generator, noise(40, 33), Manner(seed=1))


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
    assert len(found) == 4 and gpu_engine.RECORDER._kept


@on_gpu
def test_on_a_gpu_what_is_named_for_a_processor_is_the_module():
    generator = random_generator(width=2, residual_blocks=1).to("cuda")
    assert paint_fast(generator, noise(40, 33), Manner("torch")).engine == "module"
