"""What names of styles look like."""

import re
import unicodedata

HUB_ID = re.compile(r"(?!.*\.\.)(?P<repo>\w[\w.-]*/[\w.-]+)(@(?P<revision>\w[\w.-]*(/[\w.-]+)*))?")

_UNSPLIT = str.maketrans(  # letters that Unicode splits into no plain one and an accent; ß is for casefold
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "ng", "ŧ": "t"}
    | {"\N{MODIFIER LETTER APOSTROPHE}": "'", "\N{MODIFIER LETTER TURNED COMMA}": "'"}
)


def is_hub_id(name: str) -> bool:
    """Whether a name can be owner/name or owner/name@revision of the Hub."""
    return HUB_ID.fullmatch(name) is not None


def plain_words(text: str) -> list[str]:
    """The words of a text in small letters without accents and digits: "St. Paul's, Łódź" gives st, paul, s, lodz.

    Slugs and tags are made of them, and what is looked for among tags is compared in them.
    """
    letters = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c) and not _is_unseen(c))
    return re.findall(r"[^\W_]+", "".join(letters).casefold().translate(_UNSPLIT))


def _is_unseen(letter: str) -> bool:
    """What joins or parts letters, a soft hyphen say, or makes a word longer."""
    return unicodedata.category(letter) == "Cf" or letter == "\N{ARABIC TATWEEL}"


def make_slug(words: str) -> str:
    """Hyphenated lower-case words in ASCII: "Édtaonisl, No. 2!" gives edtaonisl-no-2."""
    plain = (word.encode("ascii", "ignore").decode() for word in plain_words(words))
    return "-".join(filter(None, plain))
