"""Callers who post one message after the other, whatever happens, and remember what they were told."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

import httpx

from tests.support import numbering
from tests.support.hub import Account

CALLERS = 6
TIMEOUT_S = 10.0
PAUSE_S = 0.05
"""After a connection or a message that was refused."""


@dataclass
class Told:
    """What became of each number that was posted to."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Number by the id of its message: those that were answered 200."""
    refused: set[str] = field(default_factory=set)
    """Answered 503: it is said that nothing was accepted."""
    unknown: set[str] = field(default_factory=set)
    """Never answered, or answered that it is not known: nothing is promised."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Answers that should not be."""
    slowest_s: float = 0.0


class Load:
    """`rate` messages per second in all, to the APIs of `accounts` in turn, which are one customer's.

    The numbers end with one of `suffixes` after the other.
    """

    def __init__(self, accounts: list[Account], rate: float, suffixes: Sequence[str]) -> None:
        self.told = Told()
        self._accounts, self._every, self._suffixes = accounts, CALLERS / rate, cycle(suffixes)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._post_forever, args=(n,), daemon=True) for n in range(CALLERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> Told:
        self._ended.set()
        for thread in self._threads:
            thread.join(TIMEOUT_S + 5)
        return self.told

    def _post_forever(self, n: int) -> None:
        account = self._accounts[n % len(self._accounts)]
        with httpx.Client(timeout=TIMEOUT_S, headers=dict(account.api.http.headers)) as http:
            url = f"{account.api.http.base_url}messages"
            due = time.monotonic()
            while not self._ended.is_set():
                due = max(due + self._every, time.monotonic() - 1)
                self._post(http, url, account.number)
                self._ended.wait(max(0.0, due - time.monotonic()))

    def _post(self, http: httpx.Client, url: str, source: str) -> None:
        to = numbering.somebody(next(self._suffixes))
        begun = time.monotonic()
        try:
            answer = http.post(url, json={"source": source, "destinations": [to], "text": f"Message to {to}"})
        except httpx.ConnectError:
            self._ended.wait(PAUSE_S)
            return
        except httpx.TransportError:
            self.told.unknown.add(to)
            return
        self.told.slowest_s = max(self.told.slowest_s, time.monotonic() - begun)
        self._note(to, answer)

    def _note(self, to: str, answer: httpx.Response) -> None:
        if answer.status_code == 200:
            self.told.accepted[answer.json()["id"]] = to
        elif answer.status_code == 503 and "retry-after" in answer.headers:
            is_known = "nothing was accepted" in answer.text
            (self.told.refused if is_known else self.told.unknown).add(to)
            self._ended.wait(PAUSE_S)
        else:
            self.told.wrong[f"{answer.status_code} {answer.text[:200]}"] += 1
