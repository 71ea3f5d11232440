"""A real HTTP server that answers what a test tells it to, and keeps what it was asked."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `path` is below the base path, with its query."""

    method: str
    path: str
    key: str
    body: Any


class StandIn:
    """`answers` are by method and path, such as `GET /customer`: a value, or a list of values one after the other."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, asked: Asked) -> bytes:
        self.asked.append(asked)
        answer = self.answers[f"{asked.method} {asked.path}"]
        value = answer.pop(0) if isinstance(answer, list) else answer
        return value if isinstance(value, bytes) else json.dumps(value).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                octets = self.rfile.read(int(self.headers.get("content-length") or 0))
                path, key = self.path.removeprefix("/v1.0"), self.headers.get("authorization", "")
                body = answer(Asked(self.command, path, key, json.loads(octets) if octets else None))
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = _do

            def log_message(self, format: str, *_: object) -> None:
                """The test says what is to be known."""

        return Handler
