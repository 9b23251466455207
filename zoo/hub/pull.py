"""Styles that others share: found by their tag, pulled at a commit into the Hub's cache, looked at before they are trusted."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError
from huggingface_hub.utils import build_hf_headers, paginate

from zoo import trust
from zoo.card import SAID, TAG
from zoo.errors import ConfigError, HubUnavailableError, shorten
from zoo.hub.cache import Cache, Listed, kept
from zoo.hub.client import SHA, commit_of, download, endpoint, read_token, split_id, translated
from zoo.hub.waiting import TIMEOUT, is_refusal, patiently, within
from zoo.names import plain_words
from zoo.style import Style

MAX_SEARCHED = 5000  # styles
SORTS = {"likes": "likes", "downloads": "downloads", "new": "createdAt"}  # as the Hub calls them
NUMBERS = ("arxiv:", "license:", "region:")  # tags of all styles, whose digits would answer "no. 2"
DEADLINE = 120.0  # s, for all of a style
PICTURE, MAX_THUMBNAIL = "images/instance.jpg", 2**20  # bytes


@dataclass(frozen=True)
class Found:
    """A style on the Hub, as its listing tells of it; without tags, one of which no more is known than that it is here."""

    id: str
    sha: str
    likes: int
    downloads: int
    tags: tuple[str, ...]

    @property
    def norms(self) -> list[str]:
        """Norms it says it has."""
        return self._tagged("norm")

    @property
    def licence(self) -> str:
        """That of its weights, as it says; nothing if it does not."""
        return next(iter(self._tagged("license")), "")

    def _tagged(self, key: str) -> list[str]:
        return [tag.removeprefix(f"{key}:") for tag in self.tags if tag.startswith(f"{key}:")]


def find(
    words: str = "", author: str = "", sort: str = "likes", limit: int | None = None, timeout: float = TIMEOUT
) -> Iterator[Found]:
    """Styles on the Hub, by the tag that all of them carry; asks for the next page only when it is needed.

    Each of the words stands somewhere in the repository's name, in its tags or in its card's painting and artist, whatever the
    case, accents, punctuation and gaps ("okeeffe"). The Hub itself searches names alone, so they are looked through here, those
    of MAX_SEARCHED styles at most. Raises ConfigError for a `sort` that is none of SORTS and for words that are no text,
    HubError when the Hub does not answer within `timeout` seconds.
    """
    if sort not in tuple(SORTS):
        raise ConfigError(f"styles are sorted by {', '.join(SORTS)}, got {shorten(sort)}")
    if not isinstance(words, str):
        raise ConfigError(f"styles are searched for by words, as text, got {shorten(words)}")
    wanted = plain_words(words)
    if words.strip() and not wanted:  # signs alone, which no style is called by
        return iter(())
    told = ["tags", "sha", "likes", "downloads", *(["cardData"] if wanted else [])]
    asked = {"filter": [TAG], "sort": SORTS[sort], "expand": told, **({"author": author} if author else {})}
    return _search(asked, wanted, limit, timeout)


def find_kept(words: str = "") -> list[Found]:
    """Styles that were pulled before, for when the Hub does not answer, by words in their names."""
    found = (Found(id, sha, 0, 0, ()) for id, sha in kept().items())
    return [style for style in found if _is_about(style, None, plain_words(words))]


def _search(asked: dict[str, Any], wanted: list[str], limit: int | None, timeout: float) -> Iterator[Found]:
    with translated("the list of styles"):
        # not by the client's list_models, which would stumble over any card: one for all
        every = paginate(f"{endpoint()}/api/models", asked, build_hf_headers(token=read_token()))
        listed, found = islice(every, MAX_SEARCHED), 0
        while found != limit and (info := within(timeout, lambda: next(listed, None))) is not None:
            style = Found(
                info["id"],
                info.get("sha") or "",
                info.get("likes") or 0,
                info.get("downloads") or 0,
                tuple(info.get("tags") or ()),
            )
            if _is_about(style, info.get("cardData"), wanted):
                found += 1
                yield style


def _is_about(style: Found, card: object, wanted: list[str]) -> bool:
    """Whether each of the words stands in what a style says of itself, with its gaps or without them."""
    said = [str(card.get(key, ""))[:2000] for key in SAID] if isinstance(card, dict) else []
    tags = (tag for tag in style.tags if not tag.startswith(NUMBERS))
    words = plain_words(" ".join([style.id, *tags, *said]))
    about = " ".join([*words, "".join(words)])
    return all(word in about for word in wanted)


def pull(
    name: str,
    norms: tuple[str, ...] = ("instance",),
    pictures: bool | tuple[str, ...] = False,
    timeout: float = TIMEOUT,
    deadline: float = DEADLINE,
) -> Style:
    """The style owner/name[@revision], its files in the cache; `source` is owner/name@sha.

    Only what is needed is downloaded: the records, the weights of `norms`, `pictures`: all, or those of these names. A commit
    that is cached needs no request; without a revision the newest is asked for, or the newest that is known taken when the Hub
    does not answer within `timeout` seconds. Raises HubError when there is no such thing or it takes longer than `deadline`
    seconds, StyleFolderError when the repository is no style, or not one to trust, wherever it came from.
    """
    repo, revision = split_id(name)
    cache, weights = Cache(repo), trust.weight_files(("instance", "batch"))

    def wanted(file: str) -> bool:
        if file in weights:
            return file in trust.weight_files(norms)
        return pictures is True or file in trust.RECORDS or file in (pictures or ())

    with translated(name):
        if revision and SHA.fullmatch(revision) and cache.has(revision, wanted):
            sha = revision
        else:
            try:
                sha, listing = patiently(lambda: within(timeout, lambda: _list_files(repo, revision, timeout)))
            except (HTTPError, OSError, HubUnavailableError) as error:
                sha = cache.newest(revision or "main") or revision or ""
                if is_refusal(error) or not SHA.fullmatch(sha) or not cache.has(sha, wanted):
                    raise
            else:
                files = {file: known for file, known in listing.items() if wanted(file)}
                trust.check_listing(name, {file: known.size for file, known in files.items()})
                fetch = lambda file, size: patiently(lambda: download(repo, sha, file, size, timeout))  # noqa: E731
                within(deadline, lambda: cache.fill(sha, files, fetch))
                cache.remember(revision or "main", sha, listing)
    trust.check_config(name, cache.folder(sha))
    return Style(repo.split("/")[1], cache.folder(sha), f"{repo}@{sha}")


def _list_files(repo: str, revision: str | None, timeout: float) -> tuple[str, dict[str, Listed]]:
    """The commit that a revision is, and the files in it that a style may have."""
    api = HfApi(endpoint=endpoint(), token=read_token())
    info = api.model_info(repo, revision=revision, files_metadata=True, timeout=2 * timeout)  # `within` is first
    files = [file for file in info.siblings or () if trust.is_style_file(file.rfilename)]
    listed = {f.rfilename: Listed(f.size or 0, f.lfs.sha256 if f.lfs else None, f.blob_id) for f in files}
    return commit_of(info), listed


def thumbnail(id: str, sha: str, timeout: float = TIMEOUT) -> Path:
    """The picture of a style on the Hub, in the cache. Raises HubError when it has none, or one that is too large."""
    with translated(id):
        if not SHA.fullmatch(sha):
            raise ValueError(f"{sha!r} is no commit")
        return Cache(id).picture(sha, lambda: within(timeout, lambda: download(id, sha, PICTURE, MAX_THUMBNAIL, timeout)))
