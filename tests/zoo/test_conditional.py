"""Conditional normalization: rows are apart, and each exports exactly."""

import pytest
import torch

import zoo
from zoo.conditional import ConditionalNorm, choose, export, make_conditional, mix, share_convolutions
from zoo.config import NORMS
from zoo.errors import ConfigError, WeightsError


def conditional(norm, styles=3):
    torch.manual_seed(0)
    generator = make_conditional(zoo.create(norm=norm, width=2, residual_blocks=1), styles)
    for i, module in enumerate(m for m in generator.modules() if isinstance(m, ConditionalNorm)):
        for j, row in enumerate(module.rows):
            torch.nn.init.normal_(row.weight, generator=torch.Generator().manual_seed(100 * i + j))
            torch.nn.init.normal_(row.bias, generator=torch.Generator().manual_seed(100 * i + j + 50))
    for style in range(styles):  # gives each row running statistics of its own
        choose(generator.train(), style)(torch.rand(2, 3, 32, 32) * (style + 1) / styles)
    return generator.eval()


@pytest.mark.parametrize("norm", [norm for norm in NORMS if norm != "none"])
def test_a_row_exports_exactly_to_a_plain_generator(norm, tmp_path):
    generator, photos = conditional(norm), torch.rand(2, 3, 40, 37)
    outputs = []
    for style in range(3):
        plain = export(generator, style)
        assert plain.state_dict().keys() == zoo.create(norm=norm, width=2, residual_blocks=1).state_dict().keys()
        outputs.append(choose(generator, style)(photos))
        assert torch.equal(plain(photos), outputs[-1])
    assert not torch.allclose(outputs[0], outputs[1], atol=1e-3)


def test_a_conditional_generator_starts_as_its_plain_one():
    plain, photos = zoo.create(width=2, residual_blocks=1), torch.rand(1, 3, 32, 32)
    expected = plain(photos)
    assert torch.equal(choose(make_conditional(plain, 2), 1)(photos), expected)


@pytest.mark.slow
def test_training_one_style_leaves_the_rows_of_the_others_alone():
    generator = conditional("batch").train()
    before = {key: value.clone() for key, value in generator.state_dict().items() if ".rows." in key}
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.1)
    for _ in range(2):
        choose(generator, 1)(torch.rand(2, 3, 32, 32)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    changed = {key for key, value in generator.state_dict().items() if ".rows." in key and not torch.equal(value, before[key])}
    assert changed and all(".rows.1." in key for key in changed)


def test_blending_is_linear_in_the_rows():
    generator = conditional("instance")
    half = mix([export(generator, 0), export(generator, 2)], [0.25, 0.75]).enter.norm
    rows = generator.enter.norm.rows
    torch.testing.assert_close(half.weight, 0.25 * rows[0].weight + 0.75 * rows[2].weight)
    torch.testing.assert_close(half.bias, 0.25 * rows[0].bias + 0.75 * rows[2].bias)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_the_ends_of_a_blend_are_the_styles_themselves(norm):
    generator, photos = conditional(norm), torch.rand(1, 3, 40, 37)
    ends = [mix([export(generator, 0), export(generator, 2)], weights)(photos) for weights in ([1, 0], [0, 1])]
    assert torch.equal(ends[0], export(generator, 0)(photos)) and torch.equal(ends[1], export(generator, 2)(photos))


def test_generators_of_other_trainings_do_not_mix():
    one, other = (zoo.create(width=2, residual_blocks=1) for _ in range(2))
    assert share_convolutions([one, one]) and not share_convolutions([one, other])
    with pytest.raises(WeightsError, match="trained together"):
        mix([one, other], [0.5, 0.5])
    with pytest.raises(ConfigError, match="add up to 1"):
        mix([one, one], [0.5, 0.6])


def test_styles_of_one_training_blend_by_name(photo, tmp_path):
    generator, names = conditional("instance"), [str(tmp_path / "one"), str(tmp_path / "other")]
    for name, row in zip(names, (0, 2), strict=True):
        zoo.save(export(generator, row), name)
    between = zoo.blend(dict(zip(names, (0.25, 0.75), strict=True)))
    wanted = mix([zoo.load(name) for name in names], [0.25, 0.75])
    assert zoo.paint(between, photo, size=64) == zoo.paint(wanted, photo, size=64) != zoo.stylize(photo, names[1], size=64)
    with pytest.raises(WeightsError, match="trained together"):
        zoo.blend({"udnie": 0.5, "starry-night": 0.5})
