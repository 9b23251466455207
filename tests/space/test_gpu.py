"""A ZeroGPU Space, played by a stand-in for its library: what is decorated runs in a process that ends with the call."""

import importlib
import multiprocessing
import os
import pickle
import sys
import time
import types

import numpy as np
import pytest
import torch

import space.gpu
import zoo.errors
from space import actions
from zoo.errors import WeightsError, ZooError
from zoo.painter import painter

forks = []  # one for each process that was lent


def lend(duration):
    """As `spaces.GPU` does: fork, send the result back pickled, and of an exception only the name of its class."""
    assert duration > 0

    def decorate(function):
        def work(results, args):
            try:
                results.put(pickle.dumps((True, function(*args))))
            except Exception as error:
                results.put(pickle.dumps((False, type(error).__name__)))

        def call(*args):
            forks.append(duration)
            fork = multiprocessing.get_context("fork")
            results = fork.Queue()
            process = fork.Process(target=work, args=(results, args), daemon=True)
            process.start()
            done, result = pickle.loads(results.get(timeout=20))
            process.join()
            if not done:
                raise RuntimeError(result)
            return result

        return call

    return decorate


@pytest.fixture
def on_gpu(monkeypatch):
    """The decorator as a Space has it."""
    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=lend))
    yield importlib.reload(space.gpu).on_gpu
    monkeypatch.undo()
    importlib.reload(space.gpu)


@pytest.fixture
def two_threads():
    """torch computes with two, whatever this machine has at the moment."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a Space forks")
def test_an_error_keeps_its_words_across_the_process(on_gpu):
    """(issue 13, item 27)"""

    @on_gpu(duration=5)
    def work(x):
        if x < 0:
            raise WeightsError("model.safetensors: enter.bias is not finite")
        return 2 * x

    assert work(21) == 42
    with pytest.raises(WeightsError, match="enter.bias is not finite"):
        work(-1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a Space forks")
def test_a_process_of_one_call_sets_no_engine_up(on_gpu, monkeypatch):
    monkeypatch.delenv("MISSING_INGREDIENT_ENGINE")
    named = on_gpu(duration=5)(lambda: os.environ.get("MISSING_INGREDIENT_ENGINE"))
    assert named() is None
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert named() == "module" and "MISSING_INGREDIENT_ENGINE" not in os.environ


def test_every_error_can_be_sent_to_another_process():
    """(issue 13, item 27)"""
    kinds = [kind for kind in vars(zoo.errors).values() if isinstance(kind, type) and issubclass(kind, ZooError)]
    assert len(kinds) > 8
    for kind in kinds:
        sent = pickle.loads(pickle.dumps(kind("what came, and what is needed")))
        assert type(sent) is kind and str(sent) == "what came, and what is needed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a Space forks")
def test_a_comparison_is_one_loan_and_what_was_loaded_stays(on_gpu, two_threads, photo, small_pair, monkeypatch):
    """The pair in one process, which finds the generators in its memory and paints, though its parent has painted, too
    (issue 13, item 8)."""
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))
    expected = actions.compare(str(photo), "small-pair", 256)  # whose threads do not come along into the fork

    def work(image, style, norms, manner):
        monkeypatch.setattr("zoo.painter.load", lambda *_: pytest.fail("was read again"))
        return painter().paint(image, style, norms)

    monkeypatch.setattr(actions, "paint_on_gpu", on_gpu(duration=5)(work))
    monkeypatch.setattr(actions, "_kept", actions.Kept())
    forks.clear()
    found = actions.compare(str(photo), "small-pair", 256)
    assert len(forks) == 1
    for norm in ("batch", "instance"):
        pictures = (np.asarray(one.picture(norm), int) for one in (found, expected))
        assert abs(np.subtract(*pictures)).max() <= 1 and found.painted[norm].seconds > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a Space forks")
def test_the_seconds_are_those_of_painting_alone(on_gpu, photo, small_pair, monkeypatch):
    """Neither of waiting for a GPU nor of loading (issue 13, item 8)."""
    monkeypatch.setenv("MISSING_INGREDIENT_STYLES", str(small_pair.parent))

    def work(image, style, norms, manner):
        time.sleep(1)
        return painter().paint(image, style, norms)

    monkeypatch.setattr(actions, "paint_on_gpu", on_gpu(duration=5)(work))
    assert sum(one.seconds for one in actions.compare(str(photo), "small-pair", 64).painted.values()) < 0.9
