"""What names of styles look like."""

import re

HUB_ID = re.compile(r"(?!.*\.\.)(?P<repo>\w[\w.-]*/[\w.-]+)(@(?P<revision>\w[\w.-]*(/[\w.-]+)*))?")


def is_hub_id(name: str) -> bool:
    """Whether a name can be owner/name or owner/name@revision of the Hub."""
    return HUB_ID.fullmatch(name) is not None
