"""What one visitor may take of the page before gradio sees the request: places in the queue, bytes of uploads, sessions.

    demo.launch(app_kwargs={"middleware": [guard()]})

A refusal is a sentence that the page shows. A visitor is an address: sessions are free to invent.
"""

import ipaddress
import os
import re
import sys
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import gradio as gr
from gradio.queueing import Event
from gradio.routes import App
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from space.actions import PLACES
from space.bodies import again, boundary_of, few_parts, names, up_to, whole
from space.counts import COUNTS
from space.files import FILES
from zoo.cli import say
from zoo.errors import brief

BODY = 2**20  # bytes of a request that is no upload
VALUES = 5000  # in its JSON: more cost gradio seconds in which nobody else is answered
UPLOAD = 100 * 2**20  # bytes of one upload
UPLOADS, MINUTES = 4 * UPLOAD, 10  # bytes of a visitor's uploads in so many minutes
LEAST = 2**20  # bytes that the smallest of them counts for
LETTERS = 200  # of a session's name, or another in a request: gradio's are twelve and 32 long, and are kept
PARTED = "<"  # nor has a session's: gradio parts names by <gradio-sep>, and with one more of them nobody could cancel anything
# Of a visitor. For each session gradio copies the page, and when it ends functions run past the queue; behind one address there
# may be a classroom.
SESSIONS, JOINS = 120, 600  # begun, requests that join the queue, in a minute
OPEN = 64  # connections that wait for news, and as many on which requests still come
VIEWS, SHOWN = 120, 256  # of the page itself, each of 25 ms, in a minute; answers that are being read, at once
WAITING, WAIT = 32, 30.0  # requests that wait for a place in the queue; s, at most
SLOW, SLOWEST = 30.0, 900.0  # s, for a request to come; for an upload
MUCH = "you have asked for much at once: wait until some of it is done"  # as the page shows it of the queue
NO_SUCH = "there is no such function, or it takes other inputs: see the API of the page"
# What the page and programs ask by POST, if only to hear that run and api are no way past the queue. Of all else that gradio
# answers this page needs nothing, and a stranger's film should not reach the machine's ffmpeg (process_recording).
UPLOADING = "/gradio_api/upload"  # in full: /call/upload is a function of that name, and read as one
ASKED = (UPLOADING, "/queue/join", "/cancel", "/reset")  # how a path ends, or
BELOW = ("/stream/", "/call/", "/run/", "/api/")  # what it has within; no expression, which would take its time over a long one
DIRECT = ("/run/", "/api/")  # past the queue; not a camera's frames, ten a second, which come in its turn
# What nobody may ask for: it keeps what it is sent, wakes up twenty times a second for as long as it is open, or fetches what
# lies on the web (file=https://...).
CLOSED = ("/deep_link", "/dev/reload", "://")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # nor by such letters; other blanks are in the names of photos (9.41\u202fAM.png)
VIEWED = ("", "/config")  # the page itself
# Examples for programs, with the page's address: gradio tells all what the first to ask called it, but of one of its pages.
INFO = "/info"
BEGINS = ("/heartbeat/", "/upload_progress")  # what is asked for by GET and remembered, and
NEWS = (*BEGINS, "/queue/data", "/call/")  # kept open
REFUSALS = (408, 413, 429, 503)  # too slow, too large, too much of one, of all: ours, and gradio's when its queue is full
HUNG_UP = "the handler is closed"
KEPT = 4096  # visitors whose uploads are remembered


def guard() -> Middleware:
    """The middleware, for `launch(app_kwargs=...)`."""
    return Middleware(Guard)


def visitor(scope: Scope) -> str:
    """Who asks, by address; on a Space by the last public one that its proxies report, elsewhere as uvicorn found it."""
    if os.environ.get("SPACE_ID"):
        for one in reversed(",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")):
            try:
                if ipaddress.ip_address(one.strip()).is_global:
                    return _network(one.strip())
            except ValueError:
                break  # what comes before was not written by a proxy
    return _network((scope.get("client") or ("nobody",))[0])


def _network(address: str) -> str:
    """The address itself; of IPv6 the network that one household has, 2**64 of whose addresses are free to invent."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, ipaddress.IPv6Address):
        return address
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def who(request: gr.Request | None) -> str:
    """The visitor that a function of the page is called by."""
    return visitor(request.request.scope) if request and request.request else ""


class Share:
    """What each visitor has taken lately: bytes in ten minutes, requests in one."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._taken: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()  # (when, how much), of each visitor

    def take(self, who: str, most: int, much: int = 1) -> bool:
        """Whether that leaves a visitor, who then has taken as much, within the most."""
        now, recent = time.monotonic(), self._taken.setdefault(who, deque())
        self._taken.move_to_end(who)
        while len(self._taken) > KEPT:
            self._taken.popitem(last=False)
        while recent and now - recent[0][0] > self._seconds:
            recent.popleft()
        if sum(taken for _, taken in recent) + much > most:
            return False
        recent.append((now, much))
        return True


class Guard:
    """Refuses requests to gradio that no page makes, or that take more than their share; passes on all others."""

    def __init__(self, app: ASGIApp):
        self._app = app
        self._joining: Counter[str] = Counter()  # requests on their way into the queue
        self._waiting: Counter[str] = Counter()  # for a place in it
        self._coming: Counter[str] = Counter()  # requests of which all is not here yet
        self._open: Counter[str] = Counter()  # connections that wait for news
        self._shown: Counter[str] = Counter()  # answers on their way: whoever reads them slowly holds files open
        self._known: OrderedDict[str, None] = OrderedDict()  # sessions that were begun
        self._uploads, self._joins, self._sessions, self._views = Share(60 * MINUTES), Share(60), Share(60), Share(60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as ASGI has it: with a refusal (400, 404, 413, 429, 503), or with what the page answers."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begun = False

        async def tell(message: Message) -> None:
            nonlocal begun
            begun = True
            if message.get("status") in REFUSALS:
                COUNTS.refuse(str(message["status"]))
            try:
                await send(message)
            except RuntimeError as error:  # uvloop's, of who has hung up just now: for seventy lines of the log each time
                if HUNG_UP not in str(error):
                    raise

        try:
            if any(part in scope["path"] for part in CLOSED) or CONTROL.search(scope["path"]):
                await JSONResponse({"detail": NO_SUCH}, 404)(scope, receive, tell)
            elif scope["method"] == "POST":
                await self._pass(scope, receive, tell)
            else:
                await self._show(scope, receive, tell)
        except Exception as error:  # gradio's routes raise nearly anything on names and numbers that are none
            if begun and not isinstance(error.__cause__, HTTPException):
                raise
            say(f"request refused: {type(error).__name__}: {brief(error)}", sys.stderr)
            if begun:  # what waits for news of a session that is not there is told so, and ends in a traceback
                await send({"type": "http.response.body"})
            else:
                await JSONResponse({"detail": NO_SUCH}, 400)(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, who = scope["path"].rstrip("/"), visitor(scope)
        if not path.endswith(ASKED) and not any(part in path for part in BELOW):
            return await JSONResponse({"detail": NO_SUCH}, 404)(scope, receive, send)
        if len(scope["query_string"]) > 2 * LETTERS:
            return await _refuse(f"a name has at most {LETTERS} letters", 400)(scope, receive, send)
        uploads = path.endswith(UPLOADING)
        limit = UPLOAD if uploads else BODY
        length = Headers(scope=scope).get("content-length", "")
        size = int(length[:20]) if length.isdecimal() else limit  # not said: at most that, see _up_to
        if size > limit:
            return await _refuse(f"this is too large: {limit / 2**20:g} MiB at most", 413)(scope, receive, send)
        if self._coming[who] >= OPEN:
            return await JSONResponse({"detail": MUCH}, 429)(scope, receive, send)
        if uploads:
            return await self._upload(who, size, scope, receive, send)
        joins = path.endswith("/queue/join") or "/call/" in path
        direct = any(part in path for part in DIRECT)
        if (direct and not self._joins.take(who, JOINS)) or (joins and not await self._has_place(scope["app"], who)):
            return await JSONResponse({"detail": MUCH}, 429)(scope, receive, send)
        body = None
        with _counted(self._joining, who, joins):
            with _counted(self._coming, who), anyio.move_on_after(SLOW):
                body = await whole(up_to(limit, receive))
            if body is None:  # who has hung up hears nothing of it
                words = f"this is too large, or too slow: {limit / 2**20:g} MiB at most, in {SLOW:g} s"
                return await _refuse(words, 413)(scope, receive, send)
            if sum(map(body.count, (b",", b"[", b"{"))) > VALUES:
                return await _refuse(f"this is too large: {VALUES} values at most", 413)(scope, receive, send)
            named = names(body)
            session = named.get("session_hash", "")
            if any(len(name) > LETTERS for name in named.values()) or PARTED in session:
                return await _refuse(f"a session's name has at most {LETTERS} letters, no {PARTED}", 400)(scope, receive, send)
            # A refusal keeps a session, too; who joins without one is given one, whose name nobody knows.
            if not (self._begin(who, session) if session else not joins or self._sessions.take(who, SESSIONS)):
                return await JSONResponse({"detail": MUCH}, 429)(scope, receive, send)
            await self._app(scope, again(body, receive), send)

    async def _upload(self, who: str, size: int, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := await self._too_much(who, size):
            return await refusal(scope, receive, send)
        if (boundary := boundary_of(Headers(scope=scope))) is None:
            words = "an upload is sent as multipart/form-data; boundary=..., and no more"
            return await _refuse(words, 415)(scope, receive, send)
        parts = few_parts(boundary, up_to(UPLOAD, receive))
        with _counted(self._coming, who), anyio.move_on_after(SLOWEST):
            return await self._app(scope, parts, send)
        await _refuse(f"this comes too slowly: an upload has {SLOWEST / 60:g} minutes", 408)(scope, receive, send)

    async def _has_place(self, app: App, who: str) -> bool:
        """Whether there is a place in the queue for one more request of a visitor, before long: behind an address there may be
        many, who all begin with the same word of their teacher."""
        until = time.monotonic() + WAIT
        with _counted(self._waiting, who):
            while places(app, who) + self._joining[who] >= PLACES:
                if self._waiting[who] > WAITING or time.monotonic() > until:
                    return False
                await anyio.sleep(0.25)
        return self._joins.take(who, JOINS)

    async def _show(self, scope: Scope, receive: Receive, send: Send) -> None:
        if any(part in scope["path"] for part in NEWS):
            return await self._tell_news(scope, receive, send)
        who = visitor(scope)
        views = scope["path"].rstrip("/") in VIEWED
        if self._shown[who] >= SHOWN or (views and not self._views.take(who, VIEWS)):
            return await _refuse("you have asked for much at once: try again in a minute", 429)(scope, receive, send)
        if scope["path"].rstrip("/").endswith(INFO):
            scope = {**scope, "query_string": scope["query_string"] + b"&page="}
        with _counted(self._shown, who):
            await self._app(scope, receive, send)

    async def _tell_news(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = visitor(scope)
        if max(len(scope["path"]), len(scope["query_string"])) > 2 * LETTERS:
            return await _refuse(f"a session's name has at most {LETTERS} letters", 400)(scope, receive, send)
        begins = any(part in scope["path"] for part in BEGINS)
        if self._open[who] >= OPEN or (begins and not self._begin(who, _begun(scope))):
            return await _refuse("this page is open too often here: close some", 429)(scope, receive, send)
        with _counted(self._open, who):
            await self._app(scope, receive, send)

    def _begin(self, who: str, session: str) -> bool:
        """Whether a visitor may go on with a session, or begin one."""
        if session not in self._known and not self._sessions.take(who, SESSIONS):
            return False
        self._known[session] = None
        self._known.move_to_end(session)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return True

    async def _too_much(self, who: str, size: int) -> Response | None:
        if not self._uploads.take(who, UPLOADS, max(size, LEAST)):
            return _refuse(f"at most {UPLOADS / 2**20:g} MiB of pictures in {MINUTES} minutes: try again later", 429)
        if not await anyio.to_thread.run_sync(FILES.make_room, size):
            return _refuse("the page holds as many pictures as it can: try again in ten minutes", 503)
        return None


def _begun(scope: Scope) -> str:
    """What is begun by such a GET: a session, or the news of one upload."""
    return scope["path"].rpartition("/")[2] if BEGINS[0] in scope["path"] else scope["query_string"].decode("latin-1")


def _refuse(words: str, status: int) -> Response:
    return PlainTextResponse(words, status)  # as the page shows what it is told of an upload


@contextmanager
def _counted(counts: Counter[str], who: str, counts_at_all: bool = True) -> Iterator[None]:
    counts[who] += counts_at_all
    try:
        yield
    finally:
        counts[who] -= counts_at_all
        if not counts[who]:
            del counts[who]


def queued(app: App) -> tuple[list[Event], list[Event]]:
    """The requests that wait in the queue, and those at work."""
    queue = app.get_blocks()._queue  # gradio tells this in no other way
    waiting = [event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
    return waiting, [event for events in queue.active_jobs for event in events or ()]


def places(app: App, who: str) -> int:
    """How many of a visitor's requests wait in the queue or are at work."""
    return sum(visitor(event.request.scope) == who for events in queued(app) for event in events)
