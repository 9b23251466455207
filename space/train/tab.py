"""The tab itself: what is said of a painting, the commands that follow from it, and the training on the page."""

import filecmp
import functools
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from space import actions
from space.asked import read_photo
from space.files import save_result
from space.guard import who
from space.languages import t
from space.parts import Trained
from space.photo_input import PhotoInput
from space.train import commands, job
from space.train.commands import MACHINES, Wish
from space.train.words import HERE, NOT_HERE, NOTHING, TRAIN, how_it_stands
from zoo.errors import ConfigError, PhotoError, shorten
from zoo.style import PHOTO, Style

TICK = 2.0  # s between two looks at a training
FIRST = "minutes"  # the machine that is shown first
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
HINTS = {"title": "The Starry Night", "author": "Vincent van Gogh", "year": "1889", "licence": "public domain",
         "source": "where this reproduction comes from"}  # fmt: skip
WHERE = "A folder or an archive of yours, or owner/name of a data set on the Hub. A thousand varied ones are best."
WIDTHS = {"title": 300, "author": 140, "source": 300}  # px, at least; others 100


class PaintingInput(PhotoInput):
    """A painting's file with the name that its owner knows it by: (path, name), or None."""

    def preprocess(self, payload) -> tuple[str, str] | None:  # type: ignore[override]
        """As of PhotoInput."""
        path = super().preprocess(payload)
        return None if path is None else (path, str(payload.orig_name or Path(path).name))

    def get_block_name(self) -> str:
        """What draws it."""
        return "image"


def add_tab(tab: gr.Tab, photo: PhotoInput, styles: list[Style]) -> Trained | None:
    """Lay the tab out and wire it; returns what of it the page wires to its comparison, where it trains."""
    photos = job.photos()
    gr.Markdown(t(TRAIN), elem_id="train-words")
    with gr.Row(elem_id="train"):
        with gr.Column(scale=2, min_width=280):
            given = _form()
        with gr.Column(scale=3, min_width=280):
            fixed = *(one.says for one in MACHINES.values()), commands.NEEDED, commands.NEEDED_AT_ONCE, commands.NAMELESS
            once = {key: t("Once" if key == "jobs" else commands.ONCE) for key in MACHINES}
            said = {line: t(line) for line in fixed}
            labels = [(t(one.label), key) for key, one in MACHINES.items()]
            machine = gr.Radio(labels, value=FIRST, label=t("Train on"), elem_id="machine")
            with gr.Column(elem_id="advice"):
                words = [
                    gr.Markdown(said[line] if line else "", visible=bool(line)) for line in commands.advice(FIRST, Wish(), None)
                ]
            shown = [
                _code(once[FIRST], "install", commands.install(FIRST)),
                _code(t("Train"), "command", commands.train(FIRST, Wish())),
                _code(t("Then paint with it, and share it"), "afterwards", commands.afterwards(FIRST, Wish())),
            ]

    def tell(sent: dict[Component, Any]):
        painting, how = sent[given[0]], sent[machine] if sent[machine] in MACHINES else FIRST
        wish = make_wish([sent[one] for one in given])
        lines = commands.advice(how, wish, _size(painting[0]) if painting else None)
        advice = (gr.Markdown(said.get(line, line), visible=bool(line)) for line in lines)
        return (
            *advice,
            gr.Code(commands.install(how), label=once[how]),
            commands.train(how, wish),
            commands.afterwards(how, wish),
        )

    events = [machine.change, given[0].change, *(event for box in given[1:] for event in (box.blur, box.submit))]
    gr.on(events, tell, {machine, *given}, [*words, *shown], trigger_mode="always_last", **QUIET)
    if photos is None:
        gr.Markdown(t(NOT_HERE), elem_id="not-here")
        return None
    return _add_training(tab, job.Trainer(photos), given, photo, styles)


def make_wish(sent: list[Any]) -> Wish:
    """What was sent by the form, whatever it is: an input that is no text says nothing."""
    painting, *said = sent
    *facts, photos, owner = (words if isinstance(words, str) else "" for words in said)
    return Wish(painting[1] if painting else Wish.file, dict(zip(commands.FACTS, facts, strict=True)), photos, owner)


@functools.lru_cache(64)
def _size(path: str) -> tuple[int, int]:
    """Width and height of an upload in px. Raises gr.Error for what is no picture."""
    with actions.plain_errors():
        return read_photo(path).size


def _form() -> list[Any]:
    """The painting and what is said of it: FACTS, then photos and owner."""
    painting = PaintingInput(
        sources=["upload", "clipboard"], label=t("Your painting"), height=220, buttons=[], elem_id="to-train"
    )
    with gr.Row(elem_id="facts"):
        said = [
            gr.Textbox(label=t(key.capitalize()), placeholder=t(hint) if key == "source" else hint,
                       max_length=commands.LONGEST, elem_id=f"fact-{key}",
                       max_lines=1, min_width=WIDTHS.get(key, 100))
            for key, hint in HINTS.items()
        ]  # fmt: skip
    photos = gr.Textbox(
        "photos/", label=t("Photos to learn from"), info=t(WHERE), max_lines=1, max_length=commands.LONGEST, elem_id="photos"
    )
    owner = gr.Textbox(
        label=t("Your name on the Hub, to share it"), placeholder="me", max_lines=1, max_length=96, elem_id="owner"
    )
    return [painting, *said, photos, owner]


def _code(label: str, name: str, value: str = "", visible: bool = True) -> gr.Code:
    return gr.Code(value, language=None, label=label, interactive=False, lines=1, wrap_lines=True, visible=visible,
                   show_line_numbers=False, buttons=["copy"], elem_id=f"code-{name}", elem_classes="command")  # fmt: skip


def _add_training(tab: gr.Tab, trainer: job.Trainer, given: list[Any], photo: PhotoInput, styles: list[Style]) -> Trained:
    """The training on the page, laid out and wired."""
    trained = {style.title: style.slug for style in styles if style.source == "bundled"}
    start_words, go_on, nothing = t("Start"), t("Go on"), t(NOTHING)
    gr.Markdown(t(HERE), elem_id="here")
    with gr.Row(elem_id="training"):
        with gr.Column(scale=2, min_width=280):
            start = gr.Dropdown(list(trained.items()), label=t("Begin with what this style has learnt"), elem_id="from")
            steps = gr.Radio(list(job.STEPS), value=job.STEPS[2], label=t("Steps"), elem_id="steps")
            with gr.Row():
                go = gr.Button(start_words, variant="primary", min_width=110, elem_id="start")
                stop = gr.Button(t("Stop"), min_width=110, interactive=False, elem_id="stop")
        with gr.Column(scale=3, min_width=280):
            note = gr.Markdown(nothing, elem_id="standing")
            preview = gr.Image(label=t("Photos, as it paints them so far"), show_label=False, interactive=False, visible=False,
                               buttons=["fullscreen"], elem_id="so-far")  # fmt: skip
            attempt = gr.Button(t("Try it on my photo"), variant="primary", visible=False, elem_id="try-trained")
            publish = _code(t("Share it"), "share", visible=False)
    slug, timer = gr.State(None), gr.Timer(TICK, active=False)

    def look(request: gr.Request):
        """How the training stands, for whoever asks; pictures and buttons are for who has started it."""
        last = trainer.job()
        if last is None:
            return nothing, *[gr.skip()] * 6, gr.Timer(active=False)
        stands, mine = last.standing(), last.who == who(request)
        picture = last.preview() if mine else None
        with actions.plain_errors():
            file = save_result(picture, "preview", stands.slug, format="JPEG") if picture else None
        there = mine and stands.style
        return (
            how_it_stands(stands, mine),
            gr.Image(file, visible=file is not None),
            gr.Button(go_on if mine and stands.state == "stopped" else start_words, interactive=not stands.runs),
            gr.Button(interactive=mine and stands.state == "running"),
            gr.Button(visible=there),
            gr.Code(commands.share(f"{job.FOLDER}/{stands.slug}", last.order.wish) if there else "", visible=there),
            stands.slug if there else None,
            gr.Timer(active=stands.runs),
        )

    def begin(sent: dict[Component, Any], request: gr.Request):
        painting = sent[given[0]]
        with actions.plain_errors():
            if painting is None:
                raise PhotoError("there is no painting yet: drop one above")
            if sent[steps] not in job.STEPS or sent[start] not in trained.values():
                raise ConfigError(f"no training has {shorten(sent[steps])} steps, or begins with {shorten(sent[start])}")
            own = sent[photo] and not filecmp.cmp(sent[photo], PHOTO, shallow=False)  # previews show the zoo's in any case
            shown = Path(sent[photo]) if own else None
            wish = make_wish([sent[one] for one in given])
            trainer.start(who(request), job.Order(Path(painting[0]), wish, sent[start], sent[steps], shown))
        return look(request)

    def end(request: gr.Request):
        with actions.plain_errors():
            trainer.stop(who(request))
        return look(request)

    seen = [note, preview, go, stop, attempt, publish, slug, timer]
    go.click(begin, {*given, start, steps, photo}, seen, **QUIET)
    stop.click(end, None, seen, **QUIET)
    timer.tick(look, None, seen, **QUIET)
    tab.select(look, None, seen, **QUIET)
    return Trained(slug, attempt)
