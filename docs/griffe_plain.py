"""Griffe's extension of the reference: what docstrings set as a terminal shows it stays so, and what is public has one."""

import logging
import re
from typing import Any

import griffe

SET = re.compile(r"^(?: {1,3}\S|>>> |(?:\S+ ){1,6} +\S)", re.M)  # indented, an example, or two columns
log = logging.getLogger("mkdocs.plugins.repository")


class Plain(griffe.Extension):
    """Columns, commands and examples become blocks of code."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for every module, class, function and attribute, but the package."""
        if obj.docstring:
            paragraphs = obj.docstring.value.split("\n\n")
            obj.docstring.value = "\n\n".join(f"```text\n{p}\n```" if SET.search(p) else p for p in paragraphs)
        elif (obj.is_function or obj.is_class) and not any(part.startswith("_") for part in obj.path.split(".")):
            log.warning("%s is public and has no docstring", obj.path)

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Called for the package."""
        self.on_object(obj=pkg)
