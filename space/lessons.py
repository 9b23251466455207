"""What the tab "Why instance norm?" shows: three experiments with the zoo's own generators, on any photo.

  python -c "from space import lessons; lessons.paint()"

paints anew what the tab shows before somebody tries them, in the first style of the gallery.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image, ImageOps

import zoo
from space import actions
from space.asked import check_request, check_work, read_photo
from space.gpu import on_gpu
from space.settings import PHOTOS
from space.turns import NOBODY, Visit
from space.words import GALLERY
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
Pictures = list[Image.Image]


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


LESSONS: dict[str, tuple[Callable[[Image.Image, Style], Pictures], int]] = {  # and px of the photo's long side
    "readings": (readings, READ), "border": (border, READ), "sizes": (sizes, LARGE),
}  # fmt: skip
SHOWN = {name: sorted((Path(__file__).parent / "taught").glob(f"{name}-*.jpg")) for name in LESSONS}


@on_gpu(duration=15)
def _on_gpu(name: str, photo: Image.Image, style: Style) -> Pictures:
    return LESSONS[name][0](photo, style)


def teach(name: str, photo: str | None, slug: object, visit: Visit = NOBODY) -> Pictures:
    """What LESSONS calls so, of the photo at `photo`, whatever was sent. Raises ZooError, Superseded, as `actions.paint`."""
    (path, canvas), style = check_request(photo, LESSONS[name][1]), actions.find_in_zoo(slug)
    generators = actions.load_generators(style, ("instance", "batch") if name == "readings" else ("instance",))
    with actions.TURNS.turn(visit):
        image = _exactly(read_photo(path, canvas.size), canvas.size)
        check_work(image, generators)
        pictures = _on_gpu(name, image, style)
    visit.still_wanted()
    return pictures


def paint() -> None:
    """Write SHOWN."""
    for name, (lesson, side) in LESSONS.items():
        for number, picture in enumerate(lesson(_exactly(open_photo(PHOTO, side), side), find(GALLERY[0]))):
            save_picture(picture, Path(__file__).parent / "taught" / f"{name}-{number}.jpg", quality=80)


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
