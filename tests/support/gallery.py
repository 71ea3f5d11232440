"""A server of media of a customer's, in a thread of its own; it can be told to answer nobody for a while."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gallery:
    def __init__(self) -> None:
        self.url = ""
        self.shown: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.open = threading.Event()
        self.open.set()

    def show(self, path: str, octets: bytes) -> str:
        """Its address."""
        self.shown[path] = octets
        return f"{self.url}{path}"


@contextmanager
def gallery() -> Iterator[Gallery]:
    opened = Gallery()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.asked[self.path] += 1
            opened.open.wait(60)
            octets = opened.shown.get(self.path, b"")
            self.send_response(200 if octets else 404)
            self.send_header("content-length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, format: str, *args: object) -> None:
            return

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    opened.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        opened.open.set()
        server.shutdown()
        server.server_close()
