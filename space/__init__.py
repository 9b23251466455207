"""The Gradio page: batch norm and instance norm side by side."""

import os

import zoo  # noqa: F401  (before any other library: it sees to it that Ctrl-C meanwhile leaves no traceback)

# The page talks to its visitor only: gradio reads this at import and otherwise reports every launch.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from space.ui import build_demo, launch_options

__all__ = ["build_demo", "launch_options"]
