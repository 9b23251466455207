"""What is done to a painted picture without painting it again: how strong it is, and whose colours it has."""

from PIL import Image

from zoo.errors import ConfigError, shorten


def check_strength(strength: object) -> None:
    """Raise ConfigError unless it is a number from 0, the photo, to 1, all of the painting."""
    if not isinstance(strength, (int, float)) or isinstance(strength, bool) or not 0 <= strength <= 1:
        raise ConfigError(f"strength is a number from 0 (the photo) to 1 (all paint), got {shorten(strength)}")


def finish(painted: Image.Image, photo: Image.Image, strength: float = 1.0, keep_colours: bool = False) -> Image.Image:
    """An RGB picture between the photo, at strength 0, and what was painted of it, at 1; both of one size.

    With `keep_colours` it takes the light and dark alone from what was painted and the colours from the photo: luminance
    transfer, as in Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", section 4, in YCbCr (ITU-R BT.601).
    Raises ConfigError for a strength out of range.
    """
    check_strength(strength)
    if keep_colours:
        luminance = painted.convert("YCbCr").getchannel(0)
        painted = Image.merge("YCbCr", (luminance, *photo.convert("YCbCr").split()[1:])).convert("RGB")
    return painted if strength == 1 else Image.blend(photo, painted, strength)
