"""The parts of the page that are wired to each other: what the layout makes, and what happens needs, by name."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from space.photo_input import PhotoInput


@dataclass(frozen=True)
class Controls:
    """What a visitor sets. `chosen` is the style: (name, number of the choice)."""

    photo: PhotoInput
    chosen: gr.State
    styles: gr.Gallery
    size: gr.Radio
    button: gr.Button


@dataclass(frozen=True)
class Result:
    """What a comparison shows, and the contrast that is set beside it. `saves` are in the order of `space.words.NORMS`."""

    slider: gr.ImageSlider
    info: gr.Markdown
    saves: tuple[gr.DownloadButton, ...]
    about: gr.Markdown
    painting: gr.Image
    contrast: gr.Slider

    @property
    def outputs(self) -> list[Component]:
        """What painting changes, in the order in which `space.events` returns it."""
        return [self.slider, self.info, *self.saves, self.about, self.painting]


@dataclass(frozen=True)
class Shared:
    """The styles of the Hub: the tiles and what they show, and a name that is entered."""

    gallery: gr.Gallery
    shown: gr.State
    name: gr.Textbox
    use: gr.Button
