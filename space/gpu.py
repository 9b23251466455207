"""The GPU of a ZeroGPU Space: lent for one call, in a process of its own that ends with it."""

import functools
import os
from collections.abc import Callable

from zoo.engine.choice import MODULE
from zoo.errors import ZooError

try:
    from spaces import GPU
except ImportError:  # anywhere but on a Space

    def GPU(**_):
        """The decorator of the `spaces` package, where there is no GPU to lend: it changes nothing."""
        return lambda function: function


def on_gpu(duration: int) -> Callable[[Callable], Callable]:
    """Decorator of what runs there, for at most `duration` seconds; pictures go in and out, not tensors.

    Of an error that leaves the process the Space tells the class alone; so a ZooError goes out as a result, with its words.
    """

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def answer(*args: object) -> tuple[object, ZooError | None]:
            if os.environ.get("SPACES_ZERO_GPU"):  # that process ends before what an engine sets up would pay
                os.environ.setdefault("MISSING_INGREDIENT_ENGINE", MODULE)
            try:
                return function(*args), None
            except ZooError as error:
                return None, error.with_traceback(None)

        lent = GPU(duration=duration)(answer)

        @functools.wraps(function)
        def call(*args: object) -> object:
            result, error = lent(*args)
            if error is not None:
                raise error
            return result

        return call

    return decorate
