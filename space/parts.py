"""The parts of the page that are wired to each other: what the layout makes, and what happens needs, by name."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from space.photo_input import PhotoInput


def tiles(pictures: list[Any] | None = None, **more: Any) -> gr.Gallery:
    """Pictures to tap, which open nothing; `more` as gr.Gallery takes it."""
    return gr.Gallery(
        pictures, show_label=False, object_fit="cover", allow_preview=False, interactive=False, buttons=[], **more
    )


@dataclass(frozen=True)
class Controls:
    """What a visitor sets. `picked` is the event of an example that was; `chosen` the style: (name, number of the choice);
    `seen` what was painted in this visit, and `strip` its thumbnails."""

    photo: PhotoInput
    picked: Dependency
    chosen: gr.State
    styles: gr.Gallery
    size: gr.Radio
    stop: gr.Button
    seen: gr.State
    strip: gr.Gallery


@dataclass(frozen=True)
class Knobs:
    """What is set of a result. Only the contrast, which fades the photo, and the strokes have it painted again; `left` is
    "batch" or "photo", `format` what it is kept as."""

    contrast: gr.Slider
    strokes: gr.Radio
    left: gr.Radio
    strength: gr.Slider
    colours: gr.Checkbox
    protect: gr.HTML
    format: gr.Radio

    @property
    def inputs(self) -> list[Component]:
        """What painting and finishing take."""
        return [*self.restored.values(), self.format]

    @property
    def restored(self) -> dict[str, Component]:
        """What belongs to a picture, and comes back with it, by the fields of `space.settings.Settings`."""
        return {name: getattr(self, name) for name in ("contrast", "strokes", "left", "strength", "colours", "protect")}


@dataclass(frozen=True)
class Result:
    """What a comparison shows. `saves` are in the order of `space.words.NORMS`; `unshown` stands
    where there is no `painting`; `link` holds the parameters of a link to it."""

    slider: gr.ImageSlider
    captions: gr.HTML
    info: gr.Markdown
    saves: tuple[gr.DownloadButton, ...]
    about: gr.Markdown
    painting: gr.Image
    unshown: gr.Markdown
    link: gr.JSON

    @property
    def outputs(self) -> list[Component]:
        """What painting changes."""
        return [self.slider, self.captions, self.info, *self.saves, self.about, self.painting, self.unshown, self.link]


@dataclass(frozen=True)
class Shared:
    """The styles of the Hub: the tiles and what they show, and a name that is entered."""

    gallery: gr.Gallery
    shown: gr.State
    name: gr.Textbox
    use: gr.Button


@dataclass(frozen=True)
class Trained:
    """A style that was trained on the page: its slug, None before there is one, and the button that has it painted."""

    slug: gr.State
    button: gr.Button


@dataclass(frozen=True)
class Parts:
    """All of them; `trained` where the page trains."""

    controls: Controls
    knobs: Knobs
    result: Result
    shared: Shared
    tabs: gr.Tabs
    trained: Trained | None = None
