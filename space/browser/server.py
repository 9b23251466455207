"""The folder at an address of this machine, with the headers that threads need."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from space.browser.index import headers


class Handler(SimpleHTTPRequestHandler):
    """Files, each asked for anew: they change when the page is built again."""

    def end_headers(self) -> None:
        """Ours, and the end."""
        for key, value in {**headers(), "Cache-Control": "no-cache"}.items():
            self.send_header(key, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: whoever serves the page to himself knows what he asked for."""


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of the folder at 127.0.0.1, which alone may ask it; port 0 is any free one. Raises OSError for a taken one."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(folder)))
