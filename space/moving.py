"""The tab "Video": what the page paints of moving pictures."""

from typing import Any

import gradio as gr

from space import actions, camera, clips, community
from space.asked import check_index
from space.languages import t
from space.parts import tiles
from space.words import NORMS, plain
from zoo.style import Style

INTRO = """
## Live camera
Click the camera, then *Record*. Frames are kept nowhere, and the style may change meanwhile.
"""
# A camera that runs on behind another tab is not painted.
IS_WATCHED = """async () => {
  await new Promise(resolve => setTimeout(resolve, 100));  // until that tab is shown
  return Boolean(document.querySelector('#camera')?.checkVisibility());
}"""

TO_CHOSEN = """async () => {
  await new Promise(resolve => setTimeout(resolve, 100));  // until it is drawn
  const tile = document.querySelector('#moving-styles .selected'), strip = tile?.closest('.grid-wrap');
  strip?.scrollBy({left: tile.getBoundingClientRect().left - strip.getBoundingClientRect().left - strip.clientWidth / 2 + 46});
}"""


def _named(title: str) -> str:
    """Markdown: in which style the tab paints."""
    return f"{t('Style')}: **{plain(title)}**"


def add_tab(demo: gr.Blocks, tab: gr.Tab, tabs: gr.Tabs, styles: list[Style], chosen: gr.State) -> None:
    """Lay the tab out and wire it. Its style is the one that was last chosen, there or here."""
    slug = gr.State(styles[0].slug)
    shown = [community.tile(style) for style in styles]
    picker = tiles(shown, columns=len(styles), height="auto", selected_index=0, elem_id="moving-styles")
    heading = gr.Markdown(_named(styles[0].title), elem_id="moving-style")
    gr.Markdown(t(INTRO), elem_id="moving")
    gr.HTML(t(camera.NOTICES), padding=False, elem_id="camera-note")
    with gr.Row(elem_id="live"):
        seen = camera.Live(
            sources=["webcam"], streaming=True, webcam_options=gr.WebcamOptions(constraints=camera.WANTED),
            label=t("Your camera"), height=260, min_width=150, buttons=[], elem_id="camera",
        )  # fmt: skip
        painted = [
            camera.Live(label=t(f"{norm} norm"), height=260, min_width=150, interactive=False, buttons=[],
                        visible=norm == "instance", elem_id=f"live-{norm}")
            for norm in NORMS
        ]  # fmt: skip
    rate = gr.Markdown(elem_id="rate")
    is_watched, pace = gr.Checkbox(True, visible="hidden"), gr.State(camera.Pace())
    clips.add_clips(slug)

    def choose(event: gr.SelectData):
        with actions.plain_errors():
            return styles[check_index(event.index, len(styles))].slug

    def show(slug):
        place = next((place for place, style in enumerate(styles) if style.slug == slug), None)
        title = slug.partition("@")[0] if place is None else styles[place].title
        there = place is not None and place < len(shown)  # what was trained meanwhile has no tile here
        return gr.Gallery(selected_index=place if there else None), _named(title)

    quiet: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple", "api_visibility": "private"}
    picker.select(choose, None, slug, api_name="choose_moving", **quiet, concurrency_limit=None)
    chosen.change(lambda chosen: chosen[0], chosen, slug, **quiet, concurrency_limit=None)
    tab.select(None, None, None, js=camera.LOOK)  # first, as it has to be there before anybody clicks
    # A tab is drawn when it is opened, and then knows nothing of what was chosen before.
    marked = gr.on([slug.change, tab.select], show, slug, [picker, heading], **quiet, concurrency_limit=None)
    marked.then(None, js=TO_CHOSEN)
    seen.stream(camera.live, [seen, slug, is_watched, pace], [*painted, rate, pace], **quiet, **camera.STREAMING)
    tabs.select(None, None, is_watched, js=IS_WATCHED)
    demo.unload(clips.leave)
