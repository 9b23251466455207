"""The tab "Textures": seamless tiles out of noise, by the styles that take no photo."""

import time

import gradio as gr
from PIL import Image

from space import actions
from space.asked import check_norm, check_work
from space.counts import COUNTS
from space.credit import credit
from space.files import save_result
from space.gpu import on_gpu
from space.guard import who
from space.languages import t
from space.turns import NOBODY, Newest, Superseded, Visit
from zoo.engine.painting import Painted, check_seed
from zoo.errors import ConfigError, shorten
from zoo.painter import texture
from zoo.style import Style

SIDES = (256, 512, 1024)  # px
LAID = 1024  # px, at most, of the side of four tiles: whoever wants more lays the tile itself
INTRO = """
## Seamless textures
Out of noise, without a photo. What leaves a tile on the right comes in on the left: laid side by side, it shows no seam.
"""
NONE = """
## Seamless textures
There is no style here that makes them. Train one on any painting, without a single photo, and name the folder that holds it:

    python -m training.train --recipe texture --pair --style-image painting.jpg --out my-textures/painting
    MISSING_INGREDIENT_STYLES=my-textures python app.py
"""
ANY_SEED = "() => Math.floor(Math.random() * 100000)"

_draws = Newest()


@on_gpu(duration=15)
def _on_gpu(style: Style, norm: str, side: int, seed: int) -> Painted:
    begun = time.perf_counter()
    return Painted(texture(style, side, seed, norm), time.perf_counter() - begun)


def make_tile(slug: object, norm: object, side: object, seed: object, visit: Visit = NOBODY) -> tuple[Image.Image, Style]:
    """A seamless tile of one of SIDES, whatever was sent, and the style that made it. Raises ZooError, Superseded."""
    if not isinstance(side, int) or side not in SIDES:
        raise ConfigError(f"a tile has a side of {', '.join(map(str, SIDES))} px here, got {shorten(side)}")
    norm, seed, style = check_norm(norm), check_seed(seed), actions.find_in_zoo(slug)
    generators = actions.load_generators(style, (norm,))
    check_work(Image.new("RGB", (side, side)), generators)
    with actions.TURNS.turn(visit):
        painted = _on_gpu(style, norm, side, seed)
    COUNTS.paint("texture", [painted])
    visit.still_wanted()
    return painted.image, style


def lay(tile: Image.Image) -> Image.Image:
    """Four of a tile, two by two, reduced to a side of LAID px where they are larger."""
    floor = Image.new("RGB", (2 * tile.width, 2 * tile.height))
    for place in ((0, 0), (tile.width, 0), (0, tile.height), tile.size):
        floor.paste(tile, place)
    floor.thumbnail((LAID, LAID), Image.Resampling.LANCZOS)
    return floor


def add_tab(tab: gr.Tab, styles: list[Style]) -> None:
    """Lay the tab out and wire it: the first tile is made when somebody looks."""
    if not styles:
        gr.Markdown(NONE, elem_id="no-textures")
        return
    gr.Markdown(t(INTRO), elem_id="textures")
    with gr.Row():
        with gr.Row(scale=3, elem_id="floor"):
            tile, laid = (
                gr.Image(label=t(label), format="png", type="filepath", interactive=False, min_width=150, buttons=["download"],
                         elem_id=name)
                for name, label in (("tile", "The tile"), ("laid", "Laid 2 × 2"))
            )  # fmt: skip
        with gr.Column(min_width=240):
            seed = gr.Number(0, label=t("Seed"), precision=0, minimum=0, maximum=2**32 - 1, elem_id="tile-seed")
            another = gr.Button(t("Another"), variant="primary", elem_id="another-tile")
            side = gr.Radio(list(SIDES), value=512, label=t("Side, px"), elem_id="tile-side")
            norm = gr.Radio(["instance", "batch"], value="instance", label=t("Norm"), elem_id="tile-norm")
            names = [(one.title, one.slug) for one in styles]
            style = gr.Radio(names, value=styles[0].slug, label=t("Style"), elem_id="tile-style")
    drawn = gr.State(None)  # what the tile that is shown was made of

    def draw(slug, norm, side, seed, drawn, request: gr.Request):
        newest, wanted = _draws.take(request.session_hash), (slug, norm, side, seed)
        if wanted == drawn or seed is None:  # it is there, or the seed is being typed
            return gr.skip()
        with actions.plain_errors():
            try:
                picture, found = make_tile(*wanted, Visit(who(request), newest))
            except Superseded:
                return gr.skip()
            words, said = (slug, norm, f"{side}px", str(seed)), credit([found], norm, "A seamless tile")
            return save_result(picture, *words, said=said), save_result(lay(picture), *words, "laid", said=said), wanted

    gr.on(
        [tab.select, style.change, norm.change, side.change, seed.change],
        draw,
        [style, norm, side, seed, drawn],
        [tile, laid, drawn],
        trigger_mode="multiple",
        api_visibility="private",
        api_name="make_tile",
        **actions.PAINTING,
    )
    another.click(None, None, seed, js=ANY_SEED)
