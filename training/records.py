"""What a style folder records of its making: recipe.yaml, metrics.json, the card. File names and hashes, never paths."""

import hashlib
import json
import platform
from dataclasses import asdict
from pathlib import Path

import torch
import yaml

from training.config import TrainConfig
from training.data import PhotoFolder
from training.paintings import Painting
from zoo.card import make_card
from zoo.catalog import Style
from zoo.errors import TrainingError


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def machine() -> str:
    """One line on what computes here."""
    chip = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    return f"{chip}, {platform.machine()}, torch {torch.__version__}, Python {platform.python_version()}"


def write_recipe(
    path: Path, config: TrainConfig, paintings: list[Painting], photos: PhotoFolder, together: list[Painting] = ()
) -> None:
    """recipe.yaml: the resolved recipe, then the record of what it was applied to. File names only, never paths.

    `together` names the paintings trained in the same generator, where there were several.
    """
    names = "\n".join(path.name for path in photos.photos)
    records = [{**p.facts, "file": p.file.name, "sha256": sha256(p.file)} for p in paintings]
    record = {
        "painting": records[0] if len(records) == 1 else records,
        "photos": {"number": len(photos.photos), "names_sha256": hashlib.sha256(names.encode()).hexdigest()},
        "made_with": machine(),
    }
    if len(together) > 1:
        record["trained_with"] = [painting.file.name for painting in together]
    how = "# repeat: python -m training.train --pair --recipe recipe.yaml --style-image ... --content ... --out ...\n"
    text = yaml.safe_dump({**asdict(config), **record}, sort_keys=False, allow_unicode=True)
    path.write_text(how + text, encoding="utf-8")


def write_metrics(style: Path, update: dict) -> None:
    """Merge into metrics.json of a style folder, rounding figures to six digits."""
    path = style / "metrics.json"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for key, value in update.items():
            metrics[key] = {**metrics[key], **value} if isinstance(metrics.get(key), dict) else value
        path.write_text(json.dumps(_rounded(metrics), indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot update {path}: {error}") from error


def write_card(folder: Path) -> None:
    """README.md from what recipe.yaml and metrics.json say now."""
    style = Style(folder.resolve().name, folder, "local")
    (folder / "README.md").write_text(make_card(style), encoding="utf-8")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
