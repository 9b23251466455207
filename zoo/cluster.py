"""Folders of photos over many machines, by Ray Data: what zoo/batch.py does on one.

All machines have this package and Ray in the same versions, and see the folders of photos and pictures under the same paths.
Ray spreads blocks of photos over them, and repeats those of a worker that died; what had been painted by then is skipped.
"""

import logging
import os
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
import ray.data
import torch
from ray.exceptions import RayError

from zoo import memory
from zoo.batch import Job, Outcome, Plan, paint_all
from zoo.beside import beside, remove_parts
from zoo.catalog import find
from zoo.device import CPU
from zoo.errors import ClusterError, brief
from zoo.folder import sha256

MANIFEST = "manifest.parquet"
BLOCK = 16  # photos that are handed out at once, at most
ACCEPTED = 3  # times that a cluster may accept a client and then abort
DEATHS = 3  # workers that may die of a photo before it is given up: Ray Data alone would try for ever
SCHEMA = pa.schema(
    [("photo", pa.string()), ("picture", pa.string()), ("sha256", pa.string()), ("size", pa.int64())]
    + [("seconds", pa.float64()), ("error", pa.string()), ("note", pa.string()), ("skipped", pa.bool_())]
)

Row = dict[str, Any]  # of the manifest


def paint_on_cluster(job: Job, plan: Plan, again: bool, address: str, out: Path) -> Generator[Outcome]:
    """As `paint_all`, on a Ray cluster: that at an address, ip:port or ray://ip:port; "ray" is the one of this machine,
    or else one on this machine alone. A row for each photo goes into a Parquet file in `out`: photo, picture, the picture's
    SHA-256 and size in bytes, seconds, error.

    A job's device "auto" is CUDA where the cluster has such GPUs. Raises ClusterError when the cluster cannot be had, or fails.
    """
    _ = replace(job, device="cpu").settings  # a style that cannot be loaded is no cluster's fault
    where = job.style.source
    style = {"bundled": job.style.slug, "local": str(job.style.folder.resolve())}.get(where, where)  # its name everywhere
    rows = []
    for photo, target in plan:
        row = {"photo": os.path.abspath(photo), "picture": os.path.abspath(target)}
        if any("\ud800" <= c <= "\udfff" for name in row.values() for c in name):  # bytes, as Python writes them in names
            yield Outcome(photo, target, error="its name is no UTF-8, which a table of names needs: give it another")
        else:
            rows.append(row)
    if not rows:
        return
    _connect(address)
    try:
        with _manifest(out / MANIFEST) as write:
            for block in _run(address.startswith("ray://"), rows, job, style, again):
                write(block)
                yield from map(_outcome, block)
    except RayError as error:
        cause = getattr(error, "cause", None) or error
        raise ClusterError(f"the cluster failed; repeated, the command goes on from there: {brief(cause, 600)}") from error
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        if address != "ray":  # for minutes Ray would wait
            host, _, port = address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host, int(port)), timeout=10).close()
        _init(None if address == "ray" else address)
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"no Ray cluster answers at {brief(address)} ({brief(error)})"
        raise ClusterError(f"{reason}: start one there, or say --on ray") from error


def _init(address: str | None) -> None:
    """For each client from outside, a cluster's head starts a process, which it forks beside gRPC's threads: now and then that
    one dies before it is anything, and the head aborts what it had accepted. Asked again, it starts another."""
    for again in reversed(range(ACCEPTED)):
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
            return
        except ConnectionAbortedError:
            if not again:
                raise


def _run(from_outside: bool, *args: Any) -> Iterator[list[Row]]:
    if not from_outside:
        yield from _blocks(*args)
        return
    # Ray Data cannot be driven through Ray's client: an actor on the cluster's head does.
    runner = ray.remote(num_cpus=0, resources={"node:__internal_head__": 0.001})(_Runner).remote(*args)
    while block := ray.get(runner.more.remote()):
        yield block


class _Runner:
    def __init__(self, *args: Any):
        self._blocks = _blocks(*args)

    def more(self) -> list[Row]:
        return next(self._blocks, [])


def _blocks(rows: list[Row], job: Job, style: str, again: bool) -> Iterator[list[Row]]:
    """The rows of blocks that are done, as they get done."""
    there = ray.cluster_resources()
    if job.device == "auto":
        job = replace(job, device="cuda" if there.get("GPU") else "cpu")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    workers = max(1, int(there.get("GPU" if job.device == "cuda" else "CPU", 1)))
    each = max(1, min(BLOCK, len(rows) // (4 * workers)))
    data = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // each))
    args = job, style, again
    if job.device == "cuda":  # a process keeps its GPU and generator
        compute = ray.data.ActorPoolStrategy(min_size=1, initial_size=workers)
        done = data.map_batches(_GpuWorker, batch_size=each, fn_constructor_args=args, compute=compute, num_gpus=1)
    else:  # which, unlike an actor's, go to whichever machine is left
        done = data.map_batches(_paint, batch_size=each, fn_args=args, num_cpus=1)
    for batch in done.iter_batches(batch_size=None, batch_format="pyarrow"):
        yield batch.to_pylist()


class _GpuWorker:
    def __init__(self, *args: Any):
        self._args = args

    def __call__(self, batch: dict[str, np.ndarray]) -> pa.Table:
        return _paint(batch, *self._args)


def _paint(batch: dict[str, np.ndarray], job: Job, style: str, again: bool) -> pa.Table:
    """The rows of a block of photos, painted here. On a processor by one thread, one by one: each core has a worker; on a GPU
    all at once, unless a worker died of them, when it is to be seen of which."""
    job, pairs = replace(job, style=find(style)), zip(batch["photo"], batch["picture"], strict=True)
    plan = [(Path(photo), Path(target)) for photo, target in pairs]
    if job.device == "cpu":
        torch.set_num_threads(1)
        os.environ.setdefault(memory.VARIABLE, str(memory.allowance(CPU) // (os.cpu_count() or 1)))
    outcomes: list[Outcome] = []
    together = job.device == "cuda" and not any(_tries(target).exists() for _, target in plan)
    for part in [plan] if together else [[one] for one in plan]:
        todo = [one for one in part if again or not job.has_painted(*one)]
        for done in [one for one in part if one not in todo]:
            outcomes.append(Outcome(*done, skipped=True))
            _tries(done[1]).unlink(missing_ok=True)  # whose worker was killed before it did that
        with _counted(todo) as given_up:
            outcomes += (Outcome(*one, error=f"{DEATHS} workers died of it") for one in given_up)
            outcomes += paint_all(job, [one for one in todo if one not in given_up], again=True)
    return pa.Table.from_pylist([_row(outcome) for outcome in outcomes], SCHEMA)


def _tries(target: Path) -> Path:
    """The file that lies beside a picture while it is painted, and stays when the worker dies, a byte longer each time."""
    return beside(target, ".tries")


@contextmanager
def _counted(plan: Plan) -> Iterator[Plan]:
    """Inside, photos are painted; those of which too many workers died are told."""
    given_up = []
    for photo, target in plan:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(_tries(target), "ab") as tries:
            if tries.tell():
                remove_parts(target)
            if tries.tell() >= DEATHS:
                given_up.append((photo, target))
            tries.write(b".")
    try:
        yield given_up
    finally:
        for _, target in plan:
            _tries(target).unlink(missing_ok=True)


def _row(outcome: Outcome) -> Row:
    picture, there = outcome.target, not outcome.error
    return {
        "photo": str(outcome.photo),
        "picture": str(picture),
        "sha256": sha256(picture) if there else None,
        "size": picture.stat().st_size if there else None,
        "seconds": outcome.seconds,
        "error": outcome.error,
        "note": outcome.note,
        "skipped": outcome.skipped,
    }


def _outcome(row: Row) -> Outcome:
    return Outcome(Path(row["photo"]), Path(row["picture"]), row["seconds"], row["error"], row["note"], row["skipped"])


@contextmanager
def _manifest(path: Path) -> Iterator[Callable[[list[Row]], None]]:
    """Inside, rows can be written to that Parquet file. It takes its place in the end, with as many rows as there are then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, waiting = path.with_name(f".{path.name}.part"), []

    def write(rows: list[Row], at_least: int = 1000) -> None:
        waiting.extend(rows)
        if len(waiting) >= at_least:
            file.write_table(pa.Table.from_pylist(waiting, SCHEMA))
            waiting.clear()

    file = pq.ParquetWriter(partial, SCHEMA)
    try:
        yield write
    finally:
        write([], at_least=0)
        file.close()
        os.replace(partial, path)
