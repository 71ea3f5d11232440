"""HTTP octet by octet, for what no client would send."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.api import Json
from tests.support.hub import Hub
from tests.support.waiting import PATIENCE_S


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"

    def refusal(self, status: int, reason: str, *words: str) -> Json:
        """The error, which must be in the form of the contract."""
        assert self.status == status, self
        assert self.headers["content-type"] == "application/json"
        error: Json = json.loads(self.body)["error"]
        assert error.keys() == {"status", "reason", "message", "request_id", "details"}
        assert error["reason"] == reason, error
        assert error["request_id"] == self.headers["x-request-id"]
        for word in words:
            assert word in error["message"], error
        return error


class Line:
    """A connection to the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._heard = b""

    def say(self, octets: bytes) -> None:
        self.sock.sendall(octets)

    def end(self) -> None:
        """Nothing more is said; what is answered can still be heard."""
        self.sock.shutdown(socket.SHUT_WR)

    def ask(self, octets: bytes, method: str = "GET") -> Answer:
        self.say(octets)
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        while b"\r\n\r\n" not in self._heard:
            assert self._hear(), f"it closed after {self._heard!r}"
        head, _, self._heard = self._heard.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
        assert len(headers) == len(lines), f"a header stands there twice: {head!r}"
        if status == "100":
            return Answer(100, headers, b"")
        size = 0 if method == "HEAD" or status == "304" else int(headers["content-length"])
        while len(self._heard) < size:
            assert self._hear(), "it closed within a body"
        body, self._heard = self._heard[:size], self._heard[size:]
        return Answer(int(status), headers, body)

    def is_closed(self) -> bool:
        """Waits until the server closes; False where it says something instead."""
        return not self._heard and not self._hear()

    def _hear(self) -> bytes:
        try:
            octets = self.sock.recv(65536)
        except ConnectionResetError:
            octets = b""
        self._heard += octets
        return octets


Place = tuple[str, int]


@contextmanager
def line(server: Hub | Place) -> Iterator[Line]:
    place = server.listens_at() if isinstance(server, Hub) else server
    with socket.create_connection(place, timeout=PATIENCE_S) as sock:
        yield Line(sock)


def request(first: str, *headers: str, host: str = "Host: hub", body: bytes = b"") -> bytes:
    """A request; `first` as in `GET /healthz`."""
    return "\r\n".join([f"{first} HTTP/1.1", host, *headers, "", ""]).encode("latin-1") + body
