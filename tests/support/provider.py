"""A carrier with an HTTP interface of its own making: a small real server, which tells of receipts and of messages."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import httpx

Json = dict[str, Any]

SECRET = "shared between us"
CONFIG: Json = {
    "headers": {"Authorization": "Bearer {secret}"},
    "secret": "a key of ours",
    "body": {
        "from": "{source}",
        "to": "{destination}",
        "text": "{text}",
        "media": "{media}",
        "subject": "{subject}",
        "tell": "{callback}",
    },
    "id": "id",
    "code": "error.code",
    "words": "error.words",
    "receipt": {"id": "id", "state": "state", "destination": "to"},
    "inbound": {"id": "id", "source": "from", "destination": "to", "text": "text", "media": "media"},
    "callback_auth": "header",
    "callback_name": "X-Secret",
    "callback_secret": SECRET,
    "response_timeout": 2,
    "dlr_timeout": 30,
}
"""How the hub is told of it, besides its URL."""


class Provider:
    """What it was sent, and what it says: by the last four digits of the destination."""

    def __init__(self) -> None:
        self.sent: list[Json] = []
        self.keys: list[str] = []
        self.tells_receipts = True
        self.stalls = threading.Event()
        """Set: requests are never answered."""
        self.ended = threading.Event()
        self._names = count(1)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages"

    def config(self, **more: Any) -> Json:
        return {**CONFIG, "url": self.url, **more}

    def tell(self, url: str, secret: str = SECRET, **said: Any) -> httpx.Response:
        return httpx.post(url, json=said, headers={"X-Secret": secret}, timeout=10)

    def take(self, asked: Json, key: str) -> tuple[int, Json]:
        self.sent.append(asked)
        self.keys.append(key)
        if self.stalls.is_set():
            self.ended.wait(30)
        if asked["to"].endswith("0003"):
            return 400, {"error": {"code": "bad_number", "words": "no such number"}}
        name = f"p{next(self._names)}"
        if self.tells_receipts:
            told = {"id": name, "state": "failed" if asked["to"].endswith("0001") else "delivered", "to": asked["to"]}
            threading.Timer(0.05, self._tell_until_heard, (asked["tell"], told)).start()
        return 202, {"id": name}

    def _tell_until_heard(self, url: str, told: Json) -> None:
        for pause in (0.1, 0.5, 1, 2, 4):
            try:
                if self.tell(url, **told).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self.ended.wait(pause):
                return

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said = provider.take(json.loads(body), self.headers.get("Authorization", ""))
                octets = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, format: str, *args: Any) -> None:
                return

        return Handler


@contextmanager
def provider() -> Iterator[Provider]:
    opened = Provider()
    thread = threading.Thread(target=opened.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        opened.ended.set()
        opened.server.shutdown()
        opened.server.server_close()
        thread.join(5)
