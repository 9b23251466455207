"""A moving picture of a matched pair: the line wipes from batch norm to instance norm, then the photo fades under it."""

from PIL import Image, ImageDraw, ImageFont

from training.drawing.sheet import INK, MARGIN, PAPER
from zoo.images import fade, fit_long_side
from zoo.painter import stylize
from zoo.style import Style

HEAD, FOOT = 28, 76  # px: the norms' names; the photo and its contrast
FADES = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.12)
STEPS, HOLD = 14, 5  # frames of a wipe, frames of rest


def moving_picture(style: Style, photo: Image.Image, size: int) -> list[Image.Image]:
    """Frames, the pictures in them `size` px wide or high; of both norms, on the photo at falling contrasts.

    The line goes over the picture and back to its middle; then the photo fades and comes back.
    """
    photo = fit_long_side(photo, size)
    photos = {contrast: fade(photo, contrast) for contrast in FADES}
    pairs = {contrast: [stylize(faded, style, norm) for norm in ("batch", "instance")] for contrast, faded in photos.items()}
    wipe = [1 - i / STEPS for i in range(STEPS + 1)]
    lines = [*[1.0] * HOLD, *wipe, *[0.0] * HOLD, *[i / STEPS for i in range(STEPS // 2 + 1)]]
    middle = lines[-1]
    falling = [*FADES, *[FADES[-1]] * HOLD, *reversed(FADES)]
    places = [*((line, 1.0) for line in lines), *((middle, contrast) for contrast in falling)]
    return [_frame(photos[contrast], pairs[contrast], line, contrast) for line, contrast in places]


def _frame(photo: Image.Image, pair: list[Image.Image], line: float, contrast: float) -> Image.Image:
    """One frame: batch norm left of the line, instance norm right of it."""
    (w, h), (batch, instance), font = photo.size, pair, ImageFont.load_default(size=16)
    frame = Image.new("RGB", (w, HEAD + h + FOOT), PAPER)
    x = round(line * w)
    frame.paste(instance, (0, HEAD))
    frame.paste(batch.crop((0, 0, x, h)), (0, HEAD))
    small = fit_long_side(photo, FOOT - MARGIN)
    frame.paste(small, (MARGIN, HEAD + h + MARGIN))
    draw = ImageDraw.Draw(frame)
    if 0 < x < w:
        draw.rectangle((x - 1, HEAD, x + 1, HEAD + h - 1), fill=PAPER)
    for words, place, anchor, share in (("batch norm", MARGIN, "la", line), ("instance norm", w - MARGIN, "ra", 1 - line)):
        draw.text((place, 4), words, INK if share else "#bbbbbb", font, anchor=anchor)
    left, y = FOOT + 2 * MARGIN, HEAD + h + MARGIN
    draw.text((left, y + 8), f"the photo at {contrast:.0%} of its contrast", INK, font)
    draw.line((left, y + 44, w - 10, y + 44), "#cccccc", 3)
    knob = left + 8 + (w - 26 - left) * contrast
    draw.ellipse((knob - 8, y + 36, knob + 8, y + 52), fill="#d55e00")
    return frame
