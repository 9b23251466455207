"""Styles that others share: found by their tag, pulled at a commit into the Hub's cache, looked at before they are trusted."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError

from zoo import trust
from zoo.card import TAG
from zoo.errors import HubUnavailableError
from zoo.hub.cache import Cache, Listed
from zoo.hub.client import SHA, commit_of, download, endpoint, read_token, split_id, translated
from zoo.hub.waiting import TIMEOUT, is_refusal, patiently, within
from zoo.style import Style

MAX_SEARCHED = 5000  # styles
SORTS: dict[str, Literal["likes", "downloads", "created_at"]] = {
    "likes": "likes",
    "downloads": "downloads",
    "new": "created_at",
}
DEADLINE = 120.0  # s, for all of a style
PICTURE, MAX_THUMBNAIL = "images/instance.jpg", 2**20  # bytes


@dataclass(frozen=True)
class Found:
    """A style on the Hub, as its listing tells of it."""

    id: str
    sha: str
    likes: int
    downloads: int
    tags: tuple[str, ...]

    @property
    def norms(self) -> list[str]:
        """Norms it says it has."""
        return [tag.removeprefix("norm:") for tag in self.tags if tag.startswith("norm:")]


def find(
    words: str = "", author: str = "", sort: str = "likes", limit: int | None = None, timeout: float = TIMEOUT
) -> Iterator[Found]:
    """Styles on the Hub, by the tag that all of them carry; asks for the next page only when it is needed.

    Each of the words stands somewhere in the repository's name or in its card's tags, the painting's title and its artist
    among them. The Hub itself searches names alone, so they are looked through here, those of MAX_SEARCHED styles at most.
    Raises HubError when the Hub does not answer within `timeout` seconds.
    """
    api, wanted = HfApi(endpoint=endpoint(), token=read_token()), _plain(words).split()
    with translated("the list of styles"):
        # no cards, which the client may stumble over: one for all
        every = api.list_models(
            filter=[TAG], author=author or None, sort=SORTS[sort], expand=["tags", "sha", "likes", "downloads"]
        )
        listed, found = islice(every, MAX_SEARCHED), 0
        while found != limit and (info := within(timeout, lambda: next(listed, None))) is not None:
            about = _plain(" ".join([info.id, *(info.tags or ())]))
            if all(word in about for word in wanted):
                found += 1
                yield Found(info.id, info.sha or "", info.likes or 0, info.downloads or 0, tuple(info.tags or ()))


def _plain(text: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


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
