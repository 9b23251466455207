"""A style: what its folder says of itself. Which styles there are is the catalogue's business (zoo/catalog.py)."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo import folder
from zoo.adapter import WEIGHTS as ADAPTER
from zoo.adapter import is_adapter
from zoo.config import GeneratorConfig
from zoo.errors import StyleFolderError
from zoo.records import is_there, read_record
from zoo.registry import builder

BUNDLED = Path(__file__).parent / "styles"
PHOTO = Path(__file__).parent / "photo.jpg"  # the one photo that every style's picture shows
PAINTERS = ("photo", "batch", "instance")  # what is measured: the untouched photo, and what either norm paints


@dataclass(frozen=True)
class Style:
    """One style folder. `source` is "bundled", "local" or, of one from the Hub, owner/name@sha."""

    slug: str
    folder: Path
    source: str

    @cached_property
    def painting(self) -> dict[str, Any]:
        """What recipe.yaml records of the painting: title, author, year, licence, source; empty when unknown."""
        found = self.recipe.get("painting")
        facts = found.items() if isinstance(found, dict) else ()
        return {str(key): value if not isinstance(value, str) else value[:300] for key, value in facts if _is_fact(value)}

    @property
    def by(self) -> str:
        """Author and year of the painting, as far as they are known."""
        return ", ".join(str(self.painting[key]) for key in ("author", "year") if key in self.painting)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved training recipe; empty when the folder has none. Raises StyleFolderError when it is broken."""
        return read_record(self.folder / "recipe.yaml")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What was measured on held-out photos; empty when nothing was. Raises StyleFolderError when it is broken."""
        return read_record(self.folder / "metrics.json")

    @property
    def held_out(self) -> dict[str, dict[str, Any]]:
        """Held-out losses by photo size: photo, batch and instance, each with content, style and objective.

        Raises StyleFolderError when metrics.json is not of that form.
        """
        found = self.metrics.get("held_out", {})
        try:
            for record in found.values():
                for name in {"photo"} | record.keys() & {"batch", "instance"}:
                    if not all(_is_figure(record[name][key]) for key in ("content", "style", "objective")):
                        raise ValueError(f"figures of {name}")
                if not isinstance(record["photos"], list) or not all(
                    isinstance(record[k], str) for k in ("command", "machine")
                ):
                    raise ValueError("photos, command, machine")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StyleFolderError(f"{self.folder / 'metrics.json'}: held_out is not what training.evaluate writes") from error
        return found

    @property
    def errors(self) -> dict[str, dict[str, float]]:
        """Of the untouched "photo" and of what "batch" and "instance" norm paint, in the mean over held-out photos and sizes:
        "content", how far from the photo, and "style", how far from the painting. Empty when they were not measured.

        Raises StyleFolderError when metrics.json is not of that form.
        """
        found = self.metrics.get("errors", {})
        try:
            means = {name: found[name]["mean"] for name in PAINTERS if name in found.keys()}  # a mapping, or an error
            if not all(_is_figure(each[key]) for each in means.values() for key in ("content", "style")):
                raise ValueError("figures")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StyleFolderError(f"{self.folder / 'metrics.json'}: errors are not what training.evaluate writes") from error
        return means

    @property
    def faded(self) -> dict[str, float]:
        """By norm, the share of its contrast that a picture keeps where its photo has lost three quarters: 1 where the photo's
        contrast does not matter. Empty when it was not measured. Raises StyleFolderError when metrics.json is not of that form.
        """
        try:
            found: dict[str, Any] = next(iter(self.metrics.get("robustness", {}).values()), {})
            kept = {norm: found[norm]["contrast"]["0.25"]["share"] for norm in PAINTERS[1:] if norm in found}
            if not all(_is_figure(share) for share in kept.values()):
                raise ValueError("shares")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StyleFolderError(
                f"{self.folder / 'metrics.json'}: robustness is not what training.evaluate writes"
            ) from error
        return kept

    @property
    def title(self) -> str:
        """The painting's title, or else the slug in words."""
        return str(self.painting.get("title") or self.slug.replace("-", " ").title())

    @property
    def norms(self) -> list[str]:
        """Norms that the folder holds a generator of."""
        return folder.list_norms(self.folder)

    @property
    def takes_photo(self) -> bool:
        """Whether it paints photos, rather than tiles of noise alone. Raises ConfigError when a config is broken."""
        if not self.norms or is_adapter(self.folder):
            return True
        return builder(self._config().architecture).takes_photo

    @property
    def has_noise(self) -> bool:
        """Whether it draws noise for each picture, which no exported file can repeat. Errors as of takes_photo."""
        return bool(self.norms) and not is_adapter(self.folder) and builder(self._config().architecture).has_noise

    def _config(self) -> GeneratorConfig:
        return GeneratorConfig.load(folder.twin_folder(self.folder, self.norms[0]) / folder.CONFIG)

    def check_records(self) -> None:
        """Raise ConfigError or StyleFolderError when what the style records of itself cannot be read: of such a style nobody
        can say whose painting it is, so it is neither listed nor painted with."""
        self.check_links()
        is_there(self.folder / folder.CONFIG)  # raises where something else stands
        _ = self.recipe, self.held_out, self.errors, self.faded, self.takes_photo

    def check(self) -> None:
        """As `check_records`, and raise WeightsError for weights that are missing or damaged, as far as their header tells; a
        style like that is not listed, nor does it hide another of its slug. Those of the twin alone may be missing."""
        self.check_records()
        name = ADAPTER if is_adapter(self.folder) else folder.WEIGHTS
        for norm in self.norms:
            path = folder.twin_folder(self.folder, norm) / name
            if norm == "instance" or is_there(path):
                folder.check_header(path)

    def check_twin(self) -> None:
        """Raise StyleFolderError for a batch-norm twin that is there and cannot be read, so that `norms` has none."""
        twin = folder.twin_folder(self.folder, "batch")
        if not is_there(twin / folder.CONFIG) and os.path.lexists(twin) and not os.path.isdir(twin):
            raise StyleFolderError(f"cannot read {twin}: it is no folder; put the twin there, or take it away")

    def check_links(self) -> None:
        """Raise StyleFolderError for a link in the folder, unless it is bundled: a folder that came by git, say, may hold links
        to anything on this machine, whose words would stand in an error, or whose picture on the page."""
        if self.source == "bundled":
            return
        for path in (path for part in ("*", "*/*") for path in self.folder.glob(part)):
            if path.is_symlink():
                raise StyleFolderError(f"{path} is a link: put the file itself there")

    def picture(self, kind: str = "instance") -> Path | None:
        """A picture of the style folder, None when it has none: "instance" or "batch" (the zoo's photo as that norm paints
        it), "photo" (that photo), "preview" (several photos), "painting" (only where its licence lets it be shown)."""
        path = self.folder / "images" / f"{kind}.jpg"
        return path if os.path.isfile(path) else None


def _is_fact(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _is_figure(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e15


def style_at(path: str | Path) -> Style:
    """The style in that very folder, whatever the catalogue holds under its name."""
    return Style(os.path.basename(os.path.realpath(path)), Path(path), "local")
