"""What happens on the page: one comparison, from one state, whatever asked for it.

Every request that paints goes to one function, which returns pictures, caption and painting together; of a visitor's requests
the newest wins. Which style is chosen is the state `chosen`: (name, number of the choice), so that choosing one again paints it
again.
"""

import functools
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from gradio.components import Component
from PIL import ImageOps

from space import actions, community, words
from space.asked import LARGE, check_index, check_protect, is_large
from space.credit import SHOWN, check_format
from space.files import save_result
from space.guard import who
from space.languages import t
from space.parts import Parts
from space.settings import MEANINGS, Settings, from_link, is_own, remember, to_link
from space.turns import Newest, Superseded, Visit, ignore
from zoo.errors import ZooError
from zoo.images import fit_long_side
from zoo.style import Style

PROGRESS = gr.Progress()  # gradio gives each request one of its own in its place
LINK = 2000  # characters that are read of what a link says
THUMBNAIL = 96  # px; side of a picture of the visit's strip
# The address always is a link to what is shown; what else it says, of gradio's, stays.
TO_ADDRESS = """({own, ...link}) => {
  document.querySelector('#copy-link').dataset.own = own;
  const address = new URL(location);
  %s.forEach(key => address.searchParams.delete(key));
  Object.entries(link).forEach(([key, value]) => address.searchParams.set(key, value));
  history.replaceState(history.state, '', address);
}""" % ["style", *MEANINGS]
# ... with the line where it stands: the pictures lie in the middle of their field, as large as they fit.
COPY_LINK = """async () => {
  const button = document.querySelector('#copy-link');
  const picture = document.querySelector('#comparison img'), field = picture.getBoundingClientRect();
  const line = document.querySelector('#comparison .outer').getBoundingClientRect();
  const wide = Math.min(field.width, field.height * picture.naturalWidth / picture.naturalHeight);
  const share = Math.round(100 * (line.left + line.width / 2 - field.left - (field.width - wide) / 2) / wide);
  const address = new URL(location);
  address.searchParams.delete('line');
  if (share != 50) address.searchParams.set('line', Math.max(0, Math.min(100, share)));
  history.replaceState(history.state, '', address);
  try {
    await navigator.clipboard.writeText(location.href);
    const words = button.dataset.words ??= button.textContent;  // in the visitor's language
    const own = button.dataset.own === 'true';  // which the address cannot hold
    button.textContent = document.querySelector(`#copied .${own ? 'own' : 'all'}`).textContent;
    setTimeout(() => button.textContent = words, own ? 4000 : 1500);
  } catch {  // a browser that does not let pages do that, or an address without https
    prompt('The link to this picture:', location.href);
  }
}"""
COPIED = '<span class="all">Copied</span><span class="own">Copied, without your photo</span>'  # unseen, for the button
TO_RESULT = "() => document.querySelector('#comparison').scrollIntoView({behavior: 'smooth', block: 'nearest'})"

_choices, _paintings, _shown, _walls, _numbers = Newest(), Newest(), Newest(), Newest(), itertools.count(1)


def teller(progress: gr.Progress) -> Callable[[float], None]:
    """What is told the share of a picture that is painted, and shows it, with the seconds that are left."""
    began = None

    def tell(share: float) -> None:
        nonlocal began
        began = began or time.monotonic()
        left = (time.monotonic() - began) * (1 - share) / share if share else 0.0
        progress(share, desc=f"about {left:.0f} s left" if left > 1 else "painting")

    return tell


def wire(demo: gr.Blocks, styles: list[Style], parts: Parts) -> None:
    """Connect the parts of the page."""
    controls, knobs, result, shared = parts.controls, parts.knobs, parts.result, parts.shared
    chosen = controls.chosen
    address, sides = gr.Textbox(visible="hidden"), {left: t(words.captions(left)) for left in words.LEFT}

    def paint_pair(given: dict[Component, Any], request: gr.Request, progress=PROGRESS):
        newest = _paintings.take(request.session_hash)
        photo, (slug, _), size = given[controls.photo], given[chosen], given[controls.size]
        set_ = {name: given[part] for name, part in knobs.restored.items()}
        if photo is None:  # taken away, for another
            yield gr.skip()
            return

        def save(norm, format, most=None):
            picture = fit_long_side(finished[norm], most)
            return save_result(picture, Path(photo).stem, slug, norm, format=format, said=done.credit(norm))

        with actions.plain_errors():
            try:
                format = check_format(given[knobs.format])
                how = actions.Finish(set_["strength"], set_["colours"], check_protect(set_["protect"]))
                visit = Visit(who(request), newest, teller(progress) if is_large(size) else ignore)
                done = actions.compare(photo, slug, size, set_["contrast"] / 100, set_["strokes"], visit)
            except Superseded:
                yield gr.skip()
                return
            finished = {norm: done.picture(norm, how) for norm in words.NORMS}
            if set_["left"] == "photo":
                left = save_result(fit_long_side(done.photo, LARGE), Path(photo).stem, format=SHOWN)
            else:
                left = save("batch", SHOWN, LARGE)
            shown = left, save("instance", SHOWN, LARGE)
            about, painting = words.about(done.style), community.picture(done.style, "painting")
        settings, still_shown = Settings(slug, photo, size, **set_), _shown.take(request.session_hash)
        yield {
            result.slider: shown,
            result.captions: sides.get(set_["left"] if "batch" in done.painted else "photo", sides["batch"]),
            result.info: actions.describe(done),
            result.about: about,
            result.painting: gr.Image(painting, visible=painting is not None),
            result.unshown: gr.Markdown(visible=painting is None),
            result.link: {**to_link(settings), "own": is_own(photo)},
            **dict.fromkeys(result.saves, gr.DownloadButton(interactive=False)),
        }
        # Nobody waits for the rest, which takes longer.
        with actions.plain_errors():
            small = ImageOps.fit(finished["instance"], (THUMBNAIL, THUMBNAIL))
            seen = remember(given[controls.seen], settings, save_result(small, "thumbnail", slug, format="JPEG"))
            kept = [save(norm, format) for norm in words.NORMS] if still_shown() else []
        downloads = [gr.DownloadButton(value=file, interactive=True) for file in kept] if still_shown() else []
        yield {
            controls.seen: seen,
            controls.strip: gr.Gallery([file for _, file in seen], selected_index=0),
            **dict(zip(result.saves, downloads, strict=False)),
        }

    def show_stop(size):
        return gr.Button(visible=is_large(size))

    def leave(request: gr.Request):
        _paintings.take(request.session_hash)
        _walls.take(request.session_hash)

    def bring_back(settings: Settings):
        """What `restored` shows: all that was set, whose style is chosen anew, so that it is painted."""
        slugs = [style.slug for style in styles]
        place = slugs.index(settings.style) if settings.style in slugs else None
        set_ = (getattr(settings, name) for name in knobs.restored)
        return settings.photo, settings.size, *set_, gr.Gallery(selected_index=place), (settings.style, next(_numbers))

    def follow_link(said):
        settings, wrong = from_link(dict(parse_qsl((said or "")[1:LINK])), [style.slug for style in styles])
        if wrong:
            gr.Warning(f"This link asks for what is not here, or not any more: {', '.join(wrong)}.", title="An old link?")
        return gr.skip() if settings is None else (*bring_back(settings), gr.ImageSlider(slider_position=settings.line))

    def recall(seen, event: gr.SelectData):
        with actions.plain_errors():
            settings, _ = seen[check_index(event.index, len(seen))]
        return bring_back(settings)

    def paint_wall(photo, request: gr.Request):
        newest = _walls.take(request.session_hash)
        if photo is None:
            return gr.skip()
        hung = list(styles)  # to which a training may add
        try:
            tiles = actions.wall(photo, hung, Visit(who(request), newest))
            files = [save_result(tile, "tile", style.slug, format="JPEG") for tile, style in zip(tiles, hung, strict=True)]
        except (Superseded, ZooError):  # what is wrong, `paint_pair` says
            return gr.skip()
        return [(file, style.title) for file, style in zip(files, hung, strict=True)]

    def choose(request: gr.Request, event: gr.SelectData):
        with actions.plain_errors():
            place = check_index(event.index, len(styles))
        _choices.take(request.session_hash)
        return styles[place].slug, next(_numbers)

    def hang(slug, request: gr.Request):
        """What was trained becomes one of the styles, and is painted."""
        with actions.plain_errors():
            style = actions.find_in_zoo(slug)
        if slug not in [other.slug for other in styles]:
            styles.append(style)
        _choices.take(request.session_hash)
        return (slug, next(_numbers)), gr.Tabs(selected="compare")

    def mark(chosen):
        return gr.Gallery(selected_index=next((i for i, style in enumerate(styles) if style.slug == chosen[0]), None))

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
            place = check_index(event.index, len(shown))
        return take(shown[place], request)

    photo = controls.photo
    quiet: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple", "api_visibility": "private"}
    # A visitor's own photo begins as it is, whatever the last one had lost; nothing of another photo is protected.
    begun = photo.input(None, None, [knobs.contrast, knobs.protect], js="() => [100, '']")
    picked = controls.picked.then(None, None, knobs.protect, js="() => ''")
    repaint: dict[str, Any] = {
        "fn": paint_pair,
        "inputs": {photo, chosen, controls.size, *knobs.inputs, controls.seen},
        "outputs": [*result.outputs, controls.seen, controls.strip],
        "trigger_mode": "multiple",  # else gradio drops the newer ones
        "show_progress_on": result.slider,
        "show_progress": "minimal",
        "api_visibility": "private",
        **actions.PAINTING,
    }
    changes = [
        chosen.change,
        controls.size.input,
        knobs.contrast.release,
        knobs.strokes.input,
        knobs.left.input,
        knobs.strength.release,
        knobs.colours.input,
        knobs.protect.input,
        knobs.format.input,
    ]
    for after in (begun.then, picked.then, functools.partial(gr.on, changes)):
        after(**repaint).success(None, result.link, js=TO_ADDRESS)
    restored = [photo, controls.size, *knobs.restored.values(), controls.styles, chosen]
    demo.load(None, None, address, js="() => location.search")  # who follows no link asks nothing of the server
    address.change(follow_link, address, [*restored, result.slider], **quiet, concurrency_limit=None)
    # What is stopped, or left, is not wanted any more: the painting ends at the next strip.
    controls.size.change(show_stop, controls.size, controls.stop, **quiet, concurrency_limit=None)
    controls.stop.click(leave, **quiet, concurrency_limit=None)
    demo.unload(leave)
    controls.strip.select(recall, controls.seen, restored, **quiet, concurrency_limit=None)
    photo.change(paint_wall, photo, controls.styles, **quiet, **actions.PAINTING)
    chosen.change(None, js=TO_RESULT)
    controls.styles.select(choose, None, chosen, **quiet, concurrency_limit=None)
    if trained := parts.trained:
        hung = trained.button.click(hang, trained.slug, [chosen, parts.tabs], **quiet, concurrency_limit=None)
        walled = hung.success(paint_wall, photo, controls.styles, **quiet, **actions.PAINTING)
        walled.then(mark, chosen, controls.styles, **quiet, concurrency_limit=None)
    for event, function, inputs in (
        (shared.use.click, take, shared.name),
        (shared.name.submit, take, shared.name),
        (shared.gallery.select, take_shown, shared.shown),
    ):
        outputs = [chosen, controls.styles, parts.tabs]
        event(function, inputs, outputs, api_visibility="private", trigger_mode="multiple", show_progress_on=shared.name,
              **community.ASKING)  # fmt: skip
