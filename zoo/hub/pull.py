"""Styles that others share: found by their tag, pulled at a commit into the Hub's cache, looked at before they are trusted."""

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi, ModelInfo, get_hf_file_metadata, hf_hub_download, hf_hub_url, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, LocalEntryNotFoundError

from zoo import folder, trust
from zoo.catalog import Style, load
from zoo.errors import HubError, StyleFolderError
from zoo.hub.client import TIMEOUT, endpoint, read_token, split_id, translated, within
from zoo.images import SUFFIXES

TAG = "missing-ingredient"
SORTS = {"likes": "likes", "downloads": "downloads", "new": "created_at"}
DEADLINE = 120.0  # s, for all of a style
MAX_THUMBNAIL = 2**20  # bytes
_SHA = re.compile(r"[0-9a-f]{40}")


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

    Raises HubError when the Hub does not answer within `timeout` seconds.
    """
    api, options = HfApi(endpoint=endpoint(), token=read_token()), {"search": words or None, "author": author or None}
    with translated("the list of styles"):
        expand = ["tags", "sha", "likes", "downloads"]
        listed = iter(api.list_models(filter=[TAG], expand=expand, sort=SORTS[sort], limit=limit, **options))
        while (info := within(timeout, lambda: next(listed, None))) is not None:
            yield Found(info.id, info.sha, info.likes or 0, info.downloads or 0, tuple(info.tags or ()))


def pull(
    name: str,
    norms: tuple[str, ...] = ("instance",),
    pictures: bool = False,
    timeout: float = TIMEOUT,
    deadline: float = DEADLINE,
) -> Style:
    """The style owner/name[@revision], its files in the Hub's cache; `source` is owner/name@sha.

    Only what is needed is downloaded: the records, the weights of `norms`, pictures when asked for. A commit that is cached
    needs no request; without a revision the newest is asked for, or the cache's newest taken when the Hub does not answer
    within `timeout` seconds. Raises HubError when there is no such thing or it takes longer than `deadline` seconds,
    StyleFolderError when the repository is no style, or not one to trust.
    """
    repo, revision = split_id(name)
    wanted = [*trust.RECORDS, *trust.weight_files(norms), *(trust.PICTURES if pictures else ())]
    options = {"allow_patterns": wanted, "endpoint": endpoint(), "etag_timeout": timeout, "token": read_token()}
    pinned = revision is not None and _SHA.fullmatch(revision) is not None
    if pinned and (style := _cached(repo, revision, options, norms)):
        return style
    with translated(name):
        try:
            info = _info(repo, revision, timeout)
        except (HTTPError, OSError) as error:
            refused = isinstance(error, HfHubHTTPError) and error.response is not None and error.response.status_code < 500
            if refused or not (style := _cached(repo, revision, options, norms)):
                raise
            return style
        files = {f.rfilename: f for f in info.siblings if any(fnmatch(f.rfilename, pattern) for pattern in wanted)}
        trust.check_listing(name, {file: known.size or 0 for file, known in files.items()})

        def download() -> Path:
            # one by one, in the thread that `within` can stop: those of snapshot_download would go on when it is given up
            about = {key: value for key, value in options.items() if key != "allow_patterns"}
            for file in files:
                path = Path(hf_hub_download(repo, file, revision=info.sha, **about))
            if not pinned:  # remembers which commit the revision is, for when the Hub cannot be asked
                hf_hub_download(repo, folder.CONFIG, revision=revision or "main", **about)
            return path.parents[len(Path(file).parts) - 1]

        where = within(deadline, download)
    for file, known in files.items():
        trust.check_hash(name, where / file, known.lfs.sha256 if known.lfs else None, known.blob_id)
    trust.check_config(name, where)
    return Style(repo.split("/")[1], where, f"{repo}@{info.sha}")


def pull_to(name: str, target: Path) -> Style:
    """Copy a style with everything that belongs to it into a new folder, once it is found to load.

    Raises ZooError when the folder exists already.
    """
    if target.exists():
        raise StyleFolderError(f"{target} exists already: choose another folder to pull into")
    style = pull(name, ("instance", "batch"), pictures=True)
    for norm in style.norms:
        load(style, norm)
    partial = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(style.folder, partial)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StyleFolderError(f"cannot write {target}: {error}") from error
    return style


def pull_pictures(name: str, archives: tuple[str, ...]) -> Path:
    """Folder with the picture files of a Hub dataset, and those that end in one of `archives`; in the Hub's cache.

    Raises HubError when there is no such dataset, it holds none of them, or the Hub cannot be reached.
    """
    repo, revision = split_id(name)
    patterns = [f"*{case}" for suffix in (*SUFFIXES, *archives) for case in (suffix, suffix.upper())]
    with translated(f"dataset {name}"):
        options = {"repo_type": "dataset", "revision": revision, "allow_patterns": patterns}
        where = Path(snapshot_download(repo, endpoint=endpoint(), **options))
    if not any(path.is_file() for path in where.rglob("*")):
        raise HubError(f"dataset {name} holds no picture files and no zip or tar of them: export it as an image folder")
    return where


def thumbnail(id: str, sha: str, timeout: float = TIMEOUT) -> Path:
    """The picture of a style on the Hub, in the cache. Raises HubError when it has none, or one that is too large."""
    with translated(id):
        address = hf_hub_url(id, "images/instance.jpg", revision=sha, endpoint=endpoint())
        about = within(timeout, lambda: get_hf_file_metadata(address, timeout=timeout, token=read_token()))
        if (about.size or 0) > MAX_THUMBNAIL:
            raise HubError(f"{id}: its picture has {about.size / 2**20:.0f} MiB")
        options = {"revision": sha, "endpoint": endpoint(), "etag_timeout": timeout, "token": read_token()}
        return Path(within(timeout, lambda: hf_hub_download(id, "images/instance.jpg", **options)))


def _info(repo: str, revision: str | None, timeout: float) -> ModelInfo:
    """What the Hub knows of a repository at a revision; asks again, twice, when it fails by its own fault."""
    for pause in (0.3, 0.9, None):
        try:
            api = HfApi(endpoint=endpoint(), token=read_token())
            return api.model_info(repo, revision=revision, files_metadata=True, timeout=timeout)
        except HfHubHTTPError as error:
            if pause is None or error.response is None or error.response.status_code < 500:
                raise
            time.sleep(pause)


def _cached(repo: str, revision: str | None, options: dict, norms: tuple[str, ...]) -> Style | None:
    """The style as the cache holds it; None when something of what is needed is missing there."""
    try:
        where = Path(snapshot_download(repo, revision=revision, local_files_only=True, **options))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    for part in {folder.twin_folder(where, norm) for norm in norms}:
        if (part / folder.CONFIG).is_file() and not any((part / file).is_file() for file in trust.WEIGHTS):
            return None
    return Style(repo.split("/")[1], where, f"{repo}@{where.name}") if (where / folder.CONFIG).is_file() else None
