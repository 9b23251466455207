"""What the tab "Train" says."""

from space.train.job import Standing
from space.words import plain

TRAIN = """
## A style of your own
Drop a painting and say what it is. What you get is the exact command that trains a network to paint like it, for the machine
you have, and how long that takes. What it learns paints any photo in one pass, and can be shared.
"""
HERE = """
## Or here and now
A short training on this machine, which begins with what another style has learnt: after a minute the palette, then the strokes.
"""
NOT_HERE = """
On a machine of your own, `python -m space.serve --train` opens this page with a button that starts a training right here.
"""
NOTHING = "Nothing is being trained. Drop a painting above, then start."


def how_it_stands(stands: Standing, mine: bool) -> str:
    """Markdown: how a training on the page stands; of another visitor's only that it is under way."""
    of = f"step {stands.step} of {stands.steps}"
    left = f" · about {_time(stands.seconds_left)} left" if stands.seconds_left is not None else ""
    if not mine:
        return f"Somebody else's training is under way: {of}{left}." if stands.runs else NOTHING
    loss = f" · loss {stands.loss:.3g}" if stands.loss is not None else ""
    words = {
        "running": f"**Training**: {of}{loss}{left}"
        if stands.step
        else "**Starting**: photos and painting are read, then the first preview comes",
        "stopping": f"**Stopping** after {of}: what was learnt so far becomes a style",
        "done": f"**Done**: {of}{loss}. Try it, or share it",
        "stopped": f"**Stopped** after {of}. The checkpoint is kept: *Go on* takes it up with the same painting and words",
        "failed": f"**This did not work**: {plain(stands.error)}",
    }
    return words[stands.state]


def _time(seconds: float) -> str:
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{round(seconds / 60)} minutes"
