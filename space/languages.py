"""The page's texts in the visitor's language: gradio has the browser put in what `t` marks, by the language it is set to.

English stands in the code. languages.json has the others, by the English: {english: {language: text}}. What is said of a
picture or of an error, as it happens, is English everywhere.
"""

import json
import re
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

_TEXTS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("languages.json").read_text(encoding="utf-8"))
LANGUAGES = ("de", "fr", "es", "zh-CN")  # as browsers name them
_said: dict[str, dict[str, str]] = {}  # what was asked for, by its key, in all languages


def t(english: str) -> Any:
    """A text, Markdown or not, that the browser shows in the visitor's language, for any of gradio's words.

    Raises KeyError when languages.json lacks it.
    """
    words = " ".join(english.split())
    key = re.sub(r"\W+", "_", words)[:80]  # a dot would be a way into a tree
    _said[key] = {"en": english.strip(), **_TEXTS[words]}
    return I18nData(key)


def translations() -> gr.I18n:
    """What `launch` takes: every text that was marked, in English and in all of LANGUAGES."""
    return gr.I18n(**{one: {key: texts[one] for key, texts in _said.items()} for one in ("en", *LANGUAGES)})
