"""How long the Hub is waited for: no answer is worth more than its time, whatever the Hub's client would do on its own.

The client's read time-out starts again with every byte, it asks a dead Hub for 23 s, and sleeps as long as `Retry-After` says.
"""

import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import TypeVar

from huggingface_hub import get_session
from huggingface_hub.errors import HfHubHTTPError, HTTPError, Response
from huggingface_hub.utils import parse_ratelimit_headers

from zoo.errors import HubUnavailableError

T = TypeVar("T")
TIMEOUT = 5.0  # s, for an answer of the Hub
UPLOAD = 600.0  # s, for all of an upload
PATIENCE = 8  # s that the client may sleep when the Hub tells it to; longer is said to the user instead
PAUSES = (0.3, 0.9)  # s, before a failed request is made again
BUSY = (429, 503)  # statuses with which a Hub says when to come back

# A Hub that cannot be reached is told in one sentence, when all is tried: not at each try, by the client's own warnings.
logging.getLogger("huggingface_hub.utils._http").setLevel(logging.ERROR)

_given_up: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask` returns, or raises; HubUnavailableError when it takes longer. Then it makes no more requests: each retry
    of the client would close the connections that all threads share.
    """
    answers: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            watch()
            answers.append(ask())
        except Exception as error:  # handed over to the caller
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        _given_up.add(thread)
        raise HubUnavailableError("the Hub does not answer; try again later")
    return answers[0]


def patiently(ask: Callable[[], T]) -> T:
    """What `ask` returns; asked again, twice, when the Hub fails by its own fault or a transfer breaks off."""
    for pause in (*PAUSES, None):
        try:
            return ask()
        except HTTPError as error:
            refused = isinstance(error, HfHubHTTPError) and error.response is not None and error.response.status_code < 500
            if pause is None or refused:
                raise
            time.sleep(pause)
    raise AssertionError("the last pause is None")


def is_refusal(error: Exception) -> bool:
    """Whether the Hub answered, and what is cached is no substitute for what it said."""
    status = error.response.status_code if isinstance(error, HfHubHTTPError) and error.response is not None else 500
    return status < 500 and status != 429


def is_waited_for() -> None:
    """Raise HubUnavailableError in a thread that `within` has given up."""
    if threading.current_thread() in _given_up:
        raise HubUnavailableError("nobody waits for this answer any more")


def retry_after(response: Response) -> int | None:
    """Seconds after which a busy Hub wants to be asked again, by either of its headers; None when it does not say."""
    limit, plain = parse_ratelimit_headers(response.headers), response.headers.get("Retry-After", "").strip()
    if limit and limit.remaining == 0:
        return limit.reset_in_seconds
    return int(plain) if plain.isdecimal() and len(plain) < 9 else None


def busy(response: Response) -> HubUnavailableError:
    """The error of a Hub that has had too many requests."""
    wait = retry_after(response)
    when = "some minutes"
    if wait is not None and wait < 24 * 3600:  # who says more has lost count
        when = f"{wait} s" if wait < 120 else f"{round(wait / 60):,} minutes"
    return HubUnavailableError(f"the Hub limits the rate of requests (status {response.status_code}); try again in {when}")


def watch() -> None:
    """Have every request and answer of the client looked at."""
    hooks = get_session().event_hooks  # made anew now and then, so this is asked each time
    for moment, look in (("request", _look_at_request), ("response", _look_at_response)):
        if look not in hooks[moment]:
            hooks[moment].append(look)


def _look_at_request(request: object) -> None:
    is_waited_for()


def _look_at_response(response: Response) -> None:
    if response.status_code in BUSY and (retry_after(response) or 0) > PATIENCE:
        raise busy(response)
    for header in ("ETag", "X-Linked-Etag"):  # the client makes a path of it, without a look
        tag = response.headers.get(header, "").removeprefix("W/")
        if response.request.method == "HEAD" and ("/" in tag or "\\" in tag or ".." in tag):
            raise HubUnavailableError("the Hub names a file in a way that would lead out of the cache")
