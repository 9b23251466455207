"""What everything that asks the Hub shares: which Hub, whose login, how long, and what its errors mean."""

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from huggingface_hub import HfApi, constants, set_client_factory
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
from huggingface_hub.utils import _http  # private: there is no other way to add a hook to the client that is in use

from zoo.catalog import HUB_ID
from zoo.errors import HubAccessError, HubError, HubNotFoundError, HubUnavailableError

T = TypeVar("T")
TIMEOUT = 5.0  # s, for an answer of the Hub
UPLOAD = 600.0  # s, for all of an upload

_given_up: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def endpoint() -> str:
    """The Hub that is asked: $HF_ENDPOINT, or huggingface.co."""
    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def read_token() -> bool | None:
    """Whether reading uses this machine's login: never on a Space, where strangers ask and the token is its owner's."""
    return False if os.environ.get("SPACE_ID") else None


def split_id(name: str) -> tuple[str, str | None]:
    """("owner/name", revision or None) of owner/name[@revision]. Raises HubNotFoundError for anything else."""
    found = HUB_ID.fullmatch(name)
    if not found:
        raise HubNotFoundError(f"{name!r} is no repository of the Hub: write owner/name or owner/name@revision")
    return found["repo"], found["revision"]


def accounts(token: str | None = None) -> list[str]:
    """Names the token may publish under, its own first. Raises HubAccessError when there is none, or it is wrong."""
    with translated("your login"):
        try:
            known = within(TIMEOUT, HfApi(endpoint=endpoint(), token=token).whoami)
        except LocalTokenNotFoundError as error:
            raise HubAccessError("you are not logged in to the Hub: run `hf auth login`, or set HF_TOKEN") from error
        return [known["name"], *(org["name"] for org in known.get("orgs", []))]


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
    except (ValueError, TypeError, KeyError, RuntimeError) as error:  # no JSON, a card it refuses, its transfer library's own
        kind = type(error).__name__
        raise HubError(f"{what}: {endpoint()} gave an answer that cannot be used ({kind}); is it a Hub?") from error


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask` returns, or raises; HubUnavailableError when it takes longer (the client retries a dead Hub for 23 s).

    Then it makes no more requests: each retry would close the connections that all threads share.
    """
    answers: list = []

    def run() -> None:
        try:
            answers.append((ask(), None))
        except Exception as error:  # handed over to the caller
            answers.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answers:
        _given_up.add(thread)
    answer, error = answers[0] if answers else (None, HubUnavailableError("the Hub does not answer; try again later"))
    if error is not None:
        raise error
    return answer


_make_client = _http._GLOBAL_CLIENT_FACTORY  # its own, or what the user has set (a proxy, certificates)


def _client():
    """The client of the Hub's library, refusing the requests that nobody waits for any more."""

    def refuse(request: object) -> None:
        if threading.current_thread() in _given_up:
            raise HubUnavailableError("nobody waits for this answer any more")

    client = _make_client()
    client.event_hooks["request"].append(refuse)
    return client


set_client_factory(_client)
