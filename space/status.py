"""/health and /metrics: what who runs the page asks of it. They lie beside the page, past its queue, and cost nothing."""

from collections.abc import Mapping

import psutil
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

import zoo
from space.counts import COUNTS
from space.guard import queued
from zoo.catalog import list_styles

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
OURS = "missing_ingredient_"


def status_routes() -> list[Route]:
    """The routes, for `launch(app_kwargs=...)`."""
    return [Route("/health", health), Route("/metrics", metrics)]


def health(request: Request) -> JSONResponse:
    """That the page answers, how many styles it finds, and which version it is."""
    styles = len(list_styles())
    return JSONResponse({"ok": bool(styles), "styles": styles, "version": zoo.__version__}, 200 if styles else 503)


def metrics(request: Request) -> PlainTextResponse:
    """Sums since the start and how things stand now, as Prometheus reads them."""
    done, (waiting, at_work) = COUNTS.read(), queued(request.app)
    text = (
        _metric(f"{OURS}pictures_painted_total", "Pictures painted.", done.pictures, "what")
        + _metric(f"{OURS}painting_seconds_total", "Seconds that painting took, waiting left out.", done.seconds, "what")
        + _metric(f"{OURS}refused_total", "Requests turned away, too many or too large.", done.refused, "reason")
        + _metric(f"{OURS}queue_length", "Requests that wait in the queue.", {"": len(waiting)})
        + _metric(f"{OURS}requests_at_work", "Requests out of the queue that are at work.", {"": len(at_work)})
        + _metric("process_resident_memory_bytes", "Main memory of the process.", {"": psutil.Process().memory_info().rss})
    )
    return PlainTextResponse(text, media_type=PROMETHEUS)


def _metric(name: str, help: str, values: Mapping[str, float], label: str = "") -> str:
    """One metric in Prometheus' text format, its values by that label. What only ever grows is called _total."""
    kind = "counter" if name.endswith("_total") else "gauge"
    samples = [f'{name}{{{label}="{key}"}} {value}' if label else f"{name} {value}" for key, value in sorted(values.items())]
    return "\n".join([f"# HELP {name} {help}", f"# TYPE {name} {kind}", *samples]) + "\n"
