"""The look and the words of the page with gradio, as plain CSS and HTML: one source for both."""

import re

import gradio as gr


def variables(css: str, theme: gr.Theme) -> str:
    """CSS that sets, by day and by night, all variables that `css` uses and the theme has, to the theme's values."""
    names = {name for name in re.findall(r"var\(--([a-z0-9-]+)", css) if hasattr(theme, name.replace("-", "_"))}
    rules = []
    for selector, dark in ((":root", False), (".dark", True)):
        values = "".join(f"  --{name}: {_value(theme, name.replace('-', '_'), dark)};\n" for name in sorted(names))
        rules.append(f"{selector} {{\n{values}}}\n")
    return "".join(rules)


def _value(theme: gr.Theme, name: str, dark: bool) -> str:
    """What a name of the theme comes down to: it may refer to others by *name."""
    value = (getattr(theme, f"{name}_dark", None) if dark else None) or getattr(theme, name)
    return re.sub(r"\*(\w+)", lambda other: _value(theme, other[1], dark), value)


def to_html(markdown: str) -> str:
    """The little Markdown that `space.words` writes: one heading, paragraphs, bold, links; HTML in it stays."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", markdown.strip())
    text = re.sub(r"\[([^]]+)\]\(([^)\s]+)\)", r'<a href="\2">\1</a>', text)
    text = re.sub(r"\A# (.+)\n", r"<h1>\1</h1>\n", text)
    heading, tag, rest = text.rpartition("</h1>")
    paragraphs = (" ".join(part.split()) for part in rest.split("\n\n") if part.strip())
    return heading + tag + "".join(f"<p>{part}</p>" for part in paragraphs)
