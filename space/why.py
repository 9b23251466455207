"""The tab "Why instance norm?": the paper told by doing, each lesson to be tried on the visitor's own photo."""

import gradio as gr
import pandas as pd
from gradio.components import Component

from space import actions, lessons
from space.files import save_result
from space.guard import who
from space.languages import t
from space.parts import tiles
from space.photo_input import PhotoInput
from space.turns import Newest, Superseded, Visit
from space.words import WHY

MORE = "The paper's claims, measured one by one: [the documentation](docs/REPRODUCTION.html).\n"
READINGS = f"""
## Whose mean and variance?
Batch norm can be read in two ways. At test time it takes averages gathered over its training; in training it takes the
figures of the batch, here your photo and three others. Either way a photo on a hazy day, with {lessons.HAZE:.0%} of its
contrast, is measured by others and stays pale. Instance norm measures it by itself. Freeze *its* statistics to averages
over six other photos, and the very same weights lose the picture, too: the norm must stay on at test time.
"""
BORDER = f"""
## What lies beyond the border?
At the edge of a photo a convolution needs pixels that nobody took. Fill in zeros, and it sees a dark frame around every
photo, which it dutifully paints: a rim that no painter would leave. Mirror the photo instead, and there is none. This is
the upper left corner, magnified {lessons.TIMES} times, by the same weights: padded with zeros, and by reflection, as they
were trained.
"""
SIZES = f"""
## How large is a stroke?
So many pixels as the network has learnt, whatever the size of the photo. The size you choose is your brush: at
{lessons.SMALL} px it is broad, at {lessons.LARGE} px half as wide, and more of the photo is left. This is the middle of
both, shown equally large. Nothing was trained again: the network is made of convolutions and takes any size.
"""
LEARNING = """
## Which of them learns faster?
Two networks, the same photos, the same 300 steps by the paper's recipe. The first plot is the perceptual loss on photos that
neither was trained on: instance norm begins lower and stays a third lower. Trained for long, as the styles here are, batch
norm comes close on ordinary photos. What it never learns is the second plot: fade a photo, and its picture fades, while
instance norm's stays.
"""
COLOURS = {"batch norm": "#0072b2", "instance norm": "#d55e00"}  # of Okabe and Ito, as in the documentation
_KEY = "".join(f'<span class="key"><i style="background: {colour}"></i>{norm}</span>' for norm, colour in COLOURS.items())
AXES = {"learning": ("training step", "loss, thousands"), "fading": ("contrast of the photo", "of the picture")}
ROWS = ("batch: running", "batch: a batch's"), ("instance: its own", "instance: frozen")  # of the four pictures
PADDINGS, BOTH = ("zeros", "reflection"), (f"{lessons.SMALL} px", f"{lessons.LARGE} px")

_tries = Newest()


def add_tab(photo: PhotoInput, chosen: gr.State, manual: bool) -> None:
    """Lay the tab out and wire it to the photo and the style of the page; with a link to the documentation if it is served."""
    gr.Markdown(t(WHY), elem_id="why")
    if manual:
        gr.Markdown(t(MORE), elem_id="manual")
    shown = {name: [str(path) for path in paths] for name, paths in lessons.SHOWN.items()}
    with gr.Row(elem_classes="lesson"):
        button = _say(READINGS, "readings")
        with gr.Column(scale=3, min_width=300):
            gr.HTML(t(_sides(*ROWS[0])))
            gallery = tiles(shown["readings"], columns=2, height="auto", elem_id="readings")
            gr.HTML(t(_sides(*ROWS[1])))
        _wire("readings", button, photo, chosen, gallery)
    for name, words, sides in (("border", BORDER, PADDINGS), ("sizes", SIZES, BOTH)):
        with gr.Row(elem_classes="lesson"):
            button = _say(words, name)
            with gr.Column(scale=3, min_width=300):
                first, second = shown[name]
                slider = gr.ImageSlider(
                    (first, second),
                    format="png",
                    type="filepath",
                    interactive=False,
                    show_label=False,
                    max_height=420,
                    buttons=[],
                    elem_id=name,
                )
                gr.HTML(t(_sides(f"◀ {sides[0]}", f"{sides[1]} ▶")))
            _wire(name, button, photo, chosen, slider)
    with gr.Row(elem_classes="lesson"):
        button = _say(LEARNING, "fading")
        with gr.Column(scale=3, min_width=300):
            gr.HTML(_KEY)
            _curves("learning")
            fading = _curves("fading")
        _wire("fading", button, photo, chosen, fading)


def _curves(name: str) -> gr.LinePlot:
    x, y = AXES[name]
    percent, top = ("%", 1.05) if name == "fading" else (None, None)
    return gr.LinePlot(_points(name, lessons.curves_shown(name)), x=x, y=y, color="norm", color_map=COLOURS, y_lim=[0, top],
                       x_axis_format=percent, y_axis_format=percent, colors_in_legend=[], height=240, show_label=False,
                       buttons=[], elem_id=name)  # fmt: skip


def _points(name: str, curves: lessons.Curves) -> pd.DataFrame:
    rows = [(x, y, f"{norm} norm") for norm, line in curves.items() for x, y in line]
    return pd.DataFrame(rows, columns=[*AXES[name], "norm"])


def _sides(left: str, right: str) -> str:
    return f'<div class="sides"><strong>{left}</strong><strong>{right}</strong></div>'


def _say(words: str, name: str) -> gr.Button:
    with gr.Column(scale=2, min_width=300):
        gr.Markdown(t(words))
        return gr.Button(t("Try it on my photo"), size="sm", elem_id=f"try-{name}")


def _wire(name: str, button: gr.Button, photo: PhotoInput, chosen: gr.State, shown: Component) -> None:
    def try_it(photo, chosen, request: gr.Request):
        newest = _tries.take(f"{request.session_hash} {name}")
        with actions.plain_errors():
            try:
                found = lessons.teach(name, photo, chosen[0], Visit(who(request), newest))
            except Superseded:
                return gr.skip()
            if name == "fading":
                return _points(name, found)
            files = [save_result(picture, name, str(number)) for number, picture in enumerate(found)]
        return files if name == "readings" else tuple(files)

    button.click(try_it, [photo, chosen], shown, trigger_mode="multiple", api_visibility="private", api_name=f"try_{name}",
                 **actions.PAINTING)  # fmt: skip
