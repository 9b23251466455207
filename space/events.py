"""What happens on the page: one comparison, from one state, whatever asked for it.

Every request that paints goes to one function, which returns pictures, caption and painting together; of a visitor's requests
the newest wins. Which style is chosen is the state `chosen`: (name, number of the choice), so that choosing one again paints it
again.
"""

import itertools
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from space import actions, community, words
from space.files import save_result
from space.guard import who
from space.parts import Controls, Knobs, Result, Shared
from space.turns import Newest, Superseded, Visit
from zoo.errors import ZooError
from zoo.style import Style

TO_RESULT = "() => document.querySelector('#comparison').scrollIntoView({behavior: 'smooth', block: 'nearest'})"

_choices, _paintings, _walls, _numbers = Newest(), Newest(), Newest(), itertools.count(1)


def wire(styles: list[Style], controls: Controls, knobs: Knobs, result: Result, shared: Shared, tabs: gr.Tabs) -> None:
    """Connect the parts of the page."""
    chosen = controls.chosen

    def paint_pair(given: dict[Component, Any], request: gr.Request):
        newest = _paintings.take(request.session_hash)
        photo, (slug, _), left = given[controls.photo], given[chosen], given[knobs.left]
        if photo is None:  # taken away, for another
            return gr.skip()
        with actions.plain_errors():
            try:
                how = actions.Finish(given[knobs.strength], bool(given[knobs.keep_colours]))
                contrast, visit = given[knobs.contrast] / 100, Visit(who(request), newest)
                done = actions.compare(photo, slug, given[controls.size], contrast, visit)
            except Superseded:
                return gr.skip()
            files = [save_result(done.picture(norm, how), Path(photo).stem, slug, norm) for norm in words.NORMS]
            at_left = save_result(done.photo, Path(photo).stem) if left == "photo" else files[0]
            about, painting = words.about(done.style), community.painting(done.style)
        downloads = [gr.DownloadButton(value=file, interactive=True) for file in files]
        shown = gr.Image(str(painting) if isinstance(painting, Path) else painting, visible=painting is not None)
        return (at_left, files[1]), words.captions(left), actions.describe(done), *downloads, about, shown

    def whole_contrast():
        return 100

    def paint_wall(photo, request: gr.Request):
        newest = _walls.take(request.session_hash)
        if photo is None:
            return gr.skip()
        try:
            tiles = actions.wall(photo, styles, Visit(who(request), newest))
        except (Superseded, ZooError):  # what is wrong, `paint_pair` says
            return gr.skip()
        files = [save_result(tile, "tile", style.slug, format="jpeg") for tile, style in zip(tiles, styles, strict=True)]
        return [(file, style.title) for file, style in zip(files, styles, strict=True)]

    def choose(request: gr.Request, event: gr.SelectData):
        with actions.plain_errors():
            place = actions.check_index(event.index, len(styles))
        _choices.take(request.session_hash)
        return styles[place].slug, next(_numbers)

    def take(name, request: gr.Request):
        newest = _choices.take(request.session_hash)
        with actions.plain_errors():
            try:
                with actions.HUB.turn(Visit(who(request), newest)):
                    style = community.fetch(name)
            except Superseded:
                return gr.skip()
        if not newest():  # another was chosen while this one was downloaded
            return gr.skip()
        return (style.source, next(_numbers)), gr.Gallery(selected_index=None), gr.Tabs(selected="compare")

    def take_shown(shown, request: gr.Request, event: gr.SelectData):
        with actions.plain_errors():
            place = actions.check_index(event.index, len(shown))
        return take(shown[place], request)

    photo = controls.photo
    repaint: dict[str, Any] = {
        "fn": paint_pair,
        "inputs": {photo, chosen, controls.size, *knobs.inputs},
        "outputs": result.outputs,
        "trigger_mode": "multiple",  # else gradio drops the newer ones
        "show_progress_on": result.slider,
        "api_visibility": "private",
        **actions.PAINTING,
    }
    gr.on(
        [
            photo.change,
            chosen.change,
            controls.size.change,
            knobs.contrast.release,
            knobs.left.change,
            knobs.strength.release,
            knobs.keep_colours.change,
        ],
        **repaint,
    )
    # A visitor's own photo begins as it is, whatever the last one had lost.
    photo.input(whole_contrast, None, knobs.contrast, show_progress="hidden", trigger_mode="multiple", api_visibility="private",
                concurrency_limit=None).then(**repaint)  # fmt: skip
    photo.change(paint_wall, photo, controls.styles, show_progress="hidden", trigger_mode="multiple", api_visibility="private",
                 **actions.PAINTING)  # fmt: skip
    chosen.change(None, js=TO_RESULT)
    controls.styles.select(choose, None, chosen, show_progress="hidden", api_visibility="private", trigger_mode="multiple",
                           concurrency_limit=None)  # fmt: skip
    for event, function, inputs in (
        (shared.use.click, take, shared.name),
        (shared.name.submit, take, shared.name),
        (shared.gallery.select, take_shown, shared.shown),
    ):
        outputs = [chosen, controls.styles, tabs]
        event(function, inputs, outputs, api_visibility="private", trigger_mode="multiple", show_progress_on=shared.name,
              **community.ASKING)  # fmt: skip
