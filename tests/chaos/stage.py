"""Where a scenario plays: hubs that serve, a carrier, an endpoint, the lines between them, and callers who post."""

import random
import time
from collections.abc import Iterator, Sequence, Sized
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.load import Load, Told
from tests.chaos.proxy import Proxy
from tests.chaos.shim import Shim
from tests.support import postgres, simulator, sink
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.postgres import Server
from tests.support.waiting import until

WINDOW = 20
CARRIER = {"window": WINDOW, "response_timeout": 30, "dlr_timeout": 7200, "enquire_link": 30}


@dataclass(frozen=True)
class Length:
    """How much of a scenario is played."""

    rounds: int
    """How often the fault comes."""
    rate: float
    """Messages per second."""


class Stage:
    """Everything is closed with `stack`. `note` writes the timeline, which is shown when a promise was not kept."""

    def __init__(self, folder: Path, rng: random.Random, length: Length, stack: ExitStack) -> None:
        self.folder, self.rng, self.length, self.stack = folder, rng, length, stack
        self.timeline: list[str] = []
        self.hubs: list[Hub] = []
        self.told = Told()
        self._begun = time.monotonic()

    # --- what there is ------------------------------------------------------------------------

    def server(self, **options: object) -> Server:
        """A PostgreSQL of this scenario alone."""
        server = Server(**options)
        self.stack.callback(server.remove)
        return server

    def started_server(self) -> Server:
        server = self.server()
        server.start()
        return server

    def line(self, port: int) -> Proxy:
        proxy = Proxy(port)
        proxy.open()
        self.stack.callback(proxy.close)
        return proxy

    def shim(self) -> Shim:
        shim = Shim(self.folder)
        self.stack.callback(shim.close)
        return shim

    def sqlite(self) -> str:
        return f"sqlite:///{self.folder}/hub.db"

    def open(
        self, url: str, *, nodes: int = 1, shim: Shim | None = None, lines: bool = False, **config: object
    ) -> None:
        """Hubs, carrier and endpoint. `lines`: what leads to the last two can be cut."""
        self.box = self.stack.enter_context(simulator.simulator(self.folder, "box"))
        self.endpoint = self.stack.enter_context(sink.sink()).endpoint()
        uri = self.endpoint.url
        port = self.box.port
        if lines:
            hook_port = int(uri.split(":")[2].partition("/")[0])
            self.to_carrier, self.to_endpoint = self.line(port), self.line(hook_port)
            uri = uri.replace(str(hook_port), str(self.to_endpoint.port))
            port = self.to_carrier.port
        self._serve(url, nodes, shim)
        hub = self.hubs[0]
        self.carrier = hub.carrier(port, "simulator", **{**CARRIER, **config})
        hub.route(self.carrier)
        self.account = hub.customer(webhook_uri=uri)
        self.accounts = [self.account] + [self._elsewhere(other) for other in self.hubs[1:]]
        hub.bound(self.carrier)

    def _serve(self, url: str, nodes: int, shim: Shim | None) -> None:
        key = ""
        for n in range(nodes):
            hub = Hub(url, self.folder, f"hub{n}", webhook_allow_private="true")
            hub.env.update(shim.env if shim else {})
            self.stack.callback(hub.close)
            key = key or hub.init()["admin_accesskey"]
            hub.start()
            hub.caller(key)
            self.hubs.append(hub)

    def _elsewhere(self, hub: Hub) -> Account:
        return Account(self.account.id, hub.caller(self.account.api.key), self.account.number)

    @property
    def hub(self) -> Hub:
        return self.hubs[0]

    # --- what happens -------------------------------------------------------------------------

    @contextmanager
    def load(self, suffixes: Sequence[str] = ("1234",)) -> Iterator[Load]:
        """Messages are posted all through the block."""
        load = Load(self.accounts, self.length.rate, suffixes)
        self.note("callers begin")
        load.start()
        try:
            self.pause(0.5, 1.0)
            yield load
            self.pause(0.5, 1.0)
        finally:
            self.told = load.stop()
            self.note("callers end")

    def rounds(self) -> Iterator[int]:
        """The faults come at random moments."""
        for n in range(self.length.rounds):
            self.pause(0.1, 1.2)
            yield n

    def grows(self, told: Sized, what: str, more: int = 5) -> None:
        """Waits until callers were told so a few times more."""
        before = len(told)
        until(lambda: len(told) >= before + more, what)

    def pause(self, least: float, most: float) -> None:
        time.sleep(self.rng.uniform(least, most))

    def note(self, what: str) -> None:
        self.timeline.append(f"{time.monotonic() - self._begun:7.3f} s  {what}")

    def bound(self) -> Json:
        return self.hub.bound(self.carrier)


def new_database(server: Server) -> str:
    return postgres.new_database(server.url)
