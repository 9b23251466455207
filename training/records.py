"""What a style folder records of its making: recipe.yaml, metrics.json, the card. File names and hashes, never paths."""

import hashlib
import json
import math
import platform
import reprlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from training.config import TrainConfig
from training.data.crops import PhotoFolder
from training.data.paintings import Painting
from zoo.card import make_card
from zoo.device import device_name, pick_device
from zoo.errors import StyleFolderError, TrainingError
from zoo.folder import METRICS, changing_metrics, list_norms, metrics_json, recorded_sha256, sha256, write_whole
from zoo.records import dump_yaml, parse_yaml, read_record
from zoo.style import Style, style_at


def machine(device: torch.device | None = None) -> str:
    """One line on what computes here: that device, or the GPU where there is one."""
    chip = device_name(device or pick_device())
    return f"{chip}, {platform.machine()}, torch {torch.__version__}, Python {platform.python_version()}"


def fingerprint(paintings: list[Painting], photos: PhotoFolder) -> dict:
    """What tells runs on other pictures apart: hashes of the paintings, and of the photos' names."""
    names = "\n".join(path.name for path in photos.photos)
    return {
        "paintings": {painting.slug: sha256(painting.file) for painting in paintings},
        **({"trim": trimmed} if (trimmed := {p.slug: list(p.trim) for p in paintings if any(p.trim)}) else {}),
        "photos": hashlib.sha256(names.encode()).hexdigest(),
    }


def recipe_record(
    config: TrainConfig,
    paintings: list[Painting],
    photos: PhotoFolder,
    together: list[Painting],
    started_from: list[dict],
    dataset: str | None = None,
    device: torch.device | None = None,
) -> dict:
    """What recipe.yaml holds: the resolved recipe, then the record of what it was applied to. File names, never paths.

    `together` are all paintings trained in the same generator, `started_from` the styles it began from, if it did, `dataset`
    the Hub's name of the photos, if they have one, `device` what it is trained on.
    """
    prints = fingerprint(paintings, photos)
    records = [
        {
            **p.facts,
            **({"trim": list(p.trim)} if any(p.trim) else {}),
            "file": p.file.name,
            "sha256": prints["paintings"][p.slug],
        }
        for p in paintings
    ]
    record: dict[str, Any] = {
        "painting": records[0] if len(records) == 1 else records,
        "photos": {"number": len(photos.photos), "names_sha256": prints["photos"]},
        "made_with": machine(device),
    }
    if dataset:
        record["photos"]["dataset"] = dataset
    if len(together) > 1:
        record["trained_with"] = [painting.file.name for painting in together]
    if started_from:
        record["started_from"] = started_from
    return {**asdict(config), **record}


def write_recipe(path: Path, record: dict, norms: tuple[str, ...]) -> None:
    """recipe.yaml, with the command that repeats it."""
    which = "--pair" if len(norms) > 1 else f"--norm {norms[0]}"
    start = " --from ..." if "started_from" in record else ""
    how = f"# repeat: python -m training.train {which} --recipe recipe.yaml{start} --style-image ... --content ... --out ...\n"
    path.write_text(how + dump_yaml(record), encoding="utf-8")


def differences(there: dict, here: dict) -> list[str]:
    """In what two records of trainings differ, in words: "style_weight (5.0 there, 3.0 here)"; of nested ones "painting.title".

    A recipe key that one of them lacks has its default: it was written before there was such a key, and a key is added with
    the default that changes nothing.
    """
    defaults = asdict(TrainConfig())
    return list(_differ("", {**defaults, **there}, {**defaults, **here}))


def _differ(name: str, there: object, here: object) -> Iterator[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in {**there, **here}:
            yield from _differ(f"{name}.{key}" if name else str(key), there.get(key), here.get(key))
    elif there != here:
        there, here = ("none" if value is None else reprlib.repr(value) for value in (there, here))
        yield f"{name} ({there} there, {here} here)"


def _told_by_both(there: Any, here: Any) -> Any:
    """What `there` says, without the keys of its mappings that `here` lacks: each half may know the start by its own norm."""
    if isinstance(there, dict) and isinstance(here, dict):
        return {key: _told_by_both(value, here[key]) for key, value in there.items() if key in here}
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        return [_told_by_both(*two) for two in zip(there, here, strict=True)]
    return there


def check_other_half(folder: Path, record: dict, norms: tuple[str, ...]) -> None:
    """Raise TrainingError when the folder holds the twin of another training than `record` tells of."""
    others = [norm for norm in list_norms(folder) if norm not in norms]
    if not others:
        return
    machines = {"made_with": record["made_with"]}  # may differ
    here: Any = parse_yaml(dump_yaml(record))
    there, start = dict(style_at(folder).recipe), "started_from"
    if start in there and start in here:
        there[start], here[start] = _told_by_both(there[start], here[start]), _told_by_both(here[start], there[start])
    if differ := differences({**there, **machines}, {**here, **machines}):
        raise TrainingError(
            f"{folder} holds a {others[0]}-norm generator whose training differs in {', '.join(differ)}, which would be no "
            "matched twin: choose another --out, or train both with --pair"
        )


def why_not_write(style: Style) -> str | None:
    """Why nothing is written into the folder of a style, in words; None where it may be: of one that lies here, by any name,
    and of a bundled one that is named by its path. What was pulled is the Hub's, whatever link or path leads to it.
    """
    from zoo import hub  # here, as only some commands need it

    if "@" in style.source or style.folder.resolve().is_relative_to(hub.cache_folder().resolve()):
        what = style.source if "@" in style.source else style.slug
        return f"{what} is the Hub's: pull it into a folder first (python -m zoo pull ... --to DIR)"
    if style.source == "bundled":
        return f"{style.slug} is the style bundled with the code: give the path of its folder, {style.folder}, if you mean that"
    return None


def write_metrics(style: Path, update: dict) -> None:
    """Merge into metrics.json of a style folder, rounding figures to six digits."""
    path = style / METRICS
    try:
        with changing_metrics(style):
            metrics = read_record(path)
            for key, value in update.items():
                metrics[key] = {**metrics[key], **value} if isinstance(metrics.get(key), dict) else value
            write_whole({path: metrics_json(_rounded(metrics))})
    except (OSError, StyleFolderError) as error:
        raise TrainingError(f"cannot update {path}: {error}") from error


def forget_measurements(style: Path) -> None:
    """Leave nothing in metrics.json of a style folder but the hashes of its generators: the rest was measured on others."""
    try:
        with changing_metrics(style):
            try:
                recorded = recorded_sha256(style)
            except StyleFolderError:  # broken: nothing to keep
                recorded = {}
            write_whole({style / METRICS: metrics_json(recorded)})
    except OSError as error:
        raise TrainingError(f"cannot update {style / METRICS}: {error}") from error


def write_json(path: Path, record: dict) -> None:
    """Write a record whole or not at all, rounding figures to six digits. Raises TrainingError when that fails."""
    try:
        write_whole({path: (json.dumps(_rounded(record)) + "\n").encode()})
    except OSError as error:
        raise TrainingError(f"cannot write {path}: {error}") from error


def write_card(style: Style) -> None:
    """README.md from what recipe.yaml and metrics.json say now. Raises TrainingError when it cannot be written."""
    try:
        with changing_metrics(style.folder):  # of two who measure the same style, the last writes what both found
            write_whole({style.folder / "README.md": make_card(replace(style)).encode()})  # its records read anew
    except OSError as error:
        raise TrainingError(f"cannot write {style.folder / 'README.md'}: {error}") from error


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None  # JSON knows no others
    return value
