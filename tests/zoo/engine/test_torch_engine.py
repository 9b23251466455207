"""The torch engine against the module it stands for: at any size, by any strips, for every architecture, norm and padding."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

import zoo
from zoo.conditional import make_conditional
from zoo.config import NORMS as ALL_NORMS
from zoo.engine import convolutions, sweeps, torch_engine
from zoo.engine.convolutions import Conv
from zoo.engine.painting import Manner, costs, paint_fast
from zoo.engine.rows import Kept
from zoo.engine.torch_engine import LEVELS, TorchEngine
from zoo.errors import ConfigError, WeightsError
from zoo.images import fade, open_photo, to_tensor
from zoo.layers import make_norm
from zoo.style import PHOTO

NORMS = [norm for norm in ALL_NORMS if isinstance(make_norm(norm, 1, 1e-5), (*sweeps.KNOWN, nn.Identity))]  # of this engine


def random_generator(**keys):
    torch.manual_seed(0)
    generator = zoo.create(**keys).eval().requires_grad_(False).to(memory_format=torch.channels_last)
    for name, p in generator.named_parameters():
        if ".norm." in name:
            p.add_(torch.randn_like(p) / 4)
    for name, buffer in generator.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(std=0.3)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    return generator


def noise(width, height, contrast=1.0):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    return Image.fromarray((127 + contrast * (pixels - 127)).astype(np.uint8))


def compute_by_fours(monkeypatch, they_do=True):
    """Whatever the processor, and however small maps are."""
    monkeypatch.setattr(convolutions, "VECTORS", "AVX2" if they_do else "DEFAULT")
    monkeypatch.setattr(convolutions, "WIDE", 1)
    monkeypatch.setattr(convolutions, "LARGE", 1)


def painted(generator, image, level=0, tell=None, dtype=torch.float32):
    found = torch.full((1, 3, image.height, image.width), torch.nan)

    def take(row, x):
        found[:, :, row : row + x.shape[2]] = x

    TorchEngine(generator, dtype).paint(image, take, level, tell)
    return found


@pytest.mark.parametrize("padding", ["reflect", "circular"])
def test_the_sum_is_read_before_it_is_added_to(monkeypatch, padding):
    """At the lowest level a block is computed from what it is added to; circular padding reads the first rows at the last."""
    monkeypatch.setattr(sweeps, "STRIP", 1)
    generator, image = random_generator(width=2, residual_blocks=2, padding=padding), noise(40, 61)
    torch.testing.assert_close(painted(generator, image, LEVELS[-1]), generator(to_tensor(image)), rtol=0, atol=1e-4)


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_strips_at_any_level_give_the_modules_picture(monkeypatch, data):
    """Sizes, widths, norms, paddings, ways to enlarge, both architectures (issue 15)."""
    draw = data.draw
    generator = random_generator(
        architecture=draw(st.sampled_from(["johnson", "texture"])),
        norm=draw(st.sampled_from(NORMS)),
        padding=draw(st.sampled_from(["reflect", "zero", "replicate", "circular"])),
        upsampling=draw(st.sampled_from(["nearest", "bilinear"])),
        width=draw(st.integers(1, 4)),
        residual_blocks=draw(st.integers(1, 2)),
    )
    short, long = draw(st.integers(32, 90)), draw(st.integers(32, 400))
    image = noise(*draw(st.permutations([short, long])))
    monkeypatch.setattr(sweeps, "STRIP", draw(st.sampled_from([1, 2**16, 2**23])))
    compute_by_fours(monkeypatch, draw(st.booleans()))
    found = painted(generator, image, draw(st.sampled_from(LEVELS)))
    close = 1e-3 if generator.config.norm == "contrast" else 1e-4  # rounding grows in it
    torch.testing.assert_close(found, generator(to_tensor(image)), rtol=0, atol=close)


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("contrast", [1, 0.1])
def test_bfloat16_keeps_the_picture(norm, contrast, monkeypatch):
    """99.9% of the values within 2 levels, at a tenth of the contrast, too (issue 15)."""
    monkeypatch.setattr(sweeps, "STRIP", 2**20)
    generator, photo = zoo.load(zoo.find("starry-night"), norm), fade(open_photo(PHOTO).resize((131, 96)), contrast)
    exact, rounded = (255 * painted(generator, photo, dtype=dtype) for dtype in (torch.float32, torch.bfloat16))
    away = (exact.round() - rounded.round()).abs()
    assert 0 < away.max() and (away <= 2).float().mean() > 0.999


@pytest.mark.parametrize("n", range(4, 12))
def test_four_rows_at_a_time_are_the_convolution(n):
    """Winograd's way against torch's in float64, of any number of rows."""
    torch.manual_seed(0)
    layer, x = nn.Conv2d(6, 5, 3), torch.randn(1, 6, n + 2, 9).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        found, exact = convolutions.by_fours(x, layer), copy.deepcopy(layer).double()(x.double())
    assert found.dtype is torch.float32 and found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.double(), exact, rtol=0, atol=1e-5)


def test_four_rows_at_a_time_where_it_pays(monkeypatch):
    """With vectors of 256 bits and a map of 2**19 numbers (see the constants)."""
    generator = zoo.create()
    layer, half = generator.residual[0].first.conv, copy.deepcopy(generator.residual[0].first.conv).to(torch.bfloat16)
    monkeypatch.setattr(convolutions, "VECTORS", "AVX2")
    assert convolutions.is_by_fours(layer, 91**2) and not convolutions.is_by_fours(layer, 90**2)
    assert not any(convolutions.is_by_fours(other, 91**2) for other in (half, generator.enter.conv, generator.down2.conv))
    monkeypatch.setattr(convolutions, "VECTORS", "AVX512")
    assert not convolutions.is_by_fours(layer, 91**2)


@pytest.mark.parametrize("rows, times", [(3, 0), (4, 1), (9, 1)])
def test_four_rows_at_a_time_where_there_are_four(rows, times, monkeypatch):
    compute_by_fours(monkeypatch)
    called, by_fours = [], convolutions.by_fours
    monkeypatch.setattr(convolutions, "by_fours", lambda *a: (called.append(a), by_fours(*a))[1])
    layer = nn.Conv2d(2, 2, 3, padding=1).requires_grad_(False)
    x = torch.randn(1, 2, 12, 7).contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(Conv(Kept(x), layer).rows(2, 2 + rows), layer(x)[:, :, 2 : 2 + rows], rtol=0, atol=1e-5)
    assert len(called) == times


@pytest.mark.slow
@pytest.mark.parametrize("size", [(699, 700), (700, 431)])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_larger_pictures_at_the_zoos_width(norm, size, monkeypatch):
    monkeypatch.setattr(sweeps, "STRIP", 2**20)
    generator = random_generator(width=16, norm=norm)
    whole = generator(to_tensor(noise(*size)))
    for level in LEVELS:
        torch.testing.assert_close(painted(generator, noise(*size), level), whole, rtol=0, atol=1e-4)


@pytest.mark.parametrize("by_fours", [False, True])
@pytest.mark.parametrize("architecture", ["johnson", "texture"])
def test_it_is_exact_where_contrast_is_low(architecture, by_fours, monkeypatch):
    """Against float64: no further from it than a tenth of a level (issue 15)."""
    compute_by_fours(monkeypatch, by_fours)
    generator, image = random_generator(architecture=architecture, width=4, residual_blocks=2), noise(67, 64, 0.05)
    exact = copy.deepcopy(generator).double()
    assert 255 * (painted(generator, image) - exact(to_tensor(image).double())).abs().max() < 0.1


def test_the_last_levels_take_less_memory_and_more_work():
    for architecture in ("johnson", "texture"):
        engine = TorchEngine(random_generator(architecture=architecture))
        work, memory = zip(*(engine.plan((6000, 4000), level) for level in LEVELS), strict=True)
        assert list(work) == sorted(work) and list(memory) == sorted(memory, reverse=True)
        assert memory[-1] < memory[0] / 2 and work[-1] < 5 * work[0]


def test_a_hundred_megapixels_fit_into_four_gibibytes():
    """With the photo and the result, at the zoo's width, and one for the libraries (issue 15)."""
    assert min(costs(random_generator(width=16))((12000, 8400))) < 3 * 2**30


def test_a_norm_that_it_does_not_know_the_module_paints(monkeypatch):
    class GroupNorm(nn.GroupNorm):
        pass

    generator = random_generator(width=2)
    generator.enter.norm = GroupNorm(2, 2)
    monkeypatch.setattr(torch_engine, "NORMS", (*torch_engine.NORMS, GroupNorm))
    assert paint_fast(generator, noise(40, 40)).engine == "module"


def test_batch_norm_takes_one_sweep(monkeypatch):
    """Its statistics are known (issue 15)."""
    swept, strips = [], sweeps.Sweeps._strips
    monkeypatch.setattr(sweeps.Sweeps, "_strips", lambda self, *a: (swept.append(self.plan), strips(self, *a))[1])
    painted(random_generator(width=2, norm="batch"), noise(40, 40))
    assert swept.count(False) == 1


def test_the_share_that_is_done_is_told_and_what_is_raised_there_ends_it():
    told = []
    painted(random_generator(width=2), noise(64, 48), tell=told.append)
    assert told == sorted(told) and told[-1] == pytest.approx(1) and len(told) > 10

    def stop(share):
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_fast(random_generator(width=2), noise(64, 48), Manner(tell=stop))


def test_what_it_does_not_know_is_painted_by_the_module():
    other = make_conditional(random_generator(width=2), 2)
    other.__class__ = type("Another", (type(other),), {})
    assert not TorchEngine.knows(other)
    assert paint_fast(other, noise(40, 36)).engine == "module"
    assert paint_fast(random_generator(width=2), noise(40, 36)).engine == "torch"


def test_a_generator_of_many_styles_paints_in_the_one_that_is_chosen():
    generator = make_conditional(random_generator(width=2), 2)
    image = noise(40, 36)
    assert (
        np.abs(np.asarray(paint_fast(generator, image).image, float) / 255 - _numpy(generator(to_tensor(image)))).max() < 0.003
    )


def _numpy(x):
    return x[0].permute(1, 2, 0).numpy()


def test_another_seed_is_another_picture():
    generator = random_generator(architecture="texture", width=2)
    found = np.asarray(paint_fast(generator, noise(70, 64), Manner(seed=7)).image, float)
    wanted = 255 * generator(to_tensor(noise(70, 64)), seed=7)[0].permute(1, 2, 0).numpy()
    assert np.abs(found - wanted).max() < 0.53


def test_damaged_weights_and_unknown_engines_are_told():
    generator = random_generator(width=2)
    generator.leave.bias[1] = torch.nan
    with pytest.raises(WeightsError, match="not finite"):
        paint_fast(generator, noise(40, 40))
    with pytest.raises(ConfigError, match="unknown engine 'steam'"):
        Manner("steam")


def test_weights_that_change_are_painted_with():
    """The engine is kept from picture to picture."""
    generator, image = random_generator(width=2), noise(40, 36)
    before = np.asarray(paint_fast(generator, image).image, int)
    assert (np.asarray(paint_fast(generator, image).image, int) == before).all()
    generator.leave.bias.add_(1)
    assert np.abs(np.asarray(paint_fast(generator, image).image, int) - before).max() > 20
