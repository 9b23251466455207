"""The page: its layout. A stranger sees a comparison at once, then puts their own photo in."""

import sys
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from space import api, blocklist, community, events, moving, opening, sessions, textures, why  # noqa: F401 (see sessions)
from space.credit import FORMATS
from space.files import FILES, own_folder
from space.guard import UPLOAD, guard
from space.languages import t, translations
from space.names import NAME
from space.page import Page
from space.parts import Controls, Knobs, Parts, Result, tiles
from space.photo_input import PhotoInput
from space.protect import add_pad
from space.settings import PHOTOS, REMEMBERED, SIZES, STROKES
from space.status import status_routes
from space.theme import make_theme
from space.train import tab as train
from space.words import HERO, NORMS, about, as_hung, captions
from zoo import hub
from zoo.catalog import list_styles, sound_styles
from zoo.cli import say
from zoo.errors import StyleNotFoundError
from zoo.style import Style

HERE = Path(__file__).parent
MANUAL = HERE.parent / "site"  # what `make docs` builds
BROWSER = HERE.parent / "browser"  # what `python -m space.static browser/` builds
QUEUE = 32  # requests that may wait

UNSHOWN = "No free picture of the painting comes with this style."
ALONE = "Rather keep your photo to yourself? [Run it in your browser](browser/): it never leaves your device."


def build_demo() -> gr.Blocks:
    """The page with its API, ready to `launch(**launch_options())`. Raises StyleNotFoundError for an empty zoo, ConfigError for
    a list of blocked styles that blocks nothing."""
    blocklist.patterns()
    own_folder()
    hub.serve_strangers()
    sound, problems = sound_styles()
    for problem in problems:
        say(f"left out: {problem}", sys.stderr)
    hung = as_hung(sound)
    styles, makers = ([style for style in hung if style.takes_photo == takes] for takes in (True, False))
    if not styles:
        raise StyleNotFoundError("the zoo has no style that paints photos: train one with python -m training.train --pair")
    with Page(title="Missing Ingredient", delete_cache=(3600, 86400)) as demo:
        gr.Markdown(t(HERO), elem_id="hero")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab(t("Compare"), id="compare"):
                with gr.Row(elem_id="studio"):
                    with gr.Column(scale=3, min_width=260):
                        result, knobs = _result_column(styles[0])
                    with gr.Column(scale=2, min_width=260):
                        controls = _control_column(styles)
                if _built(BROWSER):
                    gr.Markdown(t(ALONE), elem_id="alone")
            with gr.Tab(t("Why instance norm?"), id="why"):
                why.add_tab(controls.photo, controls.chosen, _built(MANUAL))
            with gr.Tab(t("Video"), id="moving-tab") as tab:
                moving.add_tab(demo, tab, tabs, styles, controls.chosen)
            with gr.Tab(t("Train"), id="train-tab") as tab:
                trained = train.add_tab(tab, controls.photo, styles)
            with gr.Tab(t("Community"), id="community-tab") as tab:
                shared = community.add_tab(tab)
            with gr.Tab(t("Textures"), id="textures-tab") as tab:
                textures.add_tab(tab, makers)
        events.wire(demo, styles, Parts(controls, knobs, result, shared, tabs, trained))
        api.add_api(styles)
    FILES.keep(demo)
    # Without api_open every function could be called past the queue, by its index, and past all of its limits.
    return demo.queue(max_size=QUEUE, api_open=False)


def launch_options() -> dict:
    """Arguments of `launch` that belong to the page."""
    bundled = [str(style.folder / "images") for style in list_styles() if style.source == "bundled"]  # others: see community
    return {
        "theme": make_theme(),
        "css_paths": HERE / "style.css",
        "js": NAME,
        "i18n": translations(),
        "footer_links": ["api", "settings"],
        "enable_monitoring": False,  # /metrics says as much, and no address of it is printed for whoever asks
        "run_history": False,  # nobody's photos are kept, not even in their own browser
        "max_file_size": UPLOAD,
        "max_threads": 100,  # most of which wait for their turn
        "favicon_path": HERE / "mark.svg",
        "pwa": True,  # a browser offers to install it
        "app_kwargs": {"middleware": [guard()], "routes": [*status_routes(), *_routes()]},
        "allowed_paths": [*map(str, PHOTOS), *bundled],
    }


def _built(folder: Path) -> bool:
    return (folder / "index.html").is_file()


def _routes() -> list[Mount]:
    """The documentation below /docs and the page without a server below /browser, where they were built."""
    sites = {"/docs": MANUAL, "/browser": BROWSER}
    return [Mount(path, StaticFiles(directory=folder, html=True)) for path, folder in sites.items() if _built(folder)]


def _result_column(style: Style) -> tuple[Result, Knobs]:
    first = opening.of(style)
    batch, instance = (str(first.pictures[norm]) if first.is_hazy else community.picture(style, norm) for norm in NORMS)
    painted = community.picture(style, "painting")
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
    sides = gr.HTML(t(captions("batch")), elem_id="captions")
    contrast = gr.Slider(
        10, 100, value=first.contrast, step=5, label=t("Contrast of your photo, %"), elem_id="contrast",
        info=t("Fade the photo and let go: instance norm does not mind."),
    )  # fmt: skip
    with gr.Accordion(t("More"), open=False, elem_id="more"):
        with gr.Row():
            left = gr.Radio(
                [(t("batch norm"), "batch"), (t("my photo"), "photo")], value="batch", label=t("On the left"), elem_id="left"
            )
            keep = gr.Checkbox(False, label=t("Keep my photo's colours"), elem_id="keep-colours", container=False)
        strokes = gr.Radio(
            [(t(word), share) for word, share in STROKES.items()], value=1.0, label=t("Brush strokes"), elem_id="strokes"
        )
        strength = gr.Slider(0, 1, value=1, step=0.05, label=t("Strength of the paint"), elem_id="strength")
        protect = add_pad()
    with gr.Row(elem_id="downloads"):
        saves = [
            gr.DownloadButton(t(f"Download {norm} norm"), size="sm", interactive=False, min_width=150, elem_id=f"save-{norm}")
            for norm in NORMS
        ]
        kept_as = gr.Radio(list(FORMATS), value="PNG", label=t("Format of downloads"), show_label=False, container=False,
                           min_width=150, scale=0, elem_id="format")  # fmt: skip
        gr.Button(t("Copy link"), size="sm", scale=0, min_width=90, elem_id="copy-link").click(None, js=events.COPY_LINK)
        gr.HTML(t(events.COPIED), visible="hidden", elem_id="copied")
    info = gr.Markdown(t(first.words), elem_id="info")
    with gr.Row(elem_id="painting-row"):
        painting = gr.Image(painted, label=t("the painting"), interactive=False, height=120, buttons=[],
                            visible=bool(painted), min_width=110, elem_id="painting")  # fmt: skip
        unshown = gr.Markdown(t(UNSHOWN), visible=not painted, elem_id="no-painting")
        words = gr.Markdown(about(style), elem_id="about")
    result = Result(slider, sides, info, tuple(saves), words, painting, unshown, gr.JSON(visible=False))
    return result, Knobs(contrast, strokes, left, strength, keep, protect, kept_as)


def _control_column(styles: list[Style]) -> Controls:
    examples = [str(path) for path in PHOTOS]
    photo = PhotoInput(
        value=examples[0],
        sources=["upload", "clipboard", "webcam"],
        label=t("Your photo"),
        height=200,
        buttons=[],
        elem_id="photo",
    )
    picked: Any = gr.Examples([[path] for path in examples], [photo], label=t("or one of these"), elem_id="examples")
    style_picker = tiles(
        [community.tile(style) for style in styles],
        label=t("Style: tap one"),
        columns=3,
        height="auto",
        fit_columns=False,
        selected_index=0,
        elem_id="styles",
    )
    size = gr.Radio(
        [(word if word.endswith(" px") else t(word), size) for word, size in SIZES.items()],
        value=512, label=t("Resolution (long side)"), elem_id="size",
    )  # fmt: skip
    stop = gr.Button(t("Stop painting"), size="sm", visible=False, elem_id="stop")
    gr.Markdown(t("This visit's pictures: tap one to have it back"), elem_id="visit")
    strip = tiles(label=t("Pictures of this visit"), columns=REMEMBERED, elem_id="strip")
    return Controls(
        photo, picked.load_input_event, gr.State((styles[0].slug, 0)), style_picker, size, stop, gr.State([]), strip
    )
