"""Warm starts: a training that begins from trained styles, and may leave most of their weights as they are."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from training.running.widen import widen
from zoo.adapter import is_adapter, weights_sha256
from zoo.catalog import find, load
from zoo.conditional import ConditionalNorm, share_convolutions
from zoo.config import GeneratorConfig
from zoo.errors import ConfigError, TrainingError
from zoo.folder import CONFIG, list_norms, tensors_sha256, twin_folder
from zoo.layers import norm_parameters
from zoo.registry import Generator
from zoo.style import Style

WARMUP = 50  # steps: a fresh Adam moves every weight by the full rate in its first step, which would shock trained ones
KNOBS = ("architecture", "width", "residual_blocks", "padding", "upsampling")  # recipe keys that a start decides


def find_start(names: list[str], norms: tuple[str, ...], paintings: int) -> tuple[Style, ...]:
    """The styles that `names` stand for. Raises ZooError unless there is one, or one for each painting, with those norms."""
    styles = tuple(find(name) for name in names)
    if len(styles) not in (0, 1, paintings):
        raise TrainingError(f"--from takes one style, or one for each of the {paintings} paintings, got {len(styles)}")
    for style in styles:
        if is_adapter(style.folder):
            raise TrainingError(f"--from {style.slug} is an adapter: start from a complete style folder")
        if missing := [norm for norm in norms if norm not in list_norms(style.folder)]:
            raise TrainingError(f"--from {style.slug} has no {missing[0]}-norm generator to start from")
    return styles


def started_recipe(recipe: dict, start: tuple[Style, ...], norms: tuple[str, ...], flags: Iterable[str] = ()) -> dict:
    """Recipe keys for a warm start: the generator's are those of the style, and the rate warms up if the recipe says nothing
    of it. Raises ConfigError when one of `flags`, keys the user gave, would have another generator; it may have a wider one.
    """
    if not start:
        return recipe
    config = GeneratorConfig.load(twin_folder(start[0].folder, norms[0]) / CONFIG)
    knobs = {key: getattr(config, key) for key in KNOBS}
    if "width" in flags and recipe["width"] > knobs["width"]:
        knobs["width"] = recipe["width"]  # see training.running.widen
    if other := [key for key in flags if key in knobs and recipe[key] != knobs[key]]:
        raise ConfigError(f"--from {start[0].slug} has {other[0]} {knobs[other[0]]}, it cannot be {recipe[other[0]]}")
    return {"warmup": WARMUP, **recipe, **knobs}


@torch.no_grad()
def warm_start(generator: Generator, trained: list[Generator]) -> None:
    """Copy trained plain generators into a fresh one, in place. Its rows start from the generators in their order, rows
    beyond them from the first; shared weights are those of all. A narrower generator is widened first.

    Raises TrainingError when the trained ones do not share them, ConfigError when one cannot be widened.
    """
    if trained[0].config.width != generator.config.width:
        trained = [widen(other, generator.config.width) for other in trained]
    if not share_convolutions(trained):
        raise TrainingError("--from: these styles were not trained together, they share no convolutions; give one of them")
    states, own = [other.state_dict() for other in trained], norm_parameters(trained[0])
    rows = {name: module for name, module in generator.named_modules() if isinstance(module, ConditionalNorm)}
    for name, module in rows.items():
        for i, row in enumerate(module.rows):
            state = states[i if i < len(states) else 0]
            row.load_state_dict({key: state[f"{name}.{key}"] for key in row.state_dict()})
    shared = {key: value for key, value in states[0].items() if not rows or key not in own}
    missing, unknown = generator.load_state_dict(shared, strict=False)
    assert not unknown and all(".rows." in key for key in missing)


def freeze(generator: nn.Module, only: str) -> None:
    """Leave only some weights to training: "all" of them; "norm", gammas and betas; "norm+ends", the first and the last
    convolution, too, which decide how colours are read and mixed.
    """
    if only == "all":
        return
    norms = norm_parameters(generator)
    convs = [module for module in generator.modules() if isinstance(module, nn.Conv2d)]
    ends = {p for conv in (convs[0], convs[-1]) for p in conv.parameters()} if only == "norm+ends" else set()
    for name, p in generator.named_parameters():
        p.requires_grad_(name in norms or p in ends)


def known_as(style: Style) -> str:
    """The name by which a style is found again: owner/name@sha of one from the Hub, else its slug."""
    return style.source if "@" in style.source else style.slug


def describe_start(start: tuple[Style, ...], norms: tuple[str, ...] = ()) -> list[dict]:
    """What a recipe records of each style a run started from: name, steps it was trained before, hashes of its weights'
    tensors, by norm: of all that it has, unless only some are asked for."""

    def steps(style: Style) -> int | None:
        try:
            earlier = sum(record["steps"] or 0 for record in style.recipe.get("started_from", []))
            return int(style.recipe.get("stopped_after", style.recipe["steps"]) + earlier)
        except (KeyError, TypeError, ValueError):  # a recipe of other making, or none
            return None

    return [
        {
            "style": known_as(style),
            "steps": steps(style),
            "sha256": {norm: tensors_sha256(load(style, norm).state_dict()) for norm in norms or list_norms(style.folder)},
        }
        for style in start
    ]


def with_tensors_hashed(record: dict, start: tuple[Style, ...], described: list[dict]) -> dict:
    """A record of a run that began from `start`, as `describe_start` tells of it. The first ones name the SHA-256 of weights
    files: where these are the same, that of their tensors stands there instead."""
    now = {
        weights_sha256(style.folder, norm): tensors
        for style, found in zip(start, described, strict=True)
        for norm, tensors in found["sha256"].items()
    }

    def renewed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: renewed(item) for key, item in value.items()}
        return [renewed(item) for item in value] if isinstance(value, list) else now.get(value, value)

    return renewed(record)
