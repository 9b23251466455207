"""What gradio keeps of whoever comes by: less than it would."""

import asyncio
import gc
import json
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import httpx
from fastapi import Request
from gradio import routes
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event
from gradio.routes import App
from gradio.server_messages import EstimationMessage, ProcessCompletedMessage
from gradio.state_holder import SessionState

from space import build_demo, sessions


def queues() -> list[sessions.Queue]:
    """Those of this process."""
    return [one for one in gc.get_objects() if type(one) is sessions.Queue]


def held() -> list[Event]:
    """The requests that they have not let go of."""
    return [event for queue in queues() for event in queue.event_ids_to_events.values()]


def test_a_session_takes_little_memory():
    """A third of a megabyte, ten thousand of which are kept (issue 13, item 40)."""
    demo = build_demo()
    kept = [SessionState(demo)]
    tracemalloc.start()
    try:
        kept += [SessionState(demo) for _ in range(5)]
        assert tracemalloc.get_traced_memory()[0] / 5 < 50_000
    finally:
        tracemalloc.stop()


def test_a_session_remembers_what_it_shows():
    """The settings that are not kept of it are those of a link to it alone."""
    demo = build_demo()
    key = next(key for key, block in demo.blocks.items() if block.stateful)
    one, other = SessionState(demo), SessionState(demo)
    one[key] = ("evening", 1)
    one._update_value_in_config(key, "x")
    assert one[key] == ("evening", 1) and other[key] != one[key] and not list(one.components)


def test_who_cannot_be_told_anything_stops_nobody(page, two_visitors):
    """Eight requests of a session without a name, at once, and the queue was stopped for all, for good (issue 13, item 40)."""
    config = httpx.get(f"{page}config", timeout=30).json()["dependencies"]
    index = next(one["id"] for one in config if one["api_name"] == "paint_wall")
    nameless = {"data": [None], "fn_index": index, "session_hash": ""}
    with httpx.Client(headers=two_visitors[0], timeout=60) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.post(f"{page}gradio_api/queue/join", json=nameless), range(24)))
    told = httpx.post(f"{page}gradio_api/call/styles", json={"data": []}, headers=two_visitors[1])
    assert told.status_code == 200
    said = httpx.get(f"{page}gradio_api/call/styles/{told.json()['event_id']}", headers=two_visitors[1], timeout=60).text
    assert said.startswith("event: complete")


def test_a_name_that_is_no_text_has_nothing_kept(page, two_visitors):
    """One such request, and all that came after it was kept, a gigabyte in a minute (issue 13, item 40)."""
    headers = {**two_visitors[0], "content-type": "application/json"}
    for name in ("\ud800", "ok"):
        body = json.dumps({"data": [], "session_hash": name})
        event = httpx.post(f"{page}gradio_api/call/styles", content=body, headers=headers).json()["event_id"]
        assert httpx.get(f"{page}gradio_api/call/styles/{event}", headers=headers, timeout=60).status_code == 200
    until = time.monotonic() + 10
    while any(event.session_hash in ("\ud800", "ok") for event in held()):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_messages_that_nobody_reads_are_not_kept_without_end(monkeypatch):
    """Six hundred calls of one session, unread, took 18 MB; and whoever was evicted meanwhile ended the work on all."""
    monkeypatch.setattr(sessions, "UNREAD", 4)
    demo = build_demo()
    queue, fn = demo._queue, next(iter(demo.fns.values()))
    assert isinstance(queue, sessions.Queue)

    async def send():
        queue.pending_messages_per_session.update(old=sessions.Messages(), s=sessions.Messages())
        for number in range(9):
            event = Event("s", fn, None, None)
            queue.pending_event_ids_session.setdefault("s", set()).add(event._id)
            queue.send_message(event, EstimationMessage(queue_size=number))
            queue.send_message(event, ProcessCompletedMessage(output={}, success=True))
        queue.send_message(Event("gone", fn, None, None), EstimationMessage(queue_size=1))
        queue.send_message(Event("old", fn, None, None), EstimationMessage(queue_size=1))

    asyncio.run(send())
    kept = queue.pending_messages_per_session
    assert list(kept) == ["s", "old"] and kept["s"].qsize() == 4 and len(queue.pending_event_ids_session["s"]) == 2


def test_progress_is_kept_of_the_last_uploads_alone(monkeypatch):
    """It was kept for good, with the name of the file: 16 kB of each upload (issue 13, item 40)."""
    monkeypatch.setattr(sessions, "UPLOADS", 3)
    progress = sessions.Progress()
    assert isinstance(routes.file_upload_statuses, sessions.Progress)

    async def ask():
        for number in range(9):
            progress.append(f"u-{number}", "a.png", b"abc")
            progress.set_done(f"u-{number}")
            await asyncio.wait([asyncio.ensure_future(progress.is_tracked(f"x-{number}"))], timeout=0)

    asyncio.run(ask())
    assert len(progress._statuses) == len(progress._signals) == 3
    assert progress.is_done("u-8") and progress.pop("u-8").chunk_size == 3


def test_progress_is_told_as_ever():
    """Whoever asks before the upload begins waits for it."""
    progress = sessions.Progress()

    async def ask():
        told = asyncio.ensure_future(progress.is_tracked("u"))
        await asyncio.sleep(0)
        progress.append("u", "a.png", b"abc")
        return await asyncio.wait_for(told, 1)

    assert asyncio.run(ask())


def test_who_cancels_again_and_again_holds_no_place():
    """After 24 requests that were cancelled before their first step no picture was painted for anybody; those that were
    cancelled a second time while they ended were kept (issue 13, item 40)."""
    demo = build_demo()
    queue, fn = demo._queue, next(one for one in demo.fns.values() if one.name == "show_stop")

    async def cancel(steps):
        queue.set_server_app(App.create_app(demo))
        queue.active_jobs = [None]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b"", "server": ("host", 80)}
        event = Event("s", fn, Request(scope), None)
        event.data = PredictBodyInternal(data=[512], session_hash="s")
        queue.create_event_queue_for_fn(fn)
        queue.event_ids_to_events[event._id] = event
        queue.active_jobs[0] = [event]
        queue.event_queue_per_concurrency_id[fn.concurrency_id].current_concurrency += 1
        work = asyncio.create_task(queue.process_events([event], False, 0.0, fn))
        for _ in range(steps):
            await asyncio.sleep(0)
        while not work.done():
            work.cancel()
            await asyncio.sleep(0)
        while queue._asyncio_tasks:
            await asyncio.sleep(0.01)
        return queue.event_queue_per_concurrency_id[fn.concurrency_id].current_concurrency

    for steps in range(12):
        assert asyncio.run(cancel(steps)) == 0
        assert queue.active_jobs == [None] and not queue.event_ids_to_events


def test_what_was_cancelled_while_it_ended_is_let_go_of():
    """By name of the request, another session's: gradio's two ways met, and the one that came second failed."""
    demo = build_demo()
    queue = demo._queue

    async def end():
        app = App.create_app(demo)
        queue.set_server_app(app)
        app.iterators["e"] = app.iterators_to_reset.add("e")
        async with app.lock:
            ended = asyncio.create_task(queue.reset_iterators("e"))
            await asyncio.sleep(0)
            del app.iterators["e"]
        await ended
        return app.iterators_to_reset

    assert not asyncio.run(end())


def test_whoever_puts_messages_there_few_are_kept(monkeypatch, page, two_visitors):
    """/cancel puts one there each time, 400 times a second, past the queue (issue 13, item 40)."""
    monkeypatch.setattr(sessions, "UNREAD", 4)
    index = next(d["id"] for d in httpx.get(f"{page}config", timeout=30).json()["dependencies"] if d["api_name"] == "show_stop")
    with httpx.Client(base_url=f"{page}gradio_api/", headers=two_visitors[0], timeout=60) as client:
        body = {"data": [512], "fn_index": index, "session_hash": "cancelled"}
        event = client.post("queue/join", json=body).json()["event_id"]
        for _ in range(9):
            client.post("cancel", json={"session_hash": "cancelled", "fn_index": -1, "event_id": event})
    kept = [queue.pending_messages_per_session.get("cancelled") for queue in queues()]
    assert [messages.qsize() for messages in kept if messages] == [4]
