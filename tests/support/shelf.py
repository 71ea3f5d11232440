"""Media at a place of somebody else's: a small real HTTP server that has what a test puts there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.api import Json


@dataclass
class Shelf:
    port: int
    contents: dict[str, bytes] = field(default_factory=dict)
    """By path."""
    asked: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def keeps(self, name: str, octets: bytes, type: str = "") -> Json:
        """What a carrier says of a medium that is there."""
        self.contents[f"/{name}"] = octets
        return {"url": self.url(name), "type": type}


@contextmanager
def shelf() -> Iterator[Shelf]:
    opened = Shelf(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.asked.append(self.path)
            octets = opened.contents.get(self.path)
            self.send_response(404 if octets is None else 200)
            self.send_header("content-length", str(len(octets or b"")))
            self.end_headers()
            self.wfile.write(octets or b"")

        def log_message(self, format: str, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        opened.port = server.server_port
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield opened
        server.shutdown()
