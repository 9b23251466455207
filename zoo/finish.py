"""What is done to a painted picture without painting it again: how strong it is, whose colours it has, what stays the photo."""

from PIL import Image, ImageFilter

from zoo.errors import ConfigError, PhotoError, shorten
from zoo.registry import MIN_SIDE

FEATHER = 0.01  # of a mask's long side: the standard deviation of the Gaussian that softens its edge


def check_strength(strength: object) -> None:
    """Raise ConfigError unless it is a number from 0, the photo, to 1, all of the painting."""
    if not isinstance(strength, (int, float)) or isinstance(strength, bool) or not 0 <= strength <= 1:
        raise ConfigError(f"strength is a number from 0 (the photo) to 1 (all paint), got {shorten(strength)}")


def finish(
    painted: Image.Image,
    photo: Image.Image,
    strength: float = 1.0,
    keep_colours: bool = False,
    protect: Image.Image | None = None,
) -> Image.Image:
    """An RGB picture between the photo, at strength 0, and what was painted of it, at 1; both of one size.

    With `keep_colours` it takes the light and dark alone from what was painted and the colours from the photo: luminance
    transfer, as in Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", section 4, in YCbCr (ITU-R BT.601).
    `protect` is a mask of the photo's shape and of any size: where it is white the photo stays, whatever the rest, with a soft
    edge. Raises ConfigError for a strength out of range, PhotoError for a mask of another shape.
    """
    check_strength(strength)
    if keep_colours:
        luminance = painted.convert("YCbCr").getchannel(0)
        painted = Image.merge("YCbCr", (luminance, *photo.convert("YCbCr").split()[1:])).convert("RGB")
    if strength != 1:
        painted = Image.blend(photo, painted, strength)
    return painted if protect is None else Image.composite(photo, painted, _feathered(protect, photo.size))


def _feathered(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    large, small = sorted((mask.size, size), key=max)[::-1]
    shape = (max(MIN_SIDE, round(side * max(small) / max(large))) for side in large)  # as zoo.images reduces a photo
    if any(abs(side - wanted) > 1 for side, wanted in zip(small, shape, strict=True)):  # either may have been rounded
        (w, h), (width, height) = mask.size, size
        raise PhotoError(
            f"the mask is {w}×{h} px, which is another shape than the photo's {width}×{height}: make one of that shape, at any "
            "scale, white where the photo stays"
        )
    soft = mask.convert("L").filter(ImageFilter.GaussianBlur(FEATHER * max(mask.size)))
    return soft.resize(size, Image.Resampling.BICUBIC)
