"""A ZeroGPU Space, played by a stand-in for its library: what is decorated runs in a process that ends with the call."""

import importlib
import multiprocessing
import pickle
import sys
import types

import pytest

import space.gpu
import zoo.errors
from zoo.errors import WeightsError, ZooError


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
            fork = multiprocessing.get_context("fork")
            results = fork.Queue()
            process = fork.Process(target=work, args=(results, args))
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


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="a Space forks")
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


def test_every_error_can_be_sent_to_another_process():
    """(issue 13, item 27)"""
    kinds = [kind for kind in vars(zoo.errors).values() if isinstance(kind, type) and issubclass(kind, ZooError)]
    assert len(kinds) > 8
    for kind in kinds:
        sent = pickle.loads(pickle.dumps(kind("what came, and what is needed")))
        assert type(sent) is kind and str(sent) == "what came, and what is needed"
