"""The page: layout and wiring. A stranger sees a comparison at once, then puts their own photo in."""

import re
import sys
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_pil_to_cache
from gradio.utils import get_upload_folder

from space import actions, community
from space.photo_input import PhotoInput
from space.theme import make_theme
from zoo.catalog import PHOTO, Style, list_styles, sound_styles
from zoo.cli import say
from zoo.errors import ConfigError, StyleNotFoundError
from zoo.images import list_photos, open_photo

HERE = Path(__file__).parent
SIZES = [256, 512, 768, 1080]
QUEUE = 32  # requests that may wait

HERO = """
# Missing Ingredient
One network, trained twice on the same photos and the same painting. Only the normalization layer differs.
**Drag the line** — then try your own photo.
"""
CAPTIONS = """
<div class="sides">
<div class="batch"><strong>◀ Batch norm</strong>
<small>running statistics gathered in training (eval mode), the paper's baseline</small></div>
<div class="instance"><strong>Instance norm ▶</strong>
<small>each photo's own statistics, also at test time (eq. 3)</small></div>
</div>
"""
WHY = """
How a painting looks should not depend on how contrasty your photo is. **Batch norm** rescales every feature by figures
averaged over thousands of training photos, so a dull photo stays dull and a harsh one stays harsh, and the network must
learn to undo that. **Instance norm** rescales each feature by the photo's own mean and variance: the contrast is gone
before the network has to deal with it, and the same training goes much further. Fade the photo with the contrast
slider and compare: that is the whole of
[Ulyanov, Vedaldi, Lempitsky 2016](https://arxiv.org/abs/1607.08022), in one picture.
"""
TO_RESULT = "() => document.querySelector('#comparison').scrollIntoView({behavior: 'smooth', block: 'nearest'})"


def build_demo() -> gr.Blocks:
    """The page with its API, ready to `launch(**launch_options())`. Raises StyleNotFoundError for an empty zoo."""
    sound, problems = sound_styles()
    unfit = {style.slug: actions.unfit(style) for style in sound}
    for problem in [*problems, *filter(None, unfit.values())]:
        say(f"left out: {problem}", sys.stderr)
    styles = actions.clearest_first([style for style in sound if not unfit[style.slug]])
    if not styles:
        raise StyleNotFoundError("the zoo has no style that paints photos: train one with python -m training.train --pair")
    with gr.Blocks(title="Missing Ingredient", delete_cache=(3600, 86400)) as demo:
        gr.Markdown(HERO, elem_id="hero")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Compare", id="compare"):
                with gr.Row():
                    with gr.Column(scale=3, min_width=260):
                        result = _result_column(styles[0])
                    with gr.Column(scale=2, min_width=260):
                        controls = _control_column(styles)
                with gr.Accordion("Why is one so much better?", open=False):
                    gr.Markdown(WHY)
            with gr.Tab("Community", id="community-tab") as tab:
                shared = community.add_tab(tab)
        run = _wire(styles, controls, result)
        _wire_community(shared, tabs, controls, result, run)
        _add_api([style.slug for style in styles])
    # Without api_open every function could be called past the queue, by its index, and past all of its limits.
    return demo.queue(max_size=QUEUE, api_open=False)


def launch_options() -> dict:
    """Arguments of `launch` that belong to the page."""
    return {
        "theme": make_theme(),
        "css_paths": HERE / "style.css",
        "footer_links": ["api", "settings"],
        "run_history": False,  # nobody's photos are kept, not even in their own browser
        "max_file_size": "100mb",
        "allowed_paths": [str(style.folder / "images") for style in list_styles()],  # local styles lie anywhere
    }


def _result_column(style: Style) -> dict:
    first = (style.picture("batch"), style.picture("instance"))
    slider = gr.ImageSlider(
        value=first if all(first) else None,
        format="png",  # lossless: the two sides must differ by their norm alone
        type="filepath",
        interactive=False,
        show_label=False,
        max_height=620,
        buttons=["fullscreen"],
        elem_id="comparison",
    )
    gr.HTML(CAPTIONS, elem_id="captions")
    info = gr.Markdown("An example, painted in advance. Press **Compare** to paint the photo beside it.", elem_id="info")
    with gr.Row():
        saves = {norm: gr.DownloadButton(f"Download {norm} norm", size="sm", interactive=False, elem_id=f"save-{norm}")
                 for norm in actions.NORMS}  # fmt: skip
    contrast = gr.Slider(
        10, 100, value=100, step=5, label="Contrast of your photo, %", elem_id="contrast",
        info="Fade the photo and let go: instance norm does not mind.",
    )  # fmt: skip
    with gr.Row(elem_id="painting-row"):
        painting = gr.Image(style.picture("painting"), label="the painting", interactive=False, height=120, buttons=[],
                            visible=bool(style.picture("painting")), min_width=110, elem_id="painting")  # fmt: skip
        about = gr.Markdown(actions.about(style), elem_id="about")
    return {"slider": slider, "info": info, "contrast": contrast, "painting": painting, "about": about, **saves}


def _control_column(styles: list[Style]) -> dict:
    examples = [str(path) for path in (PHOTO, *list_photos(HERE / "examples"))]
    photo = PhotoInput(
        value=examples[0],
        sources=["upload", "clipboard", "webcam"],
        label="Your photo",
        height=230,
        buttons=[],
        elem_id="photo",
    )
    gr.Examples([[path] for path in examples], [photo], label="or one of these", elem_id="examples")
    pictures = [(str(style.picture() or examples[0]), style.title) for style in styles]
    style_picker = gr.Gallery(
        pictures,
        label="Style",
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
    button = gr.Button("Compare", variant="primary", size="lg", elem_id="compare")
    return {
        "photo": photo,
        "slug": gr.State(styles[0].slug),
        "styles": style_picker,
        "size": size,
        "button": button,
    }


def _wire(styles: list[Style], controls: dict, result: dict) -> dict:
    """Connect controls and result; returns the arguments of the event that paints."""

    def choose(event: gr.SelectData):
        with actions.plain_errors():
            style = styles[actions.check_index(event.index, len(styles))]
        painting = style.picture("painting")
        return style.slug, actions.about(style), gr.Image(painting, visible=painting is not None)

    def check_upload(photo):
        if photo is not None:
            with actions.plain_errors():
                open_photo(photo)

    def paint_pair(photo, slug, size, contrast, progress=gr.Progress()):  # noqa: B008  (gradio's way to hand it over)
        with actions.plain_errors():
            painted = actions.paint_both(photo, slug, size, contrast / 100, progress)
            files = {norm: _png(one.image, f"{Path(photo).stem}-{slug}-{norm}") for norm, one in painted.items()}
        downloads = (gr.DownloadButton(value=files[norm], interactive=True) for norm in actions.NORMS)
        return tuple(files.values()), actions.describe(painted), *downloads

    inputs = [controls["photo"], controls["slug"], controls["size"], result["contrast"]]
    outputs = [result[key] for key in ("slider", "info", *actions.NORMS)]
    run = {"fn": paint_pair, "inputs": inputs, "outputs": outputs, "api_visibility": "private", "concurrency_limit": 2,
           "concurrency_id": "paint", "show_progress_on": result["slider"]}  # fmt: skip
    controls["photo"].upload(check_upload, controls["photo"], api_visibility="private")
    controls["button"].click(None, js=TO_RESULT)
    controls["button"].click(**run)
    result["contrast"].release(**run)
    controls["styles"].select(
        choose, None, [controls["slug"], result["about"], result["painting"]], api_visibility="private", show_progress="hidden"
    ).then(**run)
    return run


def _wire_community(shared: dict, tabs: gr.Tabs, controls: dict, result: dict, run: dict) -> None:
    """Take a style of the Hub into the comparison, and show it there."""

    def take(name):
        with actions.plain_errors():
            style = community.fetch(name)
            about = actions.about(style)
        return style.source, about, gr.Image(visible=False), gr.Tabs(selected="compare")

    def take_shown(shown, event: gr.SelectData):
        with actions.plain_errors():
            place = actions.check_index(event.index, len(shown))
        return take(shown[place])

    outputs = [controls["slug"], result["about"], result["painting"], tabs]
    for event, function, inputs in (
        (shared["use"].click, take, shared["name"]),
        (shared["name"].submit, take, shared["name"]),
        (shared["gallery"].select, take_shown, shared["shown"]),
    ):
        event(function, inputs, outputs, api_visibility="private", show_progress_on=shared["name"]).success(**run)


def _add_api(slugs: list[str]) -> None:
    with gr.Row(visible=False):
        photo, style = PhotoInput(label="photo"), gr.Dropdown(slugs, label="style", allow_custom_value=True)
        norm = gr.Dropdown(["instance", "batch"], value="instance", label="norm", allow_custom_value=True)
        size = gr.Number(512, label="size: long side in px")
        pictures = [gr.Image(label=f"{norm_} picture", format="png", type="filepath") for norm_ in ("stylized", *actions.NORMS)]
        buttons = gr.Button(), gr.Button()

    def stylize(photo, style, norm="instance", size=512):
        """Paint a photo in a style of the zoo, with one norm; the long side is reduced to `size` px."""
        with actions.plain_errors():
            if norm not in actions.NORMS:
                raise ConfigError(f"norm must be instance or batch, got {norm!r}")
            size = actions.check_request(photo, size)
            image = open_photo(photo, size)
            found = actions.find_in_zoo(style)
            return _png(actions.paint(image, found, norm).image, f"{found.slug}-{norm}")

    def compare(photo, style, size=512):
        """Paint a photo with both norms: the batch-norm picture, then the instance-norm picture."""
        with actions.plain_errors():
            painted = actions.paint_both(photo, style, size)
            return [_png(painted[norm].image, f"{style}-{norm}") for norm in actions.NORMS]

    shared = {"concurrency_limit": 2, "concurrency_id": "paint"}
    buttons[0].click(stylize, [photo, style, norm, size], pictures[0], api_name="stylize", **shared)
    buttons[1].click(compare, [photo, style, size], pictures[1:], api_name="compare", **shared)


def _png(image, name: str) -> str:
    """A PNG of the picture in gradio's cache, which is swept daily; its path."""
    name = re.sub(r"[^\w.-]+", "-", re.sub(r"@[0-9a-f]{40}", "", name))  # of a style of the Hub: without its commit
    return save_pil_to_cache(image, get_upload_folder(), name=name, format="png")
