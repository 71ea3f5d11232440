"""A program of peers/ in a process of its own: told what to do by lines, and heard by lines of JSON."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import until

PEERS = Path(__file__).parent / "peers"
COMMANDS = {
    "node-smpp": ["node", "node_smpp.js"],
    "jsmpp": ["java", "-XX:TieredStopAtLevel=1", "-cp", "jars/*:classes", "Jsmpp"],
}
Event = dict[str, Any]


class Peer:
    """`said` is all that it told, in order."""

    def __init__(self, library: str, folder: Path, *arguments: str) -> None:
        self.said: list[Event] = []
        self._errors = (folder / f"{library}.err").open("a+")
        self._process = subprocess.Popen(
            [*COMMANDS[library], *arguments],
            cwd=PEERS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.said.append(json.loads(line))

    def tell(self, *words: object) -> None:
        assert self._process.stdin
        self._process.stdin.write("\t".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def all(self, event: str, since: int = 0, **known: object) -> list[Event]:
        """Those of one kind whose members are `known`."""
        return [one for one in self.said[since:] if one["event"] == event and known.items() <= one.items()]

    def wait(self, event: str, times: int = 1, since: int = 0, within: float = 20, **known: object) -> list[Event]:
        """So many of them, as soon as they were told."""

        def ask() -> list[Event]:
            assert self._process.poll() is None, self._words()
            found = self.all(event, since, **known)
            return found if len(found) >= times else []

        try:
            return until(ask, f"{event} {known}", within)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {self.said[since:]}") from None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            assert stream
            stream.close()

    def _words(self) -> str:
        self._errors.seek(0)
        return f"it ended: {self._errors.read()}"


@contextmanager
def peer(library: str, folder: Path, *arguments: str) -> Iterator[Peer]:
    opened = Peer(library, folder, *arguments)
    try:
        yield opened
    finally:
        opened.close()
