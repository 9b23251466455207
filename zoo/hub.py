"""The Hub: find, pull and publish styles. The one module that talks to it; every failure is a HubError that says what to do.

A repository is a style folder. It is pulled at a commit, whose sha is recorded; what is cached at a sha needs no network.
Tokens come from where the Hub's client looks (`hf auth login`, HF_TOKEN); HF_ENDPOINT names another Hub.
"""

import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, ModelInfo, constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from zoo import folder, trust
from zoo.card import make_card
from zoo.catalog import Style, at
from zoo.errors import HubAccessError, HubError, HubNotFoundError, HubUnavailableError, StyleFolderError
from zoo.images import SUFFIXES

TAG = "missing-ingredient"
SORTS = {"likes": "likes", "downloads": "downloads", "new": "created_at"}
TIMEOUT = 8.0  # s, for each answer of the Hub
_ID = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
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


def endpoint() -> str:
    """The Hub that is asked: $HF_ENDPOINT, or huggingface.co."""
    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def split_id(name: str) -> tuple[str, str | None]:
    """("owner/name", revision or None) of owner/name[@revision]. Raises HubNotFoundError for anything else."""
    found = _ID.fullmatch(name)
    if not found:
        raise HubNotFoundError(f"{name!r} is no repository of the Hub: write owner/name or owner/name@revision")
    return found["repo"], found["revision"]


def find(
    words: str = "", author: str = "", sort: str = "likes", limit: int | None = None, timeout: float = TIMEOUT
) -> Iterator[Found]:
    """Styles on the Hub, by the tag that all of them carry; asks for the next page only when it is needed.

    Raises HubError, at the first one, when the Hub cannot be reached within `timeout` seconds.
    """
    api, options = HfApi(endpoint=endpoint()), {"search": words or None, "author": author or None, "limit": limit}
    with translated("the list of styles"):
        expand = ["tags", "sha", "likes", "downloads"]
        listed = iter(api.list_models(filter=[TAG], expand=expand, sort=SORTS[sort], **options))
        info = _within(timeout, lambda: next(listed, None))
        while info is not None:
            yield Found(info.id, info.sha, info.likes or 0, info.downloads or 0, tuple(info.tags or ()))
            info = next(listed, None)


def pull(name: str, norms: tuple[str, ...] = ("instance",), pictures: bool = False, timeout: float = TIMEOUT) -> Style:
    """The style owner/name[@revision], its files in the Hub's cache; `source` is owner/name@sha.

    Only what is needed is downloaded: the records, the weights of `norms`, pictures when asked for. A commit that is cached
    needs no request; without a revision the newest is asked for, or taken from the cache when the Hub cannot be reached.
    Raises HubError when there is no such thing, StyleFolderError when the repository is no style.
    """
    repo, revision = split_id(name)
    weights = trust.weight_files(norms)
    patterns = [*trust.RECORDS, *weights, *(trust.PICTURES if pictures else ())]
    options = {"allow_patterns": patterns, "endpoint": endpoint(), "etag_timeout": timeout}
    if revision and _SHA.fullmatch(revision) and (style := _cached(repo, revision, options, weights)):
        return style
    with translated(name):
        try:
            info = _info(repo, revision, timeout)
        except (HTTPError, OSError) as error:
            refused = isinstance(error, HfHubHTTPError) and error.response is not None and error.response.status_code < 500
            if refused or not (style := _cached(repo, revision, options, weights)):
                raise
            return style
        trust.check_listing(name, {file.rfilename: file.size or 0 for file in info.siblings})
        where = Path(snapshot_download(repo, revision=info.sha, **options))
        for file in info.siblings:
            if (where / file.rfilename).is_file():
                trust.check_hash(name, where / file.rfilename, file.lfs.sha256 if file.lfs else None, file.blob_id)
    return Style(repo.split("/")[1], where, f"{repo}@{info.sha}")


def pull_to(name: str, target: Path) -> Style:
    """Copy a style with everything that belongs to it into a new folder. Raises ZooError when that exists already."""
    if target.exists():
        raise StyleFolderError(f"{target} exists already: choose another folder to pull into")
    style = pull(name, ("instance", "batch"), pictures=True)
    partial = target.with_name(f".{target.name}.part")
    try:
        shutil.copytree(style.folder, partial)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StyleFolderError(f"cannot write {target}: {error}") from error
    return Style(target.name, target, style.source)


def pull_pictures(name: str, archives: tuple[str, ...]) -> Path:
    """Folder with the picture files of a Hub dataset, and those that end in one of `archives`; in the Hub's cache.

    Raises HubError when there is no such dataset, it holds none of them, or the Hub cannot be reached.
    """
    repo, revision = split_id(name)
    patterns = [f"*{suffix}" for suffix in (*SUFFIXES, *archives)]
    with translated(f"dataset {name}"):
        options = {"repo_type": "dataset", "revision": revision, "allow_patterns": patterns}
        where = Path(snapshot_download(repo, endpoint=endpoint(), **options))
    if not any(path.is_file() for path in where.rglob("*")):
        raise HubError(f"dataset {name} holds no picture files and no zip or tar of them: export it as an image folder")
    return where


def thumbnail(id: str, sha: str) -> Path:
    """The picture of a style on the Hub, in the cache. Raises HubError when it has none."""
    with translated(id):
        return Path(hf_hub_download(id, "images/instance.jpg", revision=sha, endpoint=endpoint(), etag_timeout=TIMEOUT))


def publish(
    source: str | Path | Style,
    to: str,
    private: bool = False,
    pull_request: bool = False,
    message: str | None = None,
    dry_run: bool = False,
    token: str | None = None,
) -> str:
    """Upload a style folder as one commit of owner/name (made if need be), or as a pull request to it; returns its address.

    The card is written anew from recipe and metrics. What the repository held of an earlier version and the folder no longer
    has is removed; nothing changed makes no commit. Raises ZooError for a folder that should not be published, HubError
    when the Hub refuses.
    """
    style = source if isinstance(source, Style) else at(source)
    files, (repo, revision) = trust.publishable_files(style), split_id(to)
    if revision:
        raise HubNotFoundError(f"publish to {repo}, without @{revision}: a commit makes a new revision")
    if dry_run:
        return f"{endpoint()}/{repo}"
    api = HfApi(endpoint=endpoint(), token=token)
    with tempfile.TemporaryDirectory() as staged, translated(to):
        _stage({str(path.relative_to(style.folder)): path for path in files}, Path(staged))
        (Path(staged) / "README.md").write_text(make_card(style, repo), encoding="utf-8")
        if not pull_request:
            api.create_repo(repo, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=staged,
            commit_message=message or f"{style.title}: {' and '.join(style.norms)} norm",
            delete_patterns=[folder.CONFIG, *trust.WEIGHTS, "recipe.yaml", "metrics.json", "images/*", "batch/*"],
            create_pr=pull_request,
        )
    return str(done.pr_url or done)


def deploy(files: dict[str, Path], to: str, private: bool = False) -> str:
    """Make the Space `to` hold exactly these files (name there -> file here), as one commit; returns its address."""
    repo, _ = split_id(to)
    api = HfApi(endpoint=endpoint())
    with tempfile.TemporaryDirectory() as staged, translated(to):
        _stage(files, Path(staged))
        api.create_repo(repo, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
        options = {"repo_type": "space", "delete_patterns": "*", "commit_message": "deploy"}
        return str(api.upload_folder(repo_id=repo, folder_path=staged, **options))


def _stage(files: dict[str, Path], staged: Path) -> None:
    for name, path in files.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, staged / name)


def whoami(token: str | None = None) -> str:
    """The account that the token belongs to. Raises HubAccessError when there is none, or it is wrong."""
    with translated("your login"):
        try:
            return HfApi(endpoint=endpoint(), token=token).whoami()["name"]
        except LocalTokenNotFoundError as error:
            raise HubAccessError("you are not logged in to the Hub: run `hf auth login`, or set HF_TOKEN") from error


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Inside, whatever the Hub's client raises becomes a HubError about `what`. Never repeats a token."""
    try:
        yield
    except GatedRepoError as error:  # before its parent, RepositoryNotFoundError
        raise HubAccessError(f"{what} is gated: ask for access on its page, then log in with `hf auth login`") from error
    except RepositoryNotFoundError as error:
        raise HubNotFoundError(f"{what}: the Hub has no such repository, or it is private and you are not logged in") from error
    except RevisionNotFoundError as error:
        raise HubNotFoundError(f"{what}: no such revision; leave it out to take the newest") from error
    except HFValidationError as error:
        raise HubNotFoundError(f"{what} is no name of a repository: write owner/name") from error
    except OfflineModeIsEnabled as error:
        raise HubUnavailableError(f"{what} is not in the cache, and HF_HUB_OFFLINE forbids asking the Hub") from error
    except LocalEntryNotFoundError as error:
        raise HubUnavailableError(f"{what}: the Hub cannot be reached, and the cache does not hold it") from error
    except EntryNotFoundError as error:
        raise HubNotFoundError(f"{what}: the repository lacks a file it should have") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise HubAccessError(f"{what}: the Hub refuses (status {status}); log in with `hf auth login`") from error
        if status == 429:
            raise HubUnavailableError(f"{what}: the Hub limits the rate of requests; wait some minutes") from error
        raise HubUnavailableError(f"{what}: the Hub failed (status {status}); try again later") from error
    except (HTTPError, OSError) as error:
        raise HubUnavailableError(f"{what}: the Hub cannot be reached, or a transfer broke off; try again later") from error


def _within(seconds: float, ask) -> object:
    """What `ask` returns, or raises; HubUnavailableError when it takes longer (the client retries a dead Hub for 23 s)."""
    answers: list = []

    def run() -> None:
        try:
            answers.append((ask(), None))
        except Exception as error:  # handed over to the caller
            answers.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    answer, error = answers[0] if answers else (None, HubUnavailableError("the Hub does not answer; try again later"))
    if error is not None:
        raise error
    return answer


def _info(repo: str, revision: str | None, timeout: float) -> ModelInfo:
    """What the Hub knows of a repository at a revision; asks again, twice, when it fails by its own fault."""
    for pause in (0.3, 0.9, None):
        try:
            return HfApi(endpoint=endpoint()).model_info(repo, revision=revision, files_metadata=True, timeout=timeout)
        except HfHubHTTPError as error:
            if pause is None or error.response is None or error.response.status_code < 500:
                raise
            time.sleep(pause)


def _cached(repo: str, revision: str | None, options: dict, weights: tuple[str, ...]) -> Style | None:
    """The style as the cache holds it; None when something of what is needed is missing there."""
    try:
        where = Path(snapshot_download(repo, revision=revision, local_files_only=True, **options))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    for part in {(where / file).parent for file in weights}:
        if (part / folder.CONFIG).is_file() and not any((part / file).is_file() for file in trust.WEIGHTS):
            return None
    return Style(repo.split("/")[1], where, f"{repo}@{where.name}") if (where / folder.CONFIG).is_file() else None
