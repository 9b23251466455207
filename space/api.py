"""What the page answers to programs: the endpoints of docs/API.md, through the same queue and limits as the page itself."""

import gradio as gr

from space import actions
from space.asked import check_norm, check_request
from space.credit import credit
from space.files import save_result
from space.guard import who
from space.photo_input import PhotoInput
from space.turns import Visit
from space.words import NORMS
from zoo.style import Style


def add_api(shown: list[Style]) -> None:
    """The endpoints: stylize, compare, blend, and styles, those that the page shows."""
    slugs = [style.slug for style in shown]
    with gr.Row(visible=False):
        photo, style = PhotoInput(label="photo"), gr.Dropdown(slugs, label="style", allow_custom_value=True)
        weights = gr.JSON({"morning": 0.5, "evening": 0.5}, label="styles: shares that add up to 1, by their names")
        norm = gr.Dropdown(["instance", "batch"], value="instance", label="norm", allow_custom_value=True)
        size = gr.Number(512, label="size: long side in px")
        pictures = [
            gr.Image(label=f"{name} picture", format="png", type="filepath") for name in ("stylized", *NORMS, "blended")
        ]
        listing = gr.JSON(label="styles")
        buttons = [gr.Button() for _ in range(4)]

    def stylize(photo, style, norm="instance", size=512, request: gr.Request | None = None):
        """Paint a photo in a style of the zoo, with one norm; the long side is reduced to `size` px."""
        with actions.plain_errors():
            path, canvas = check_request(photo, size)
            norm, found = check_norm(norm), actions.find_in_zoo(style)
            done = actions.paint(path, found, (norm,), canvas, Visit(who(request)))
            return save_result(done.picture(norm), found.slug, norm, said=done.credit(norm))

    def compare(photo, style, size=512, request: gr.Request | None = None):
        """Paint a photo with both norms: the batch-norm picture, then the instance-norm picture."""
        with actions.plain_errors():
            done = actions.compare(photo, style, size, visit=Visit(who(request)))
            return [save_result(done.picture(norm), style, norm, said=done.credit(norm)) for norm in NORMS]

    def blend(photo, styles, norm="instance", size=512, request: gr.Request | None = None):
        """Paint a photo between styles that were trained together: their shares by name, which add up to 1."""
        with actions.plain_errors():
            picture, between = actions.blend(photo, styles, check_norm(norm), size, Visit(who(request)))
            return save_result(picture, *styles, norm, said=credit(between, norm))

    def styles():
        """The styles that the page shows: slug, title, author, year, licence and source of the painting, and norms."""
        facts = ("author", "year", "licence", "source")
        return [
            {"slug": style.slug, "title": style.title, **{key: style.painting.get(key) for key in facts}, "norms": style.norms}
            for style in shown
        ]

    buttons[0].click(stylize, [photo, style, norm, size], pictures[0], api_name="stylize", **actions.PAINTING)
    buttons[1].click(compare, [photo, style, size], pictures[1:3], api_name="compare", **actions.PAINTING)
    buttons[2].click(blend, [photo, weights, norm, size], pictures[3], api_name="blend", **actions.PAINTING)
    buttons[3].click(styles, None, listing, api_name="styles", concurrency_limit=None)
