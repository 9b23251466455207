"""What gradio keeps of a session, and of an upload, in memory: no more than this page has a use for.

Imported for what it changes in gradio, which has no setting for any of it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from gradio import queueing, routes, state_holder
from gradio.block_function import BlockFunction
from gradio.queueing import Event
from gradio.route_utils import FileUploadProgress
from gradio.server_messages import EventMessage, ProcessCompletedMessage
from gradio.utils import LRUCache

UPLOADS = 1000  # of which it is known how much has come: each with its file's name, of up to 16 kB, until somebody asks
UNREAD = 256  # messages that wait to be read, of a session: half a minute of a camera's pictures
SESSIONS = 4000  # of which it is known what they wait for: twice as many as have messages

# A copy of all that is set of all components, for links to a session, which the guard refuses. With it a session takes 330 kB,
# without it 12, and gradio keeps ten thousand.
state_holder.SessionState.config_values = property(  # type: ignore[assignment]
    lambda session: defaultdict(dict), lambda session, values: None
)


class Messages(asyncio.Queue[EventMessage]):
    """To a session: the UNREAD that came last, whoever puts them there (/cancel does, past the queue's send_message)."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[str] = set()  # events whose end nobody is going to hear of

    def put_nowait(self, item: EventMessage) -> None:
        """As ever, in the place of the oldest."""
        while self.qsize() >= UNREAD:
            if isinstance(lost := self.get_nowait(), ProcessCompletedMessage) and lost.event_id:
                self.lost.add(lost.event_id)
        super().put_nowait(item)


class Queue(queueing.Queue):
    """gradio's, which goes on where there is nobody to be told: a message to a session that it has forgotten, or that had no
    name, ended the work on all requests for good; of those that nobody read it kept all."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.pending_event_ids_session: LRUCache[str, set[str]] = LRUCache(SESSIONS)

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """As gradio's, if somebody may hear it; who is told something is remembered for longest."""
        session = event.session_hash
        if session not in self.pending_messages_per_session:
            return
        for known in (self.pending_messages_per_session, self.pending_event_ids_session):
            if session in known:
                known.move_to_end(session)
        super().send_message(event, event_message)
        if isinstance(messages := self.pending_messages_per_session[session], Messages):
            self.pending_event_ids_session.get(session, set()).difference_update(messages.lost)
            messages.lost.clear()

    def process_events(
        self, events: list[Event], batch: bool, begin_time: float, fn: BlockFunction
    ) -> Coroutine[Any, Any, None]:
        """As gradio's, in a task of its own, which whoever cancels cannot reach: cancelled before its first step it held its
        place in the queue for good (24 such, and nobody's picture was painted any more), or while it ended what it was sent."""
        work = asyncio.create_task(super().process_events(events, batch, begin_time, fn))
        self._asyncio_tasks.add(work)
        work.add_done_callback(self._asyncio_tasks.discard)
        return self._follow(work, events)

    async def _follow(self, work: asyncio.Task[None], events: list[Event]) -> None:
        """Wait for the work, which has begun by now, to its end; cancel it only as long as it is at work."""
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                if events in self.active_jobs:  # what gradio does first when it ends is to take them out
                    work.cancel()

    async def reset_iterators(self, event_id: str) -> None:
        """As gradio's, which fails, and keeps the request, where /cancel has just done the same."""
        with suppress(KeyError):
            await super().reset_iterators(event_id)
        if self.server_app is not None:
            self.server_app.iterators_to_reset.discard(event_id)

    def compute_analytics_summary(self, records: object) -> dict[str, Any]:
        """Nothing: gradio's page of such figures is closed, and it computed them anew, for 25 ms, after each request. Where a
        session had a name that is no text (\\ud800) that failed, for all, and no request was let go of any more."""
        return {}


class Lately(dict):
    """A dictionary of the UPLOADS keys that came last; of one that it lacks, an event that is still to come."""

    def __missing__(self, key: str) -> asyncio.Event:
        self[key] = event = asyncio.Event()
        return event

    def __setitem__(self, key: str, value: object) -> None:
        super().__setitem__(key, value)
        while len(self) > UPLOADS:
            del self[next(iter(self))]


class Progress(FileUploadProgress):
    """gradio's, of the last UPLOADS uploads: it keeps for good what nobody asks for, and whatever was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._statuses, self._signals = Lately(), Lately()  # type: ignore[assignment]


queueing.AsyncQueue = Messages  # type: ignore[assignment, attr-defined]
queueing.Queue = Queue  # type: ignore[misc]  # where gradio looks for them
routes.file_upload_statuses = Progress()
