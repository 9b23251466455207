"""Measurements of time and memory; the figures of docs/ that say what they were made with come from here."""

import zoo  # noqa: F401  (before any other library: it sees to it that Ctrl-C meanwhile leaves no traceback)
