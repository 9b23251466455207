"""What everything that asks the Hub shares: which Hub, whose login, and what its errors mean."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import DatasetInfo, HfApi, ModelInfo, constants, get_session, get_token, hf_hub_url
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
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, validate_repo_id

from zoo.errors import HubAccessError, HubError, HubNotFoundError, HubUnavailableError, ZooError, shorten
from zoo.hub.waiting import BUSY, TIMEOUT, busy, is_waited_for, within
from zoo.names import HUB_ID


def endpoint() -> str:
    """The Hub that is asked: $HF_ENDPOINT, or huggingface.co."""
    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def addresses() -> tuple[str, ...]:
    """What a browser that asks the Hub for files connects to: the Hub, and where huggingface.co sends on to for large ones."""
    return (endpoint(), "https://*.hf.co") if endpoint() == "https://huggingface.co" else (endpoint(),)


SHA = re.compile(r"[0-9a-f]{40}")  # of a commit
SHARE_VARIABLE = "MISSING_INGREDIENT_SHARE"  # 1: who opens this machine's page is its owner, and has the owner's login

_for_strangers = False


def serve_strangers() -> None:
    """From now on this process may ask for anybody: it reads what everybody may read, whoever is logged in on this machine."""
    global _for_strangers
    _for_strangers = True


def reads_as_anybody() -> bool:
    """Whether reading leaves this machine's login out: on a Space, and when strangers are served, unless they are its owner."""
    return bool(os.environ.get("SPACE_ID")) or (_for_strangers and os.environ.get(SHARE_VARIABLE) != "1")


def read_token() -> bool | None:
    """What the Hub's client takes for a token when it reads: none at all, or this machine's login."""
    return False if reads_as_anybody() else None


def split_id(name: str) -> tuple[str, str | None]:
    """("owner/name", revision or None) of owner/name[@revision]. Raises HubNotFoundError for what the Hub would not take."""
    found = HUB_ID.fullmatch(name)
    if not found:
        raise HubNotFoundError(f"{shorten(name)} is no repository of the Hub: write owner/name or owner/name@revision")
    try:
        validate_repo_id(found["repo"])
    except HFValidationError as error:
        raise HubNotFoundError(
            f"{shorten(name)} is no name on the Hub: 96 letters, digits and . _ - at most, neither first nor last a . or -, "
            "no -- or .., no .git at the end"
        ) from error
    return found["repo"], found["revision"]


def accounts(token: str | None = None) -> list[str]:
    """Names the token may publish under, its own first. Raises HubAccessError when there is none, or it is wrong."""
    with translated("your login"):
        try:
            known = within(TIMEOUT, HfApi(endpoint=endpoint(), token=token).whoami)
        except LocalTokenNotFoundError as error:
            raise HubAccessError("you are not logged in to the Hub: run `hf auth login`, or set HF_TOKEN") from error
        return [known["name"], *(org["name"] for org in known.get("orgs", []))]


def commit_of(info: ModelInfo | DatasetInfo) -> str:
    """The commit that the Hub tells of; it becomes part of a path. Raises ValueError when it is none."""
    if not info.sha or not SHA.fullmatch(info.sha):
        raise ValueError(f"{info.sha!r} is no commit")
    return info.sha


def has_token() -> bool:
    """Whether there is a token to publish with, of `hf auth login` or HF_TOKEN; the Hub is not asked about it."""
    return get_token() is not None


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Inside, whatever the Hub's client raises becomes a HubError about `what`. Never repeats a token."""
    try:
        yield
    except GatedRepoError as error:  # before its parent, RepositoryNotFoundError
        raise HubAccessError(f"{what} is gated: ask for access on its page, then log in with `hf auth login`") from error
    except RepositoryNotFoundError as error:
        why = "you are not logged in" if _is_anonymous() else "your login may not see it"
        raise HubNotFoundError(f"{what}: the Hub has no such repository, or it is private and {why}") from error
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
            raise HubAccessError(f"{what}: the Hub refuses (status {status}); {_way_in(status)}") from error
        if status in BUSY and "Retry-After" in error.response.headers or status == 429:
            raise HubUnavailableError(f"{what}: {busy(error.response)}") from error
        raise HubUnavailableError(f"{what}: the Hub failed (status {status}); try again later") from error
    except (HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:  # of this machine: the client's cache
            why = error.strerror or type(error).__name__
            raise HubError(
                f"{what}: cannot use the cache, {error.filename} ({why}): make room, or set HF_HOME elsewhere"
            ) from error
        raise HubUnavailableError(f"{what}: the Hub cannot be reached, or a transfer broke off; try again later") from error
    except ZooError:
        raise
    except Exception as error:  # no JSON, or other JSON than the client expects, which then stumbles in its own way
        kind = type(error).__name__
        raise HubError(f"{what}: {endpoint()} gave an answer that cannot be used ({kind}); is it a Hub?") from error


def _is_anonymous() -> bool:
    """Whether the Hub is read without a login."""
    return read_token() is False or get_token() is None


def _way_in(status: int) -> str:
    """What to do about a Hub that refuses."""
    if _is_anonymous():
        return "log in with `hf auth login`"
    if status == 401:
        return "your token is wrong or has expired: log in again with `hf auth login`"
    return "you are logged in, but your token may not do this: use one of an account that may"


def download(repo: str, sha: str, file: str, limit: int, timeout: float = TIMEOUT) -> bytes:
    """The content of a file at a commit, at most `limit` bytes, as the Hub sends it: to be checked by who asks."""
    address, too_long = hf_hub_url(repo, file, revision=sha, endpoint=endpoint()), f"{file} has more than {limit:,} bytes"
    content, headers = bytearray(), build_hf_headers(token=read_token())
    with get_session().stream("GET", address, headers=headers, timeout=timeout, follow_redirects=True) as response:
        hf_raise_for_status(response)
        if int(response.headers.get("Content-Length", 0)) > limit:
            raise HubError(f"{repo}: {too_long}")
        for chunk in response.iter_bytes():
            is_waited_for()
            content += chunk
            if len(content) > limit:
                raise HubError(f"{repo}: {too_long}")
    return bytes(content)
