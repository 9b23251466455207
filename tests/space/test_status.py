"""/health and /metrics, as an operator's programs read them."""

import json
import re

import httpx
import psutil
import pytest
from gradio_client import Client, handle_file

import zoo
from space import guard
from space.turns import Turns, Visit
from tests.conftest import ROOT
from zoo.catalog import list_styles
from zoo.errors import ZooError

SAMPLE = re.compile(r'([a-z_]+(?:\{[a-z]+="[a-z0-9]+"\})?) (\d[\d.e+-]*)')


def read(page) -> dict[str, float]:
    """What /metrics says, every line of it in Prometheus' format."""
    answer = httpx.get(f"{page}metrics", timeout=30)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4") and answer.text.endswith("\n")
    lines = [line for line in answer.text.splitlines() if not re.fullmatch(r"# (HELP|TYPE) [a-z_]+ [\w ,.]+", line)]
    return {match[1]: float(match[2]) for match in (SAMPLE.fullmatch(line) for line in lines)}


def test_health(page):
    told = httpx.get(f"{page}health", timeout=30).json()
    assert told == {"ok": True, "styles": len(list_styles()), "version": zoo.__version__}
    assert json.dumps(told, separators=(",", ":")) in (ROOT / "docs" / "API.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_what_is_painted_is_counted_with_its_seconds(page, photo, trained_together):
    before, client = read(page), Client(page, verbose=False, analytics_enabled=False)
    client.predict(handle_file(str(photo)), "starry-night", 64, api_name="/compare")
    client.predict(handle_file(str(photo)), {"morning": 0.5, "evening": 0.5}, "instance", 64, api_name="/blend")
    after = read(page)
    for what in ("batch", "instance", "blend"):
        pictures, seconds = (
            f'missing_ingredient_{name}_total{{what="{what}"}}' for name in ("pictures_painted", "painting_seconds")
        )
        assert after[pictures] == before.get(pictures, 0) + 1 and 0 < after[seconds] - before.get(seconds, 0) < 30
    assert after["process_resident_memory_bytes"] == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert after["missing_ingredient_queue_length"] == 0


def test_who_is_turned_away_is_counted(page, photo, monkeypatch):
    name = 'missing_ingredient_refused_total{{reason="{}"}}'.format
    before, some = read(page), Turns(at_once=1, places=1, places_of_all=2)
    with some.turn(Visit("a")), pytest.raises(ZooError), some.turn(Visit("a")):
        pass
    monkeypatch.setattr(guard, "UPLOADS", 0)
    assert httpx.post(f"{page}gradio_api/upload", files={"files": photo.read_bytes()}).status_code == 429
    after = read(page)
    assert [after[name(why)] - before.get(name(why), 0) for why in ("turn", "429")] == [1, 1]
