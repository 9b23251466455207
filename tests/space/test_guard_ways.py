"""What is asked of the page by GET: nothing of the web, nothing without end, nothing that gradio fails at."""

import httpx
import pytest


@pytest.mark.parametrize("address", ["file=http://127.0.0.1:1/a.png", "file/https://127.0.0.1:1/a.png", "dev/reload"])
def test_the_page_is_no_way_to_the_web_and_no_clock(page, address):
    """Whatever lies on the web was fetched for whoever asked; what reports a page's own changes was open to thousands."""
    with httpx.stream("GET", f"{page}gradio_api/{address}", timeout=10) as answer:
        assert answer.status_code == 404


@pytest.mark.parametrize("address", ["pwa_icon/64", "gradio_api/file={}"])
def test_what_gradio_cannot_answer_leaves_one_line(page, photo, address, capfd):
    """An icon that cannot be drawn, a range that is none: each left a traceback."""
    (uploaded,) = httpx.post(f"{page}gradio_api/upload", files={"files": photo.read_bytes()}).json()
    answer = httpx.get(page + address.format(uploaded), headers={"range": "bytes=0-1,2-3"})
    said = capfd.readouterr().err
    assert answer.status_code == 400 and "request refused" in said and "Traceback" not in said
