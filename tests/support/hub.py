"""The whole program as an operator runs it: `messagehub init`, then `messagehub serve`, against either store."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support import numbering
from tests.support.api import Api, Json
from tests.support.process import PROGRAM, Program, environment
from tests.support.simulator import Simulator
from tests.support.waiting import PATIENCE_S, until

LEASE_S = 8
"""The lease of those that are killed: their tests wait for its end where others may live beside them."""

CARRIER = {"host": "127.0.0.1", "password": "secret", "window": 50, "response_timeout": 1, "dlr_timeout": 2}


@dataclass(frozen=True)
class Account:
    """A customer that no other test knows."""

    id: str
    api: Api
    number: str

    def send(self, to: str | list[str], text: str = "Hello", **more: Any) -> Json:
        return self.api.send(self.number, to, text, **more)

    def settled(self, message: Json, within: float = PATIENCE_S) -> Json:
        return self.api.settled(message["id"], within)


class Hub(Program):
    def __init__(self, database_url: str, folder: Path, name: str = "hub", **settings: object) -> None:
        given = {f"MESSAGEHUB_{key.upper()}": str(value) for key, value in settings.items()}
        env = {"MESSAGEHUB_LISTEN": "127.0.0.1:0", "MESSAGEHUB_DATABASE_URL": database_url, **given}
        super().__init__(folder, name, ["serve"], env)
        self.address = ""
        self.on_answer: Callable[[httpx.Response], None] | None = None
        self.keys: list[str] = []
        self._callers: list[Api] = []

    def start(self) -> str:
        line = super().start()
        self.address = line.split()[-1].removesuffix("/v1.0")
        # It comes back where its callers know it, as a server that is started again does.
        self.env["MESSAGEHUB_LISTEN"] = self.address.removeprefix("http://")
        return line

    def init(self) -> Json:
        done = subprocess.run(
            [PROGRAM, "init", "--json"], env=environment(self.env), capture_output=True, text=True, check=True
        )
        shown: Json = json.loads(done.stdout)
        return shown

    def close(self) -> None:
        for api in self._callers:
            api.close()
        self.kill()

    def child(self, module: str) -> int:
        """The id of the process of its own that runs `module`."""
        (found,) = self.children(module)
        return found

    def children(self, module: str) -> list[int]:
        assert self.process
        own = self.process.pid
        ids = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        return [int(id) for id in ids if module.encode() in Path(f"/proc/{id}/cmdline").read_bytes().split(b"\0")]

    # --- who calls ----------------------------------------------------------------------

    def caller(self, key: str = "") -> Api:
        api = Api(self.address, key, self.on_answer)
        self._callers.append(api)
        if key:
            self.keys.append(key)
        return api

    @property
    def admin(self) -> Api:
        return self._callers[0]

    def listens_at(self) -> tuple[str, int]:
        """Host and port, for those who speak to the socket themselves."""
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        return host, int(port)

    def customer(self, *numbers: str, **changes: object) -> Account:
        """A new customer with a number, or with those given; `changes` are put to it."""
        name = numbering.own()
        made = self.admin.post("/customers", {"name": name, "username": name, "password": "long enough"})
        for number in numbers or (name,):
            self.admin.post("/numbers", {"number": number, "customer_id": made["id"]})
        api = self.caller(made["accesskey"])
        if changes:
            api.put("/customer", changes)
        return Account(made["id"], api, (numbers or (name,))[0])

    # --- where messages go --------------------------------------------------------------

    def carrier(self, port: int, name: str = "simulator", /, **config: object) -> Json:
        """A carrier that leads to a port of this machine."""
        given = {**CARRIER, "port": port, "system_id": name, **config}
        return self.admin.post("/carriers", {"name": name, "type": "smpp", "config": given})

    def route(self, carrier: Json, **more: object) -> Json:
        return self.admin.post("/routes", {"carrier_id": carrier["id"], **more})

    def lead_nowhere(self) -> None:
        """Takes all routes and carriers away."""
        for path in ("/routes", "/carriers"):
            for one in self.admin.every(path):
                self.admin.delete(f"{path}/{one['id']}")

    def bound(self, carrier: Json) -> Json:
        """The carrier, once it can send."""
        return self.when_carrier(carrier, lambda now: now["status"] == "bound")

    def when_carrier(self, carrier: Json, is_so: Callable[[Json], object]) -> Json:
        def ask() -> Json | None:
            now = self.admin.get(f"/carriers/{carrier['id']}")
            return now if is_so(now) else None

        return until(ask, f"carrier {carrier['name']}") or carrier

    def lead_to(self, simulator: Simulator, **config: object) -> Json:
        """All messages go to the simulator from now on."""
        carrier = self.carrier(simulator.port, "simulator", **config)
        self.route(carrier)
        return self.bound(carrier)

    def lead_mms_to(
        self, mm7: str, control: str, name: str = "simulator-mms", customer_id: str = "", **config: object
    ) -> Json:
        """MMS go to a simulator at these addresses, those of all customers or of one, and what it tells comes back."""
        vasp_id, caller = numbering.own(), {"username": "simulator", "password": "secret"}
        given = {"url": mm7, "vasp_id": vasp_id, "response_timeout": 1, "dlr_timeout": 2}
        given |= {f"callback_{key}": value for key, value in caller.items()}
        carrier = self.admin.post("/carriers", {"name": name, "type": "mm7", "config": {**given, **config}})
        self.route(carrier, **({"customer_id": customer_id} if customer_id else {}))
        for served in (vasp_id, ""):  # what handsets write is for no VASPID
            told = {"url": f"{self.address}/callbacks/{carrier['id']}", **caller, "vasp_id": served}
            answer = httpx.post(f"{control}/vasp", json=told)
            assert answer.status_code == 200, answer.text
        return self.bound(carrier)


@contextmanager
def hub(database_url: str, folder: Path, name: str = "hub", **settings: object) -> Iterator[Hub]:
    opened = Hub(database_url, folder, name, **settings)
    try:
        key = opened.init()["admin_accesskey"]
        opened.start()
        opened.caller(key)
        yield opened
    finally:
        opened.close()
