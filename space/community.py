"""The Community tab: styles that others share on the Hub, used at once in the comparison; and sharing one's own.

The Hub is asked only when a visitor opens the tab, searches, enters a name or shares. Thumbnails go through this server, so
that a visitor's browser never talks to anybody else.
"""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_space
from PIL import Image

from space import actions, blocklist
from space.actions import DEADLINE, TIMEOUT
from space.guard import who
from space.languages import t
from space.parts import Shared
from space.turns import Visit
from space.words import plain, without_paths
from zoo import hub, sharing, trust
from zoo.catalog import list_styles
from zoo.errors import HubError, PhotoError, StyleNotFoundError, ZooError
from zoo.images import open_photo
from zoo.painter import painter
from zoo.style import PHOTO, Style, style_at

PAGE, MOST = 12, 96  # styles shown at a time; after "Show more"
PAINTING = "images/painting.jpg"
ALL_THUMBNAILS = 6.0  # s; a page of styles is not worth more
THUMBNAIL, MAX_PIXELS = 256, 4_000_000  # px of its long side; of what is read for it
DRAWN = ("JPEG", "PNG")  # what a style's pictures are; other decoders are no stranger's to call here
# More than one visitor has places: who waits does so in actions.HUB, to let others pass.
ASKING: dict[str, Any] = {"concurrency_limit": 2 * actions.PLACES, "concurrency_id": "hub"}

INTRO = """
Styles that others trained and share on the Hugging Face Hub. Pick one, or enter its name: it is downloaded to this server
and compared at once. Styles are data (safetensors), never code.
"""
SHARE = """
Zip a style folder, as `python -m training.train` makes it, and publish it: on a Space under the account you sign in with,
elsewhere under the one this machine is logged in to. The folder must say what its painting is, who made it, its licence and
its source.
"""
NOTHING = "Nothing there yet under these words: train a style and be the first to share it."
AWAY = "These were fetched before and are still here; the zoo's own hang on the first tab. *Search* asks the Hub again."
ALONE = "The zoo's own styles need no Hub: they hang on the first tab. *Search* asks the Hub again."
REPLACE = "replace what is there under this name"
SHARE_YOURSELF = """
Train one (`python -m training.train --help`), log in (`hf auth login`), then

    python -m zoo publish ./my-painting --to my-name/my-painting

and it appears here for everybody.
"""


def browse(words: str, sort: str, count: int) -> tuple[list[hub.Found], bool]:
    """The first `count` styles on the Hub, and whether there are more; none that are blocked. Raises HubError, ConfigError
    for words that are no text and an unknown order."""
    found: list[hub.Found] = []
    for style in hub.find(asked(words), sort=sort, timeout=TIMEOUT):
        bases = (tag.rpartition(":")[2] for tag in style.tags if tag.startswith("base_model:"))  # as the Hub tags adapters
        if any(map(blocklist.is_blocked, (style.id, *bases))):
            continue
        if len(found) == count:
            return found, True
        found.append(style)
    return found, False


def browse_kept(words: str) -> list[hub.Found]:
    """Styles that this server has fetched before, for when the Hub is away; none that are blocked."""
    return [style for style in hub.find_kept(asked(words)) if not blocklist.is_blocked(style.id)][:PAGE]


def asked(words: str | None) -> str:
    """What was typed, no longer than it may be."""
    return words[: actions.MAX_NAME] if isinstance(words, str) else words or ""  # gradio gives None for an empty field


def thumbnails(found: list[hub.Found]) -> list[tuple[Image.Image, str]]:
    """A picture and a caption of each; the zoo's photo, untouched, where there is none to be had in ALL_THUMBNAILS seconds."""

    def picture(style: hub.Found) -> Image.Image | None:
        try:
            return open_photo(hub.thumbnail(style.id, style.sha, TIMEOUT), THUMBNAIL, MAX_PIXELS, DRAWN)
        except ZooError:
            return None

    pool = ThreadPoolExecutor(8)
    pictures = [pool.submit(picture, style) for style in found]
    there, _ = wait(pictures, ALL_THUMBNAILS)
    pool.shutdown(wait=False, cancel_futures=True)  # those that are on their way end by themselves, and are in the cache then
    placeholder = open_photo(PHOTO, THUMBNAIL)
    return [
        ((future.result() if future in there else None) or placeholder, caption(style))
        for future, style in zip(pictures, found, strict=True)
    ]


def caption(style: hub.Found) -> str:
    """Whose it is, how many like it, on which terms, as far as that is known."""
    known = [f"♥ {style.likes}", style.licence[:24]] if style.tags else []
    return " · ".join(filter(None, [style.id, *known]))


def fetch(name: str) -> Style:
    """The style owner/name[@revision] with its painting, checked to load. Raises ZooError."""
    name = name.strip() if isinstance(name, str) else ""
    if not name:
        raise StyleNotFoundError("enter the name of a style on the Hub: owner/name, or owner/name@revision")
    blocklist.check(name)
    style = hub.pull(name, pictures=(PAINTING,), timeout=TIMEOUT, deadline=DEADLINE)
    blocklist.check_base(style)
    painter().load(style, style.norms[:1], timeout=TIMEOUT, deadline=DEADLINE)  # what is wrong with it is said now
    return style


def picture(style: Style, kind: str = "instance") -> str | Image.Image | None:
    """A picture of a style, where it carries one. Of one that is not bundled it is drawn anew, small: the file may be far too
    large."""
    path = style.picture(kind)
    if path is None or style.source == "bundled":
        return str(path) if path else None
    try:
        return open_photo(path, 2 * THUMBNAIL, MAX_PIXELS, DRAWN)
    except PhotoError:
        return None


def tile(style: Style) -> tuple[str | Image.Image, str]:
    """What a style is picked by: a picture that it has painted, the zoo's photo if it carries none, and its title."""
    return picture(style) or str(PHOTO), style.title


def local_styles() -> list[str]:
    """Slugs of the styles that were trained on this machine."""
    return [style.slug for style in list_styles() if style.source == "local"]


def share(archive: str | None, slug: str | None, name: str, token: str | None, user: str, replace: bool = False) -> str:
    """Publish a zipped style folder, or the local style `slug`, as user/name; returns its address.

    Raises ZooError; StyleNotFoundError when user/name is there already and is not to be replaced.
    """
    if not archive and slug not in local_styles():
        raise StyleNotFoundError("there is nothing to publish yet: upload the zip of a style folder")
    if not isinstance(name, str) or not name.strip():
        raise StyleNotFoundError(f"give the style a name: it becomes {user}/NAME on the Hub")
    to = hub.Target(f"{user}/{name.strip()}", token=token)
    if not replace and hub.is_there(to):
        raise StyleNotFoundError(f"{to.name} is there already: tick {REPLACE!r} if it is an older version of this one")
    if not archive:
        return sharing.publish(actions.find_in_zoo(slug), to)
    with tempfile.TemporaryDirectory() as folder:
        style = style_at(trust.unpack_style(Path(archive), Path(folder) / "style"))
        return sharing.publish(style, to)


def can_share() -> bool:
    """Whether publishing is offered: on a Space, to who signs in; elsewhere where the machine's owner switched it on."""
    return bool(get_space()) or os.environ.get(hub.SHARE_VARIABLE) == "1"


def add_tab(tab: gr.Tab) -> Shared:
    """Lay the tab out; returns the components that the page wires to its comparison."""
    gr.Markdown(t(INTRO))
    with gr.Row():
        words = gr.Textbox(
            label=t("Words to search for"),
            placeholder=t("search: starry, portrait ..."),
            show_label=False,
            scale=3,
            elem_id="words",
        )
        sort = gr.Dropdown(
            list(hub.SORTS), value="likes", label=t("Order"), show_label=False, scale=1, min_width=110, elem_id="sort"
        )
        search = gr.Button(t("Search"), scale=1, min_width=90, elem_id="search")
    with gr.Column(elem_id="community-note"):
        note, hint = gr.Markdown(), gr.Markdown()
    gallery = gr.Gallery(
        label=t("on the Hub"), columns=4, height="auto", object_fit="cover", allow_preview=False, interactive=False, buttons=[],
        visible=False, elem_id="community",
    )  # fmt: skip
    more = gr.Button(t("Show more"), size="sm", visible=False, elem_id="show-more")
    with gr.Row():
        name = gr.Textbox(
            label=t("A style of the Hub"),
            placeholder="owner/name or owner/name@revision",
            show_label=False,
            scale=4,
            elem_id="hub-name",
        )
        use = gr.Button(t("Use this style"), variant="primary", scale=1, min_width=130, elem_id="use")
    with gr.Accordion(t("Share a style"), open=False, elem_id="share"):
        _add_share()

    shown, count = gr.State([]), gr.State(PAGE)

    nothing, away, alone = t(NOTHING), t(AWAY), t(ALONE)

    def listing(words, sort, count, request: gr.Request):
        text, more_words = "", ""
        try:
            with actions.HUB.turn(Visit(who(request))):
                try:
                    found, more = browse(words, sort, count)
                except HubError as error:
                    found, more = browse_kept(words), False
                    text, more_words = f"{plain(without_paths(error))}.", away if found else alone
                pictures = thumbnails(found)
        except ZooError as error:
            return gr.Gallery([], visible=False), [], gr.Button(visible=False), plain(without_paths(error)), ""
        text = text or ("" if found else nothing)
        return (
            gr.Gallery(pictures, visible=bool(found)),
            [f"{s.id}@{s.sha}" for s in found],
            gr.Button(visible=more),
            text,
            more_words,
        )

    lists: dict[str, Any] = {
        "fn": listing,
        "inputs": [words, sort, count],
        "outputs": [gallery, shown, more, note, hint],
        "api_visibility": "private",
        **ASKING,
    }
    tab.select(**lists, show_progress_on=note)
    gr.on([search.click, words.submit, sort.change], lambda: PAGE, None, count, api_visibility="private").then(**lists)
    more.click(lambda n: min(n + PAGE, MOST), count, count, api_visibility="private").then(**lists)
    return Shared(gallery, shown, name, use)


def _add_share() -> None:
    if not can_share():
        gr.Markdown(t(SHARE_YOURSELF))
        return
    gr.Markdown(t(SHARE))
    if get_space():
        gr.LoginButton()
    slugs = local_styles()
    archive = gr.File(label=t("zip of a style folder"), file_types=[".zip"], type="filepath", elem_id="zip")
    slug = gr.Dropdown(slugs, value=None, label=t("or one that was trained here"), visible=bool(slugs), elem_id="local")
    name = gr.Textbox(label=t("name on the Hub"), placeholder="my-painting", elem_id="share-name")
    again = gr.Checkbox(label=t(REPLACE), value=False, elem_id="replace")
    button, done = gr.Button(t("Publish"), elem_id="publish"), gr.Markdown(elem_id="published")

    def publish(archive, slug, name, again, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None):
        with actions.plain_errors():
            if not get_space():
                return f"Published: {share(archive, slug, name, None, hub.accounts()[0], again is True)}"
            if profile is None or token is None:
                raise StyleNotFoundError("sign in first: a style is published under your own account")
            return f"Published: {share(archive, slug, name, token.token, profile.username, again is True)}"

    button.click(publish, [archive, slug, name, again], done, api_visibility="private")
