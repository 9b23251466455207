"""What all commands share: one plain line for what went wrong, exit codes, an end without a traceback."""

import argparse
import functools
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, TextIO, TypeAlias

from zoo.errors import DoneInPart, ZooError, printable

MISTAKE, IN_PART, INTERRUPTED, NOBODY_READS, TERMINATED = 2, 3, 130, 141, 143  # exit codes; the last three as shells have them

# What commands are added to, for which argparse has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def say(line: object, file: TextIO | None = None) -> None:
    """Print a line in which a stranger's words may stand: the terminal shows them, and does not obey them."""
    print(printable(line), file=file or sys.stdout)


def fail(error: object) -> int:
    """What every command does with an error: one plain line on stderr; returns the exit code, 2."""
    say(f"error: {' '.join(str(error).split())}", sys.stderr)
    return MISTAKE


class Command(Protocol):
    """What a command's `main` is: called with its arguments, by default those of the process, it returns the exit code."""

    def __call__(self, argv: list[str] | None = None) -> int:
        """Run the command; 0 when it is done, else see `command`."""


def command(main: Callable[[list[str] | None], None]) -> Command:
    """Decorator of what a command runs: it returns the exit code.

    0; 2 for a ZooError, a file that cannot be used, too little memory (see `fail`); 3 for DoneInPart; 130 for Ctrl-C; 141 when
    nobody reads on (`| head`). SIGTERM ends it as Ctrl-C does, with everything tidied up, and exit code 143.
    """

    @functools.wraps(main)
    def run(argv: list[str] | None = None) -> int:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: letters that the terminal's encoding lacks
        try:
            with tidy_end():
                main(argv)
                sys.stdout.flush()
        except ZooError as error:
            code = fail(error)
            return IN_PART if isinstance(error, DoneInPart) else code
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            with suppress(OSError, ValueError):  # what is still to be written goes nowhere
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return NOBODY_READS
        except (MemoryError, RuntimeError) as error:
            from zoo.device import is_out_of_memory  # here, as torch takes seconds, in which Ctrl-C should be heeded

            if not is_out_of_memory(error):
                raise
            return fail("there is not enough memory: choose a smaller size, or free some")
        except OSError as error:
            return fail(f"{error.filename}: {error.strerror}" if error.filename is not None else error)
        return 0

    return run


@contextmanager
def tidy_end() -> Iterator[None]:
    """Inside, SIGTERM raises SystemExit, so that what is half written is removed. In the main thread, which alone may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@functools.cache
def above() -> dict[str, EntryPoint]:
    """The commands of the packages above the zoo, which imports none of them, by name; none in a mere clone."""
    return {one.name: one for one in entry_points(group="missing_ingredient.commands")}
