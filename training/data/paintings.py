"""The paintings of a run: one for a style of its own, several for many styles in one generator."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from zoo import records
from zoo.card import check_licence
from zoo.errors import TrainingError
from zoo.images import open_photo
from zoo.names import make_slug

RESERVED = ("", "run", "identity")  # folders of a run that are no style's
FACTS = {  # by name: what it is
    "title": "of the painting",
    "author": "of the painting",
    "year": "of the painting",
    "licence": 'of the painting, as in "CC BY 4.0" or "public domain"',
    "source": "where the reproduction of the painting comes from",
    "licence_weights": "of what is trained, as the Hub writes it (default: apache-2.0)",
}


@dataclass(frozen=True)
class Painting:
    """A painting, where its style goes, and what is known of it (FACTS). `show` lets the style folder show it.

    `trim` is what a training does not look at, in per cent of width or height, on the left, top, right and bottom: a frame, a
    print's margin, or whatever else lies along an edge and would be painted along the edges of photos. Measurements look at
    all of it.

    Raises ConfigError when the licence of what is trained is none, TrainingError when `trim` leaves nothing.
    """

    file: Path
    slug: str
    facts: dict = field(default_factory=dict)
    show: bool = False
    trim: tuple[float, ...] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        if "licence_weights" in self.facts:
            check_licence(self.facts["licence_weights"])
        numbers = all(isinstance(part, (int, float)) and not isinstance(part, bool) and part >= 0 for part in self.trim)
        if not numbers or len(self.trim) != 4 or max(self.trim[0] + self.trim[2], self.trim[1] + self.trim[3]) > 90:
            given = " ".join(map(str, self.trim))
            raise TrainingError(
                f"trim takes four numbers, per cent off left, top, right and bottom, and leaves 10; got {given}"
            )

    def image(self) -> Image.Image:
        """What of it a training looks at, as RGB. Raises PhotoError."""
        painting = open_photo(self.file)
        (w, h), (left, top, right, bottom) = painting.size, self.trim
        return painting.crop(
            (round(w * left / 100), round(h * top / 100), w - round(w * right / 100), h - round(h * bottom / 100))
        )


def read_paintings(files: list[Path], about: Path | None, name: str | None = None) -> list[Painting]:
    """Paintings with what the YAML file `about` says of each: a mapping from file name to slug, title, author, year,
    licence, source, show, trim. Without it slugs come from the file names; `name` is
    that of a single painting, whatever they say.

    Raises TrainingError when the file is not such a mapping or leaves a painting out, for a slug that is none, and
    when two paintings share one.
    """
    try:
        known = records.read(about) if about else {}
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {about}: {error}") from error
    paintings, names = [], [file.name for file in files]
    if isinstance(known, dict) and (unused := known.keys() - set(names)) and (missing := set(names) - known.keys()):
        strange = ", ".join(sorted(map(str, unused)))
        raise TrainingError(
            f"{about} says nothing of {', '.join(sorted(missing))}, but it knows {strange}: is a name mistyped?"
        )
    for file in files:
        facts = known.get(file.name, {}) if isinstance(known, dict) else None
        if not isinstance(facts, dict) or (unknown := facts.keys() - {*FACTS, "slug", "show", "trim"}):
            wrong = f"it does not know {', '.join(sorted(map(str, unknown)))}" if isinstance(facts, dict) else "it is none"
            raise TrainingError(f"{about} must map file names to mappings of {', '.join(FACTS)}, slug, show, trim; {wrong}")
        slug = name or facts.get("slug") or make_slug(file.stem)
        if not name and (slug in RESERVED or slug != make_slug(str(slug))):
            raise TrainingError(f"{file.name}: {slug!r} cannot be a slug, give it one of a-z, 0-9 and - in --about")
        trim = facts.get("trim", Painting.trim)
        trim = tuple(trim) if isinstance(trim, (list, tuple)) else (trim,)
        paintings.append(Painting(file, slug, {k: facts[k] for k in FACTS if k in facts}, bool(facts.get("show")), trim))
    slugs = [painting.slug for painting in paintings]
    if twice := sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        raise TrainingError(f"two paintings would share the slug {twice[0]}: give one another slug in --about")
    return paintings


def row_of_step(step: int, rows: int, seed: int) -> int:
    """Which row step 1, 2, ... trains: every round of `rows` steps visits each once, in an order of its own."""
    round_, place = divmod(step - 1, rows)
    order = list(range(rows))
    random.Random(f"{seed}/styles/{round_}").shuffle(order)
    return order[place]
