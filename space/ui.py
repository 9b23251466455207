"""The page: its layout. A stranger sees a comparison at once, then puts their own photo in."""

import os
import sys
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from space import actions, api, community, events, opening, why
from space.credit import FORMATS
from space.files import FILES, own_folder
from space.guard import UPLOAD, guard
from space.page import Page
from space.parts import Controls, Knobs, Parts, Result
from space.photo_input import PhotoInput
from space.settings import PHOTOS, REMEMBERED, SIZES
from space.status import status_routes
from space.theme import make_theme
from space.words import NORMS, about, as_hung, captions
from zoo import hub
from zoo.catalog import list_styles, sound_styles
from zoo.cli import say
from zoo.errors import StyleNotFoundError
from zoo.style import Style

HERE = Path(__file__).parent
MANUAL = HERE.parent / "site"  # what `make docs` builds
QUEUE = 32  # requests that may wait

HERO = """
# Missing Ingredient
One network, trained twice on the same photos and the same painting. Only the normalization layer differs: on a hazy day
one paints mud, the other the picture. **Drag the line** — then try your own photo.
"""
COPY_LINK = """async () => {
  const button = document.querySelector('#copy-link');
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = 'Copied';
    setTimeout(() => button.textContent = 'Copy link', 1500);
  } catch {  // a browser that does not let pages do that, or an address without https
    prompt('The link to this picture:', location.href);
  }
}"""


def build_demo() -> gr.Blocks:
    """The page with its API, ready to `launch(**launch_options())`. Raises StyleNotFoundError for an empty zoo."""
    own_folder()
    hub.serve_strangers()
    sound, problems = sound_styles()
    unfit = {style.slug: actions.unfit(style) for style in sound}
    for problem in [*problems, *filter(None, unfit.values())]:
        say(f"left out: {problem}", sys.stderr)
    styles = as_hung([style for style in sound if not unfit[style.slug]])
    if not styles:
        raise StyleNotFoundError("the zoo has no style that paints photos: train one with python -m training.train --pair")
    with Page(title="Missing Ingredient", delete_cache=(3600, 86400)) as demo:
        gr.Markdown(HERO, elem_id="hero")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Compare", id="compare"):
                with gr.Row(elem_id="studio"):
                    with gr.Column(scale=3, min_width=260):
                        result, knobs = _result_column(styles[0])
                    with gr.Column(scale=2, min_width=260):
                        controls = _control_column(styles)
            with gr.Tab("Why instance norm?", id="why"):
                why.add_tab(controls.photo, controls.chosen, bool(_manual()))
            with gr.Tab("Community", id="community-tab") as tab:
                shared = community.add_tab(tab)
        events.wire(demo, styles, Parts(controls, knobs, result, shared, tabs))
        api.add_api(styles)
    FILES.keep(demo)
    # Without api_open every function could be called past the queue, by its index, and past all of its limits.
    return demo.queue(max_size=QUEUE, api_open=False)


def launch_options() -> dict:
    """Arguments of `launch` that belong to the page."""
    pictures = [*map(str, PHOTOS), *(str(style.folder / "images") for style in list_styles())]  # local styles lie anywhere
    return {
        "theme": make_theme(),
        "css_paths": HERE / "style.css",
        "footer_links": ["api", "settings"],
        "run_history": False,  # nobody's photos are kept, not even in their own browser
        "max_file_size": UPLOAD,
        "favicon_path": HERE / "mark.svg",
        "app_kwargs": {"middleware": [guard()], "routes": [*status_routes(), *_manual()]},
        "allowed_paths": [path for path in pictures if os.path.exists(path)],  # a link in a ring would break every answer
    }


def _manual() -> list[Mount]:
    """The documentation below /docs, where it was built."""
    return [Mount("/docs", StaticFiles(directory=MANUAL, html=True))] if (MANUAL / "index.html").is_file() else []


def _result_column(style: Style) -> tuple[Result, Knobs]:
    hazy = style.slug == opening.STYLE and style.source == "bundled"
    shown = opening.PICTURES if hazy else {norm: style.picture(norm) for norm in NORMS}
    batch, instance, painted = (str(path) if path else None for path in (*shown.values(), style.picture("painting")))
    slider = gr.ImageSlider(
        value=(batch, instance) if batch and instance else None,
        format="png",  # lossless: the two sides must differ by their norm alone
        type="filepath",
        interactive=False,
        show_label=False,
        max_height=620,
        buttons=["fullscreen"],
        elem_id="comparison",
    )
    sides = gr.HTML(captions("batch"), elem_id="captions")
    contrast = gr.Slider(
        10, 100, value=opening.CONTRAST if hazy else 100, step=5, label="Contrast of your photo, %", elem_id="contrast",
        info="Fade the photo and let go: instance norm does not mind.",
    )  # fmt: skip
    with gr.Accordion("More", open=False, elem_id="more"):
        with gr.Row():
            left = gr.Radio(
                [("batch norm", "batch"), ("my photo", "photo")], value="batch", label="On the left", elem_id="left"
            )
            keep = gr.Checkbox(False, label="Keep my photo's colours", elem_id="keep-colours", container=False)
        strength = gr.Slider(0, 1, value=1, step=0.05, label="Strength of the paint", elem_id="strength")
    with gr.Row(elem_id="downloads"):
        saves = [gr.DownloadButton(f"Download {norm} norm", size="sm", interactive=False, min_width=150, elem_id=f"save-{norm}")
                 for norm in NORMS]  # fmt: skip
        kept_as = gr.Radio(list(FORMATS), value="PNG", label="Format of downloads", show_label=False, container=False,
                           min_width=150, scale=0, elem_id="format")  # fmt: skip
        gr.Button("Copy link", size="sm", scale=0, min_width=90, elem_id="copy-link").click(None, js=COPY_LINK)
    day = "A hazy day" if hazy else "An example"
    info = gr.Markdown(f"{day}, painted in advance: pick a style, or put your own photo in.", elem_id="info")
    with gr.Row(elem_id="painting-row"):
        painting = gr.Image(painted, label="the painting", interactive=False, height=120, buttons=[],
                            visible=bool(painted), min_width=110, elem_id="painting")  # fmt: skip
        words = gr.Markdown(about(style), elem_id="about")
    result = Result(slider, sides, info, tuple(saves), words, painting, gr.JSON(visible=False))
    return result, Knobs(contrast, left, strength, keep, kept_as)


def _control_column(styles: list[Style]) -> Controls:
    examples = [str(path) for path in PHOTOS]
    photo = PhotoInput(
        value=examples[0],
        sources=["upload", "clipboard", "webcam"],
        label="Your photo",
        height=200,
        buttons=[],
        elem_id="photo",
    )
    picked: Any = gr.Examples([[path] for path in examples], [photo], label="or one of these", elem_id="examples")
    pictures = [(str(style.picture() or examples[0]), style.title) for style in styles]
    style_picker = gr.Gallery(
        pictures,
        label="Style: tap one",
        show_label=False,  # it would cover the first
        columns=3,
        height="auto",
        fit_columns=False,
        object_fit="cover",
        allow_preview=False,
        selected_index=0,
        interactive=False,
        buttons=[],
        elem_id="styles",
    )
    size = gr.Radio([(f"{s} px", s) for s in SIZES], value=512, label="Resolution (long side)", elem_id="size")
    gr.Markdown("This visit's pictures: tap one to have it back", elem_id="visit")
    strip = gr.Gallery(
        label="Pictures of this visit",
        show_label=False,
        columns=REMEMBERED,
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="strip",
    )
    return Controls(photo, picked.load_input_event, gr.State((styles[0].slug, 0)), style_picker, size, gr.State([]), strip)
