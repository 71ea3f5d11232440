"""A web server of a customer's, from which media are fetched."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any


class Gallery(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.works: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        self._names = count(1)

    def show(self, kind: str, octets: bytes, name: str = "") -> str:
        """The address at which it is from now on."""
        path = f"/{next(self._names)}/{name}"
        self.works[path] = (kind, octets)
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Gallery

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        kind, octets = self.server.works.get(self.path, ("", b""))
        self.send_response(200 if kind else 404)
        self.send_header("content-type", kind or "text/plain")
        self.send_header("content-length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def gallery() -> Iterator[Gallery]:
    opened = Gallery()
    threading.Thread(target=opened.serve_forever, name="gallery", daemon=True).start()
    try:
        yield opened
    finally:
        opened.shutdown()
        opened.server_close()
