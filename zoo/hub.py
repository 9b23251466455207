"""The Hub: the one module that talks to it. Every failure becomes a HubError that says what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from zoo.errors import HubAccessError, HubError, HubNotFoundError, HubUnavailableError
from zoo.images import SUFFIXES

_ID = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


def split_id(name: str) -> tuple[str, str | None]:
    """("owner/name", revision or None) of owner/name[@revision]. Raises HubNotFoundError for anything else."""
    found = _ID.fullmatch(name)
    if not found:
        raise HubNotFoundError(f"{name!r} is no repository of the Hub: write owner/name or owner/name@revision")
    return found["repo"], found["revision"]


def pull_pictures(name: str, archives: tuple[str, ...]) -> Path:
    """Folder with the picture files of a Hub dataset, and those that end in one of `archives`; cached by the Hub's client.

    Raises HubError when there is no such dataset, it holds none of them, or the Hub cannot be reached.
    """
    repo, revision = split_id(name)
    patterns = [f"*{suffix}" for suffix in (*SUFFIXES, *archives)]
    with translated(f"dataset {name}"):
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=patterns))
    if not any(path.is_file() for path in folder.rglob("*")):
        raise HubError(f"dataset {name} holds no picture files and no zip or tar of them: export it as an image folder")
    return folder


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Inside, whatever the Hub's client raises becomes a HubError about `what`."""
    try:
        yield
    except GatedRepoError as error:  # before its parent, RepositoryNotFoundError
        raise HubAccessError(
            f"{what} is gated: ask its owner for access on the Hub, then log in with `hf auth login`"
        ) from error
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
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if isinstance(error, EntryNotFoundError):
            raise HubNotFoundError(f"{what}: the repository lacks a file it should have") from error
        if status in (401, 403):
            raise HubAccessError(f"{what}: the Hub refuses (status {status}); log in with `hf auth login`") from error
        if status == 429:
            raise HubUnavailableError(f"{what}: the Hub limits the rate of requests; wait some minutes") from error
        raise HubUnavailableError(f"{what}: the Hub failed (status {status}); try again later") from error
    except EntryNotFoundError as error:
        raise HubNotFoundError(f"{what}: the repository lacks a file it should have") from error
    except (HTTPError, OSError) as error:
        raise HubUnavailableError(f"{what}: the Hub cannot be reached ({error}); try again later") from error
