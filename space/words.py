"""What the page says of styles and of errors; strangers' words are shown as words."""

import os
import re
import tempfile

from space.files import VARIABLE
from zoo import hub
from zoo.catalog import local_folders
from zoo.errors import printable
from zoo.style import BUNDLED, Style

NORMS = ("batch", "instance")  # left and right of the slider
# Chosen by eye: the most beautiful pairs first, among those where it is plain what batch norm misses.
GALLERY = ("starry-night", "great-wave", "the-scream", "village-street-in-auvers", "woman-with-a-hat", "udnie",
           "composition-vii", "portrait-of-metzinger", "wheat-field-with-cypresses", "benzaiten-shrine-in-snow",
           "wreck-of-a-transport-ship", "tableau-no-2")  # fmt: skip
PAINTING = {"licence": "painting: {}", "source": "its source: {}", "licence_weights": "weights: {}"}
RECIPE = {"steps": "{} steps", "batch_size": "batch of {}", "crop_size": "crops of {} px", "style_size": "painting at {} px",
          "style_weight": "style weight {}", "width": "width {}"}  # fmt: skip

HERO = """
# Missing Ingredient
One network, trained twice on the same photos and the same painting. Only the normalization layer differs: on a hazy day
one paints mud, the other the picture. **Drag the line** — then try your own photo.
"""
WHY = """
How a painting looks should not depend on how contrasty your photo is. **Batch norm** rescales every feature by figures
averaged over thousands of training photos, so a dull photo stays dull and a harsh one stays harsh, and the network must
learn to undo that. **Instance norm** rescales each feature by the photo's own mean and variance: the contrast is gone
before the network has to deal with it, so that a faded photo becomes the same picture. Fade yours with the contrast
slider and compare: that is the whole of
[Ulyanov, Vedaldi, Lempitsky 2016](https://arxiv.org/abs/1607.08022), in one picture.
"""

BROWSER = "Your photo never leaves your device: it is painted in your browser, without a network, too."

LEFT = {  # what the left side may show: its caption
    "batch": ("Batch norm", "running statistics gathered in training (eval mode), the paper's baseline"),
    "photo": ("Your photo", "as the network gets it"),
}


def captions(left: str) -> str:
    """HTML: what the two sides of the slider are."""
    title, words = LEFT.get(left, LEFT["batch"])
    return (
        f'<div class="sides"><div class="batch"><strong>◀ {title}</strong><small>{words}</small></div>'
        '<div class="instance"><strong>Instance norm ▶</strong>'
        "<small>each photo's own statistics, also at test time (eq.&nbsp;3)</small></div></div>"
    )


def without_paths(error: object) -> str:
    """The words of an error, its files by their names alone: where they lie on this machine is no visitor's business."""
    words, temporary = str(error), tempfile.gettempdir()
    roots = BUNDLED, hub.cache_folder(), *local_folders(), temporary, os.environ.get(VARIABLE, temporary)
    for root in sorted(map(str, roots), key=len, reverse=True):  # of which parts may have spaces, and one lie in another
        for form in (root, printable(root), " ".join(root.split())):  # as an error may have it
            words = words.replace(os.path.join(form, ""), os.sep)
    return re.sub(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[\\/](?:[^\s'\"\\/:]+[\\/])+", "", words)


def faded_in_words(style: Style) -> str:
    """Markdown: what fading the photo does to either picture; nothing if that was not measured of both."""
    found = style.faded
    if not set(NORMS) <= found.keys():
        return ""
    batch, instance = ("all" if round(found[norm], 2) == 1 else f"{found[norm]:.0%}" for norm in NORMS)
    return f"Fade a photo: batch norm's picture keeps {batch} of its contrast, instance norm's keeps **{instance}** of it."


def errors_in_words(style: Style) -> str:
    """Markdown: what either norm leaves of the way from the photos to the painting, and at what price; nothing if that was not
    measured of both, or the photo is the painting itself."""
    found = style.errors
    if not {"photo", *NORMS} <= found.keys() or found["photo"]["style"] < 1e-6:
        return ""
    left = {norm: found[norm]["style"] / found["photo"]["style"] for norm in NORMS}
    content = " and ".join(f"{found[norm]['content']:.2f}" for norm in NORMS)
    return (
        f"On photos never trained on, the style error, 100% for the untouched photo, is {left['batch']:.0%} with batch norm, "
        f"**{left['instance']:.0%}** with instance norm; the content errors are {content}."
    )


def objective_in_words(style: Style) -> str:
    """Markdown: each norm's held-out objective as a share of the untouched photo's, at the first size measured; nothing if
    there is none.

    A photo that is the painting itself has an objective of 0, of which nothing is a share.
    """
    for found in style.held_out.values():
        if {"batch", "instance"} <= found.keys() and min(found[name]["objective"] for name in ("photo", "batch")) > 1e-6:
            shares = {norm: found[norm]["objective"] / found["photo"]["objective"] for norm in NORMS}
            way = {norm: "rises" if share > 1 else "falls" for norm, share in shares.items()}
            again = "" if way["batch"] == way["instance"] else f"{way['instance']} "
            return (
                f"On photos never trained on, the perceptual loss {way['batch']} to {shares['batch']:.1%} of the untouched "
                f"photo's with batch norm, {again}to **{shares['instance']:.1%}** with instance norm."
            )
    return ""


def as_hung(styles: list[Style]) -> list[Style]:
    """Styles in the order in which the page shows them: those of GALLERY as they hang there, then all others by their names."""
    places = {slug: i for i, slug in enumerate(GALLERY)}
    return sorted(styles, key=lambda style: (places.get(style.slug, len(places)), style.slug))


def plain(text: object) -> str:
    """Words that a stranger wrote, as Markdown that shows them and does nothing else: no links, pictures, HTML."""
    line = " ".join(str(text).split())[:300]
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in line)


def about(style: Style) -> str:
    """Markdown: the painting, how the twins compare on photos never trained on, and of a stranger's style where it is from."""
    text = f"**{plain(style.title)}**" + (f" — after {plain(style.by)}" if style.by else "")
    plainly, figures = faded_in_words(style), errors_in_words(style) or objective_in_words(style)
    text += f"<br>{plainly}" if plainly else ""
    text += f"<br>{provenance(style)}" if "@" in style.source else ""
    return text + (f"<details><summary>Figures</summary>{figures}</details>" if figures else "")


def provenance(style: Style) -> str:
    """Markdown: where a style of the Hub is from, by a link to its commit, and what it says of its painting and its recipe."""
    repo, _, sha = style.source.partition("@")
    facts = [f"Shared as [{plain(style.source)}]({hub.endpoint()}/{repo}/tree/{sha})"]
    facts += [words.format(plain(style.painting[key])) for key, words in PAINTING.items() if key in style.painting]
    made = [words.format(plain(style.recipe[key])) for key, words in RECIPE.items() if _is_fact(style.recipe.get(key))]
    return " · ".join([*facts, *(["recipe: " + ", ".join(made)] if made else [])])


def _is_fact(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)
