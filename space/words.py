"""What the page says of styles and of errors; strangers' words are shown as words."""

import re

from zoo import hub
from zoo.style import Style

NORMS = ("batch", "instance")  # left and right of the slider
# Chosen by eye: the most beautiful pairs first, among those where it is plain what batch norm misses.
GALLERY = ("the-scream", "starry-night", "village-street-in-auvers", "great-wave", "udnie", "portrait-of-metzinger",
           "benzaiten-shrine-in-snow", "composition-vii", "tableau-no-2")  # fmt: skip
PAINTING = {"licence": "painting: {}", "source": "its source: {}", "licence_weights": "weights: {}"}
RECIPE = {"steps": "{} steps", "batch_size": "batch of {}", "crop_size": "crops of {} px", "style_size": "painting at {} px",
          "style_weight": "style weight {}", "width": "width {}"}  # fmt: skip


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
        "<small>each photo's own statistics, also at test time (eq. 3)</small></div></div>"
    )


def without_paths(error: object) -> str:
    """The words of an error, its files by their names alone: where they lie on this machine is no visitor's business."""
    return re.sub(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[\\/](?:[^\s'\"\\/:]+[\\/])+", "", str(error))


def shares(style: Style) -> dict[str, float] | None:
    """Each norm's held-out objective as a share of the untouched photo's, at the first size measured; None if there is none.

    A photo that is the painting itself has an objective of 0, of which nothing is a share.
    """
    for found in style.held_out.values():
        if {"batch", "instance"} <= found.keys() and min(found[name]["objective"] for name in ("photo", "batch")) > 1e-6:
            return {norm: found[norm]["objective"] / found["photo"]["objective"] for norm in NORMS}
    return None


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
    if found := shares(style):
        text += (
            "<br>On photos never trained on, the perceptual loss falls to "
            f"{found['batch']:.1%} of the untouched photo's with batch norm, to **{found['instance']:.1%}** with instance norm."
        )
    return text + (f"<br>{provenance(style)}" if "@" in style.source else "")


def provenance(style: Style) -> str:
    """Markdown: where a style of the Hub is from, by a link to its commit, and what it says of its painting and its recipe."""
    repo, _, sha = style.source.partition("@")
    facts = [f"Shared as [{plain(style.source)}]({hub.endpoint()}/{repo}/tree/{sha})"]
    facts += [words.format(plain(style.painting[key])) for key, words in PAINTING.items() if key in style.painting]
    made = [words.format(plain(style.recipe[key])) for key, words in RECIPE.items() if _is_fact(style.recipe.get(key))]
    return " · ".join([*facts, *(["recipe: " + ", ".join(made)] if made else [])])


def _is_fact(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)
