"""`python -m space.serve`, as somebody starts it."""

import re
import signal
import subprocess
import sys

import httpx
import pytest

from space.serve import main


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
