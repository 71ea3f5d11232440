"""The carrier simulator in a process of its own, so that it counts what really came over the wire."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.process import Program


class Simulator(Program):
    def __init__(self, folder: Path, name: str = "simulator", *options: str) -> None:
        quick = ("--receipt-delay", "0.05")
        super().__init__(
            folder, name, ["simulator", "--smpp-port", "0", "--http-port", "0", "--json", *quick, *options]
        )
        self.port = 0
        self.mm7 = self.control = ""
        self._control = httpx.Client(timeout=30)

    def start(self) -> str:
        line = super().start()
        ports = json.loads(line)
        self.port = int(ports["smpp"].rpartition(":")[2])
        self._control.base_url = self.control = ports["http"]
        self.mm7 = ports["mm7"]
        return line

    def close(self) -> None:
        self._control.close()
        self.kill()

    def write(self, source: str, to: str, text: str, shuffle: bool = False) -> list[str]:
        """A handset writes to us: how each part was answered."""
        answer = self._control.post("/send", json={"from": source, "to": to, "text": text, "shuffle": shuffle})
        assert answer.status_code == 200, answer.text
        statuses: list[str] = answer.json()["statuses"]
        return statuses

    def write_mms(self, source: str, to: str, text: str, *media: tuple[str, bytes], subject: str = "") -> str:
        """A handset writes an MMS with media, pairs of type and octets: how it was answered."""
        given = [{"type": kind, "octets": b64encode(octets).decode()} for kind, octets in media]
        body = {"from": source, "to": to, "text": text, "subject": subject, "medias": given}
        answer = self._control.post("/send", json=body)
        assert answer.status_code == 200, answer.text
        (words,) = answer.json()["statuses"]
        return str(words)

    def deliver_to(self, url: str, username: str = "", password: str = "", vasp_id: str = "") -> None:
        """Reports and MMS of handsets go there from now on."""
        told = {"url": url, "username": username, "password": password, "vasp_id": vasp_id}
        answer = self._control.post("/vasp", json=told)
        assert answer.status_code == 200, answer.text

    def raw(self, submit: dict[str, Any]) -> httpx.Response:
        """The request that brought an MMS, as it came."""
        answer = self._control.get(f"/submits/{submit['n']}/raw")
        assert answer.status_code == 200, answer.text
        return answer

    def part(self, submit: dict[str, Any], kind: str = "image/") -> bytes:
        """The octets of the first part of an MMS whose type begins so."""
        k = next(k for k, part in enumerate(submit["parts"], 1) if part["type"].startswith(kind))
        answer = self._control.get(f"/submits/{submit['n']}/parts/{k}")
        assert answer.status_code == 200, answer.text
        return answer.content

    def call(self, port: int, system_id: str, password: str) -> None:
        """Calls a server on this machine, and tells it to bind."""
        asked = {"host": "127.0.0.1", "port": port, "system_id": system_id, "password": password}
        answer = self._control.post("/outbind", json=asked)
        assert answer.status_code == 200, answer.text

    def stats(self) -> dict[str, Any]:
        counts: dict[str, Any] = self._control.get("/stats").json()
        return counts

    def submits(self, to: str = "") -> list[dict[str, Any]]:
        """What was accepted, in its order; only that for one number where `to` is given."""
        found: list[dict[str, Any]] = self._control.get("/submits").json()["result"]
        return [submit for submit in found if to in ("", _number(submit))]

    def times_sent(self) -> Counter[str]:
        """How often each number was sent to."""
        return Counter(map(_number, self.submits()))


def _number(submit: dict[str, Any]) -> str:
    """With its `+`, which an MMS has already."""
    return f"+{submit['destination'].removeprefix('+')}"


@contextmanager
def simulator(folder: Path, name: str = "simulator", *options: str) -> Iterator[Simulator]:
    opened = Simulator(folder, name, *options)
    try:
        opened.start()
        yield opened
    finally:
        opened.close()
