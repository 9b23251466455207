"""What names of styles look like."""

import re
import unicodedata

HUB_ID = re.compile(r"(?!.*\.\.)(?P<repo>\w[\w.-]*/[\w.-]+)(@(?P<revision>\w[\w.-]*(/[\w.-]+)*))?")


def is_hub_id(name: str) -> bool:
    """Whether a name can be owner/name or owner/name@revision of the Hub."""
    return HUB_ID.fullmatch(name) is not None


def make_slug(words: str) -> str:
    """Hyphenated lower-case words: "Édtaonisl, No. 2!" gives edtaonisl-no-2."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
