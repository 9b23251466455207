"""Ctrl-C and SIGTERM, answered between two steps instead of in the middle of one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STOP = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """A list that is empty until the first Ctrl-C or SIGTERM arrives; the second interrupts at once, as usual.

    Outside the main thread, where Python allows no signal handlers, the list stays empty.
    """
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def note(number: int, frame: object) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)
        print("\nstopping after this step; once more to stop at once", flush=True)

    before = {number: signal.signal(number, note) for number in _STOP}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
