"""What the tab "Why instance norm?" shows: four experiments with the zoo's own generators, on any photo.

  python -c "from space import lessons; lessons.paint()"

paints anew what the tab shows before somebody tries them, in the first style of the gallery.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps, ImageStat

import zoo
from space import actions
from space.asked import check_request, check_work, read_photo
from space.gpu import on_gpu
from space.settings import PHOTOS
from space.turns import NOBODY, Visit
from space.words import GALLERY, NORMS
from zoo.catalog import find
from zoo.engine.painting import paint_fast
from zoo.frozen import freeze_statistics
from zoo.images import fade, fit_long_side, open_photo, save_picture, to_image, to_tensor
from zoo.painter import painter
from zoo.registry import Generator
from zoo.style import PHOTO, Style

READ, HAZE = 320, 0.3  # px of the long side of what the statistics are read of, and what is left of its contrast
SMALL, LARGE = 512, 1080  # px of the long side
CORNER, TIMES = 64, 6  # px of a corner, and how many times it is magnified
MIDDLE = 3  # one part of so many of the sides
SHARES = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1)  # of a photo's contrast
TAUGHT = Path(__file__).parent / "taught"
LEARNT = Path(__file__).parent.parent / "docs" / "experiments" / "residual.json"  # by python -m training.experiments residual
Pictures = list[Image.Image]
Curves = dict[str, list[tuple[float, float]]]  # by norm: points


def readings(photo: Image.Image, style: Style) -> Pictures:
    """A photo on a hazy day by batch norm with its running statistics and with those of a batch, the photo and three others;
    by instance norm with the photo's own statistics, and with these frozen to their averages over the page's photos."""
    instance, batch = (painter().generator(style, norm) for norm in ("instance", "batch"))
    hazy = fade(photo, HAZE)
    pair = [paint_fast(batch, hazy).image, _of_a_batch(batch, [hazy, *(open_photo(path, READ) for path in PHOTOS[1:4])])]
    return [*pair, paint_fast(instance, hazy).image, paint_fast(_frozen(instance), hazy).image]


def border(photo: Image.Image, style: Style) -> Pictures:
    """A corner, magnified, of what instance norm paints with its convolutions padded by zeros, and as they were trained."""
    generator = painter().generator(style, "instance")
    zero = zoo.create(replace(generator.config, padding="zero"))
    zero.load_state_dict(generator.state_dict())
    pictures = (paint_fast(each, photo).image for each in (zero.to(painter().device).eval(), generator))
    side = min(CORNER, *photo.size)
    corners = (picture.crop((0, 0, side, side)) for picture in pictures)
    return [corner.resize((TIMES * side, TIMES * side), Image.Resampling.NEAREST) for corner in corners]


def sizes(photo: Image.Image, style: Style) -> Pictures:
    """The middle of what instance norm paints of a photo reduced to SMALL px, and of one as it is; as large as each other."""
    generator = painter().generator(style, "instance")
    middles = (_middle(paint_fast(generator, each).image) for each in (fit_long_side(photo, SMALL), photo))
    return [ImageOps.fit(middle, (photo.width // MIDDLE, photo.height // MIDDLE)) for middle in middles]


def fading(photo: Image.Image, style: Style) -> Curves:
    """Of what share of its contrast the photo keeps, the share that either norm's picture keeps of its own (the standard
    deviation of its luminance, Rec. 601): the paper's figure 2 as curves."""
    curves: Curves = {}
    for norm in NORMS:
        generator = painter().generator(style, norm)
        left = [_contrast(paint_fast(generator, fade(photo, share)).image) for share in SHARES]
        curves[norm] = [(share, own / max(left[0], 1e-6)) for share, own in zip(SHARES, left, strict=True)]
    return curves


LESSONS: dict[str, tuple[Callable[[Image.Image, Style], Any], int]] = {  # and px of the photo's long side
    "readings": (readings, READ), "border": (border, READ), "sizes": (sizes, LARGE), "fading": (fading, READ),
}  # fmt: skip
PAIRS = ("readings", "fading")  # which have both norms paint
SHOWN = {name: sorted(TAUGHT.glob(f"{name}-*.jpg")) for name in LESSONS}


def curves_shown(name: str) -> Curves:
    """What is shown of "fading" before somebody tries it; "learning" is the loss by the steps of the paper's training."""
    return json.loads((TAUGHT / "curves.json").read_text(encoding="utf-8"))[name]


@on_gpu(duration=15)
def _on_gpu(name: str, photo: Image.Image, style: Style) -> Any:
    return LESSONS[name][0](photo, style)


def teach(name: str, photo: str | None, slug: object, visit: Visit = NOBODY) -> Any:
    """What the one of LESSONS with that name finds of the photo at `photo`, whatever was sent.

    Raises ZooError, Superseded, as `actions.paint`.
    """
    (path, canvas), style = check_request(photo, LESSONS[name][1]), actions.find_in_zoo(slug)
    generators = actions.load_generators(style, NORMS if name in PAIRS else ("instance",))
    with actions.TURNS.turn(visit):
        image = _exactly(read_photo(path, canvas.size), canvas.size)
        check_work(image, generators)
        found = _on_gpu(name, image, style)
    visit.still_wanted()
    return found


def paint() -> None:
    """Write SHOWN, and the curves beside."""
    for name, (lesson, side) in LESSONS.items():
        found = lesson(_exactly(open_photo(PHOTO, side), side), find(GALLERY[0]))
        if name == "fading":
            curves = {"learning": learning(), name: {norm: [(x, round(y, 3)) for x, y in line] for norm, line in found.items()}}
            (TAUGHT / "curves.json").write_text(json.dumps(curves) + "\n", encoding="utf-8")
            continue
        for number, picture in enumerate(found):
            save_picture(picture, TAUGHT / f"{name}-{number}.jpg", quality=80)


def learning() -> Curves:
    """The perceptual loss on photos never trained on, in thousands, by the steps of the experiment in the documentation."""
    history = [entry for entry in json.loads(LEARNT.read_text(encoding="utf-8"))["history"] if entry["step"]]
    return {norm: [(entry["step"], round(entry[norm]["objective"] / 1000)) for entry in history] for norm in NORMS}


def _contrast(picture: Image.Image) -> float:
    return ImageStat.Stat(picture.convert("L")).stddev[0]


def _exactly(photo: Image.Image, side: int) -> Image.Image:
    """Enlarged, where it is smaller: what is compared are strokes, not what a photo shows."""
    return ImageOps.contain(photo, (side, side), Image.Resampling.LANCZOS)


def _middle(picture: Image.Image) -> Image.Image:
    w, h = picture.size
    return picture.crop((w // MIDDLE, h // MIDDLE, 2 * w // MIDDLE, 2 * h // MIDDLE))


@torch.no_grad()
def _of_a_batch(generator: Generator, photos: Pictures) -> Image.Image:
    """The first of these photos as batch norm paints it with the statistics of all of them, as in training."""
    crops = [ImageOps.fit(photo, photos[0].size, Image.Resampling.LANCZOS) for photo in photos]
    batch = torch.cat([to_tensor(crop) for crop in crops]).to(next(generator.parameters()).device)
    return to_image(copy.deepcopy(generator).train()(batch)[0])  # a copy: others paint with it at the same time


@lru_cache(maxsize=4)  # generators of the styles last tried
def _frozen(generator: Generator) -> Generator:
    return freeze_statistics(generator, (to_tensor(open_photo(path, READ)) for path in PHOTOS))
