"""One guarded step: what is not finite changes nothing, micro-batches change nothing for instance norm."""

import copy
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator

from training.config import TrainConfig
from training.data.paintings import Painting
from training.objective.losses import Objective
from training.objective.vgg import load_vgg
from training.running import loop
from training.running.checkpoint import save_checkpoint
from training.running.memory import smaller_micro_batch
from training.running.optimizers import parameter_groups
from training.running.processes import make_accelerator
from training.running.start import freeze
from training.running.twins import HALVINGS, PATIENCE, Twin, train_step
from zoo.conditional import make_conditional
from zoo.device import is_out_of_memory
from zoo.errors import TrainingError
from zoo.registry import create

CONFIG = TrainConfig(width=2, residual_blocks=1, crop_size=32, batch_size=4)


@pytest.fixture(scope="module")
def objective():
    painting = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    return Objective(load_vgg(), painting, {"relu1_2": 1.0}, {"relu1_2": 1.0})


@pytest.fixture
def photos():
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(2))


def make(norm, **keys):
    return Twin(norm, replace(CONFIG, **keys), 1, Accelerator())


def state(twin):
    return {key: value.clone() for key, value in twin.generator.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_a_step_that_is_not_finite_changes_nothing(norm, optimizer, objective, photos):
    """Whatever the optimiser heeds: Muon, and Adam on MPS, know nothing of `found_inf` (issue 13, item 6)."""
    twin = make(norm, optimizer=optimizer, averaging=0.9, clip=1.0)
    spoilt = photos.clone()
    spoilt[0, 0, 0, 0] = float("nan")
    before = state(twin)
    assert not train_step([twin], objective, spoilt, 0, 1.0)[norm]["total"].isfinite()
    assert same(before, state(twin))  # the very first, too
    train_step([twin], objective, photos, 0, 1.0)
    before, remembered = state(twin), copy.deepcopy([o.state_dict()["state"] for o in twin.optimizers])
    assert not train_step([twin], objective, spoilt, 0, 1.0)[norm]["total"].isfinite()
    assert same(before, state(twin))
    for old, optimizer in zip(remembered, twin.optimizers, strict=True):
        for key, values in optimizer.state_dict()["state"].items():
            assert same(old[key], values)
    assert all(value.isfinite().all() for value in twin.painter.state_dict().values())
    train_step([twin], objective, photos, 0, 1.0)
    assert not same(before, state(twin)) and all(value.isfinite().all() for value in state(twin).values())


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_a_row_whose_first_step_is_not_finite_leaves_all_others_as_they_were(norm, objective, photos):
    """The optimiser remembers its weights from then on, in between the others'."""
    twin = Twin(norm, replace(CONFIG, optimizer="muon"), 2, Accelerator())
    for _ in range(2):
        train_step([twin], objective, photos, 0, 1.0)
    before, buffers = state(twin), [o.state_dict()["state"] for o in copy.deepcopy(twin.optimizers)]
    assert not train_step([twin], objective, photos * float("nan"), 1, 1.0)[norm]["total"].isfinite()
    assert same(before, state(twin))
    for old, optimizer in zip(buffers, twin.optimizers, strict=True):
        now = optimizer.state_dict()["state"]
        assert all(same(old[key], now[key]) for key in old)
        assert not any(value.any() for key in now.keys() - old.keys() for value in now[key].values())
    train_step([twin], objective, photos, 1, 1.0)
    assert not same(before, state(twin)) and all(value.isfinite().all() for value in state(twin).values())


def test_a_checkpoint_of_version_0_1_is_taken_up(objective, photos):
    """It had one optimiser, whose groups had no rate of their own (issue 13, item 9)."""
    twin, other = make("instance"), make("instance")
    train_step([twin], objective, photos, 0, 1.0)
    old = copy.deepcopy(twin.state_dict())
    (old["optimizer"],) = old.pop("optimizers")
    for group in old["optimizer"]["param_groups"]:
        del group["rate"]
    del old["guard"]["steps"]
    other.load_state_dict(old)
    for each in (twin, other):
        train_step([each], objective, photos, 0, 1.0)
    assert same(state(twin), state(other))


@pytest.mark.slow
@pytest.mark.parametrize("keys", [{}, {"architecture": "texture"}, {"padding": "zero", "averaging": 0.9}])
def test_half_precision_is_of_steps_alone(keys, objective, tmp_path):
    """What is previewed, measured and stored is float32, after a run in float32, too (issue 13, items 5 and 13)."""
    photos = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    painted = {}
    for precision in ("float32", "bfloat16"):
        config = replace(CONFIG, precision=precision, **keys)
        twin = Twin("instance", config, 1, make_accelerator(config, 1, tmp_path, None))
        plain = create(config.generator("instance"))
        plain.load_state_dict(twin.painter.state_dict())
        for painter in (twin.generator, twin.painter):
            torch.testing.assert_close(painter.eval()(photos), plain.eval()(photos), rtol=0, atol=1e-5)
        painted[precision] = twin.forward(photos)
        assert painted[precision].dtype == torch.float32
        train_step([twin], objective, photos, 0, 1.0)
    assert 1e-4 < (painted["float32"] - painted["bfloat16"]).abs().mean() < 0.02


@pytest.mark.slow
def test_repeated_ones_halve_the_rate_and_then_end_the_run(objective, photos):
    twin, said = make("instance"), []
    bad = torch.full_like(photos, float("nan"))
    for round_ in range(1, HALVINGS + 1):
        for _ in range(PATIENCE):
            train_step([twin], objective, bad, 0, 1.0)
        twin.react_to_skipped_steps(10 * round_, said.append)
        assert twin.factor == 0.5**round_
    assert "3 steps of the instance-norm twin were not finite" in said[0] and "halved, now 0.5" in said[1]
    for _ in range(PATIENCE):
        train_step([twin], objective, bad, 0, 1.0)
    with pytest.raises(TrainingError, match="lower --learning-rate"):
        twin.react_to_skipped_steps(99, said.append)


@pytest.mark.parametrize("keys", [{}, {"optimizer": "muon", "averaging": 0.9}])
def test_the_halved_rate_survives_a_checkpoint(keys, objective, photos):
    twin = make("instance", **keys)
    twin.factor, twin.halvings, twin.skipped = 0.25, 2, 1
    train_step([twin], objective, photos, 0, 1.0)
    other = make("instance", **keys)
    other.load_state_dict(copy.deepcopy(twin.state_dict()))
    assert (other.factor, other.halvings, other.skipped) == (0.25, 2, 1) and same(state(twin), state(other))
    for each in (twin, other):
        train_step([each], objective, photos, 0, 1.0)
    assert same(state(twin), state(other)) and same(twin.painter.state_dict(), other.painter.state_dict())
    assert other.optimizers[0].param_groups[0]["lr"] == 0.25e-3


def test_weights_that_are_not_finite_are_not_kept():
    twin = make("instance")
    with torch.no_grad():
        twin.generator.leave.bias[0] = float("nan")
    with pytest.raises(TrainingError, match="no longer finite"):
        twin.state_dict()


def test_micro_batches_make_the_same_step_for_instance_norm(objective, photos):
    whole, parts = make("instance"), make("instance")
    a = train_step([whole], objective, photos, 0, 1.0)["instance"]
    b = train_step([parts], objective, photos, 0, 1.0, micro_batch=2)["instance"]
    for key in a:
        torch.testing.assert_close(a[key], b[key], rtol=1e-4, atol=1e-4)
    for key, value in state(whole).items():  # the first step of Adam is the gradient's sign times the rate
        assert (value - state(parts)[key]).abs().median() < 1e-6


def test_micro_batches_halve_through_divisors():
    sizes, config = [], TrainConfig(batch_size=12)
    for _ in range(3):
        config = smaller_micro_batch(config)
        sizes.append(config.micro_batch)
    assert sizes == [6, 3, 1]
    with pytest.raises(TrainingError, match="smaller --crop-size"):
        smaller_micro_batch(config)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(RuntimeError("shapes differ"))


@pytest.mark.slow
def test_out_of_memory_starts_again_smaller_but_never_throws_work_away(examples, tmp_path, monkeypatch):
    tried = []

    def train(run, *rest):
        tried.append(run.config.micro_batch)
        if run.config.micro_batch != 1:
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loop, "train", train)
    paintings = [Painting(examples / "sunset.jpg", "sunset")]
    loop.run(CONFIG, paintings, examples, tmp_path)
    assert tried == [0, 2, 1]
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    save_checkpoint(tmp_path / "run" / "checkpoints", 5, {"run": {"recipe": {"micro_batch": 2}}, "seconds": 1.0})
    with pytest.raises(TrainingError, match="is untouched"):
        loop.run(CONFIG, paintings, examples, tmp_path)
    assert tried[3:] == [2] and list((tmp_path / "run" / "checkpoints").iterdir())


def test_rows_of_many_styles_learn_faster():
    shared, rows = sorted(
        parameter_groups(make_conditional(create(width=2, residual_blocks=1), 5), 5), key=lambda group: group["scale"]
    )
    assert shared["scale"] == 1 and rows["scale"] == 5
    assert sum(p.numel() for p in rows["params"]) == 5 * sum(
        p.numel() for name, p in create(width=2, residual_blocks=1).named_parameters() if ".norm." in name
    )


@pytest.mark.parametrize(("only", "scales"), [("all", {1}), ("norm", {10}), ("norm+ends", {10, 3})])
def test_weights_on_a_frozen_base_learn_faster_and_nothing_else_does(only, scales):
    generator = create(width=2, residual_blocks=1)
    freeze(generator, only)
    groups = parameter_groups(generator, 1)
    assert {group["scale"] for group in groups} == scales
    assert sum(p.numel() for g in groups for p in g["params"]) == sum(
        p.numel() for p in generator.parameters() if p.requires_grad
    )


def test_the_noise_of_a_step_depends_on_the_step_alone(objective, photos):
    config = TrainConfig(architecture="texture", width=2, crop_size=32, batch_size=4)
    photos = torch.nn.functional.interpolate(photos, 64)

    def loss(seed):
        twin = Twin("instance", config, 1, Accelerator())
        return train_step([twin], objective, photos, 0, 1.0, seed=seed)["instance"]["total"]

    assert torch.equal(loss(3), loss(3)) and not torch.equal(loss(3), loss(4))
