"""The carrier simulator in a process of its own, so that it counts what really came over the wire."""

import json
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
        self._control = httpx.Client(timeout=30)

    def start(self) -> str:
        line = super().start()
        ports = json.loads(line)
        self.port = int(ports["smpp"].rpartition(":")[2])
        self._control.base_url = ports["http"]
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
        return [submit for submit in found if to in ("", f"+{submit['destination']}")]

    def times_sent(self) -> Counter[str]:
        """How often each number was sent to."""
        return Counter(f"+{submit['destination']}" for submit in self.submits())


@contextmanager
def simulator(folder: Path, name: str = "simulator", *options: str) -> Iterator[Simulator]:
    opened = Simulator(folder, name, *options)
    try:
        opened.start()
        yield opened
    finally:
        opened.close()
