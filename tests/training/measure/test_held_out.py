"""The held-out objective against its definition, step by step in NumPy."""

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from training.measure import metrics
from training.measure.held_out import (
    MOST_PHOTOS,
    PHOTO_SIZE,
    batch_statistics,
    freeze_statistics,
    held_out_objective,
    measure,
    psnr,
    square_batches,
    untouched,
    whole_photos,
)
from training.measure.picture_errors import PictureErrors, painters_errors
from training.measure.robustness import border_test, contrast_test, seconds_a_picture, stability_test
from training.objective.vgg import load_vgg
from training.paper import experiments
from training.running import export, report
from zoo.errors import TrainingError
from zoo.images import list_photos, open_photo


def features(vgg, image, layers):
    pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 255
    return {name: value[0].double().numpy() for name, value in vgg(pixels, layers).items()}


def gram(f):
    flat = f.reshape(len(f), -1)
    return flat @ flat.T / flat.size


@pytest.mark.slow
def test_the_definition(examples, photo):
    vgg, painting = load_vgg(), Image.open(examples / "sunset.jpg")
    layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")

    def negative(photos):
        return 1 - photos

    found = measure(held_out_objective(vgg, painting), {"photo": untouched, "negative": negative}, whole_photos([photo], 64))

    small = Image.open(photo).resize((64, 64), Image.Resampling.LANCZOS)
    w, h = painting.size
    a = features(vgg, painting.resize((round(w * 256 / h), 256), Image.Resampling.LANCZOS), layers)
    c = features(vgg, small, layers)
    y = features(vgg, Image.fromarray(255 - np.asarray(small)), layers)
    content = ((y["relu3_3"] - c["relu3_3"]) ** 2).mean()
    style = sum(((gram(y[name]) - gram(a[name])) ** 2).mean() for name in layers)
    assert found["negative"]["content"] == pytest.approx(content, rel=1e-3)
    assert found["negative"]["style"] == pytest.approx(style, rel=1e-3)
    assert found["negative"]["objective"] == pytest.approx(content + 5 * style, rel=1e-3)
    assert found["photo"]["content"] == 0


@pytest.mark.slow
def test_means_run_over_photos_not_batches(examples):
    objective = held_out_objective(load_vgg(), open_photo(examples / "sunset.jpg"))
    photos = list_photos(examples)[:3]
    tensors = list(whole_photos([photos[0]] * 2, 32)) + list(whole_photos([photos[1]], 32))
    alone = measure(objective, {"photo": untouched}, tensors)
    batched = measure(objective, {"photo": untouched}, [torch.cat([tensors[0]] * 2), tensors[2]])
    assert alone["photo"]["style"] == pytest.approx(batched["photo"]["style"], rel=1e-4)


def test_square_batches_are_full(examples):
    batches = list(square_batches(list_photos(examples)[:5], 32))
    assert [tuple(batch.shape) for batch in batches] == [(4, 3, 32, 32)] * 2
    (few,) = square_batches(list_photos(examples)[:3], 32)
    assert torch.equal(few, batches[0][:3])  # no photo twice: it would be measured twice, and weigh twice in the statistics


def test_photos_are_measured_at_the_size_that_is_documented():
    """By trainings, their records and the experiments; elsewhere in the tests they are smaller."""
    assert PHOTO_SIZE == 256
    assert all(module.PHOTO_SIZE == PHOTO_SIZE for module in (metrics, report, export, experiments))


def test_batch_statistics_are_used_and_not_gathered():
    torch.manual_seed(0)
    generator, photos = zoo.create(norm="batch", width=2, residual_blocks=1).eval(), torch.rand(4, 3, 32, 32)
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    plain = generator(photos)
    with batch_statistics(generator):
        inside = generator(photos)
    assert not torch.allclose(plain, inside, atol=1e-3)
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())
    assert torch.equal(generator(photos), plain)
    torch.testing.assert_close(generator.train()(photos), inside)


def test_frozen_statistics_are_the_averages_of_each_pictures_own():
    torch.manual_seed(0)
    generator = zoo.create(norm="instance", width=2, residual_blocks=1).eval()
    with torch.no_grad():
        for p in generator.parameters():
            p.copy_(torch.rand_like(p))
    photos, seen = list(torch.rand(3, 1, 3, 32, 32)), []
    generator.enter.conv.register_forward_hook(lambda module, x, y: seen.append(y[0].detach().double().numpy()))
    frozen = freeze_statistics(generator, photos)
    mean = np.mean([y.mean(axis=(1, 2)) for y in seen], axis=0)
    variance = np.mean([y.var(axis=(1, 2)) for y in seen], axis=0)

    norm, x = frozen.enter.norm, torch.rand(2, 2, 5, 5)
    wanted = (x.double().numpy() - mean[:, None, None]) / np.sqrt(variance[:, None, None] + norm.eps)
    weight, bias = (p.detach().double().numpy()[:, None, None] for p in (norm.weight, norm.bias))
    np.testing.assert_allclose(norm(x).detach().numpy(), wanted * weight + bias, rtol=1e-4)
    assert frozen.enter.norm.weight.equal(generator.enter.norm.weight)
    one = freeze_statistics(generator, photos[:1])  # its own statistics: nothing changes on that photo
    torch.testing.assert_close(one(photos[0]), generator(photos[0]), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(one(photos[0] / 4), generator(photos[0] / 4), atol=1e-3)


@pytest.fixture
def tf32():
    """Both places where torch allows TF32, allowed."""
    backends = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [backend.allow_tf32 for backend in backends]
    for backend in backends:
        backend.allow_tf32 = True
    yield backends
    for backend, allowed in zip(backends, before, strict=True):
        backend.allow_tf32 = allowed


@pytest.mark.slow
def test_what_is_measured_is_float32_on_a_gpu_too(tf32):
    """No TF32 while a measurement computes, and afterwards what there was before (issue 13, item 15)."""
    seen = []

    class Watched(torch.nn.Conv2d):
        def forward(self, x):
            seen.extend(backend.allow_tf32 for backend in tf32)
            return super().forward(x)

    def calls():
        found, seen[:] = list(seen), []
        return found

    photo, painter = torch.rand(1, 3, 192, 192), Watched(3, 3, 1)
    vgg = load_vgg()
    vgg.register_forward_pre_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    picture = Image.new("RGB", (32, 32))
    objective = held_out_objective(vgg, picture)
    for compute in (
        lambda: None,
        lambda: measure(objective, {"painter": painter}, [photo]),
        lambda: psnr(painter, [photo]),
        lambda: freeze_statistics(painter, [photo]),
        lambda: painters_errors(PictureErrors(vgg, picture, (32,)), {"painter": painter}, [picture]),
        lambda: contrast_test(painter, objective, [photo]),
        lambda: border_test(painter, [photo], torch.device("cpu")),
        lambda: stability_test(painter, [photo], torch.device("cpu")),
    ):
        compute()
        assert (found := calls()) and not any(found)
        assert all(backend.allow_tf32 for backend in tf32)
    seconds_a_picture(painter, 32, torch.device("cpu"))  # is as a user has it
    assert all(calls())


def test_more_photos_than_a_record_names_are_refused(tmp_path):
    photos = [tmp_path / f"{k}.jpg" for k in range(MOST_PHOTOS + 1)]
    with pytest.raises(TrainingError, match="500 at most.*got 501"):
        next(square_batches(photos, 32))
