"""A carrier simulator that plays a scenario of tests/scenarios, in a thread of this process; its sockets are real."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import httpx

from messagehub.carriers.simulator import Options, Ports, Rule, load, run
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.numbering import somebody
from tests.support.waiting import PATIENCE_S, until

FOLDER = Path(__file__).parents[1] / "scenarios"


def rules(name: str) -> dict[str, Rule]:
    """The rules of a scenario by their names."""
    return {rule.name: rule for rule in load(FOLDER / f"{name}.toml")}


class Line:
    """A scenario that is played, the carrier that leads to it, and a customer all of whose messages go there."""

    def __init__(self, name: str, ports: Ports, hub: Hub, account: Account, carrier: Json) -> None:
        self.rules, self.hub, self.account, self.carrier = rules(name), hub, account, carrier
        self._control = f"http://127.0.0.1:{ports.http}"

    def send(self, rule: str, text: str = "Hello", **more: Any) -> Json:
        """A message to a number that the rule is for."""
        return self.account.send(somebody(self.rules[rule].when.to_suffix), text, **more)

    def target(self, message: Json, *statuses: str) -> Json:
        """The message's only target, once it has one of these statuses."""
        found = self.account.api.when(message["id"], lambda message: message["targets"][0]["status"] in statuses)
        target: Json = found["targets"][0]
        return target

    def stats(self) -> Json:
        stats: Json = httpx.get(f"{self._control}/stats").json()
        return stats

    def submits(self, message: Json) -> list[Json]:
        """What the carrier accepted of a message with one target."""
        found: list[Json] = httpx.get(f"{self._control}/submits").json()["result"]
        return [
            submit
            for submit in found
            if f"+{submit['destination'].removeprefix('+')}" == message["targets"][0]["destination"]["target"]
        ]

    def when_played(self, rule: str, times: int = 1) -> None:
        until(lambda: self.stats()["played"][rule] >= times, f"{rule}: played {times} times")

    def status(self) -> Json:
        return self.hub.admin.get(f"/carriers/{self.carrier['id']}")


@contextmanager
def line(hub: Hub, name: str, waits_until_bound: bool = True, **config: Any) -> Iterator[Line]:
    """`config` is that of the carrier, besides what tests usually have."""
    with playing(name) as ports:
        account = hub.customer()
        carrier = hub.carrier(ports.smpp, f"{name} {ports.smpp}", **{"system_id": "me", **config})
        hub.route(carrier, customer_id=account.id)
        try:
            if waits_until_bound:
                hub.bound(carrier)
            yield Line(name, ports, hub, account, carrier)
        finally:
            hub.admin.delete(f"/carriers/{carrier['id']}")


@contextmanager
def mms_line(hub: Hub, name: str, **config: Any) -> Iterator[Line]:
    """The same for MMS, by MM7."""
    with playing(name) as ports:
        account = hub.customer()
        addresses = f"http://127.0.0.1:{ports.mm7}/", f"http://127.0.0.1:{ports.http}"
        carrier = hub.lead_mms_to(*addresses, name=f"{name} {ports.mm7}", customer_id=account.id, **config)
        try:
            yield Line(name, ports, hub, account, carrier)
        finally:
            hub.admin.delete(f"/carriers/{carrier['id']}")


@contextmanager
def playing(name: str) -> Iterator[Ports]:
    """The simulator alone; its receipts come after 0.05 s."""
    ready: Queue[Ports] = Queue()
    loop = asyncio.new_event_loop()
    options = Options(scenario=load(FOLDER / f"{name}.toml"), plain=True, receipt_delay=0.05, ready=ready.put)
    task = loop.create_task(run(options))
    thread = threading.Thread(target=_until_cancelled, args=(loop, task), name=f"scenario {name}")
    thread.start()
    try:
        yield ready.get(timeout=PATIENCE_S)
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(PATIENCE_S)


def _until_cancelled(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    try:
        loop.run_until_complete(asyncio.wait((task,)))
    finally:
        loop.close()
