"""`python -m space.serve`, as somebody starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import httpx
import pytest

from space.serve import main
from tests.conftest import ROOT, free_port


@pytest.mark.slow
def test_the_page_opens_where_it_is_told_to_and_ctrl_c_ends_it():
    command = [sys.executable, "-u", "-m", "space.serve", "--host", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stdout if "http://" in line)
        url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        assert "Missing Ingredient" in httpx.get(url, timeout=60).text
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, 130)


@pytest.mark.slow
def test_a_port_that_is_none_or_taken(capsys, page):
    assert main(["--port", "70000"]) == 2
    assert "65535" in capsys.readouterr().err
    assert main(["--port", page.rstrip("/").split(":")[-1]]) == 2
    assert "cannot listen" in capsys.readouterr().err


@pytest.mark.slow
def test_photos_go_when_the_page_is_ended(tmp_path):
    """As `docker stop` ends it, by SIGTERM: its folder of uploads was left on the disk."""
    port = free_port()
    env = {**os.environ, "TMPDIR": str(tmp_path), "GRADIO_SERVER_PORT": str(port)}
    env.pop("GRADIO_TEMP_DIR", None)
    page = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while page.poll() is None and time.monotonic() < until:
        with suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/health")
            break
        time.sleep(0.2)
    assert list(tmp_path.glob("missing-ingredient-*"))
    page.terminate()
    assert page.wait(30) == 143 and not list(tmp_path.glob("missing-ingredient-*"))
