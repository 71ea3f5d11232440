"""The measured hub and its carrier: made, started and furnished as an operator would do it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from bench.children import Broken, Child, child, line

SOURCE = "+15551234567"
RECEIPT_DELAY_S = 0.5
BIND_WITHIN_S = 30.0
SERVE = ("-m", "messagehub", "serve")


class Running:
    """A process and where it answers. `others`: those that work with it and were not started by it."""

    def __init__(self, process: Child, url: str, *others: Child) -> None:
        self.process, self.url = process, url
        self._all = (process, *others)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._all]

    @property
    def has_ended(self) -> bool:
        """One of them at least."""
        return any(process.poll() is not None for process in self._all)


@contextmanager
def hub(database_url: str, folder: Path, serve: Sequence[str], front: str = "inline") -> Iterator[tuple[Running, str]]:
    """The hub on an empty store, and its operator's access key."""
    env, log = _settings(database_url, front), folder / "hub.log"
    with child(["-m", "messagehub", "init", "--json"], folder / "init.log", env) as process:
        operator = json.loads(line(process, "messagehub init", folder / "init.log"))
    with child(serve, log, env) as process:
        said = line(process, "messagehub serve", log).decode()  # messagehub answers at http://…/v1.0
        yield Running(process, said.split()[-1]), operator["admin_accesskey"]


def _settings(database_url: str, front: str) -> dict[str, str]:
    return {
        "MESSAGEHUB_DATABASE_URL": database_url,
        "MESSAGEHUB_LISTEN": "127.0.0.1:0",
        "MESSAGEHUB_FRONT": front,
        "MESSAGEHUB_WEBHOOK_ALLOW_PRIVATE": "true",
    }


class Carrier(Running):
    """The simulator, which delivers all that it is given. `smpp` is its HOST:PORT."""

    def __init__(self, process: Child, ports: dict[str, str]) -> None:
        super().__init__(process, ports["http"])
        self.smpp = ports["smpp"]

    def wait_until_bound(self, binds: int = 1) -> None:
        until = monotonic() + BIND_WITHIN_S
        while call("GET", f"{self.url}/stats")["binds"] < binds:
            if monotonic() > until:
                raise Broken("the hub did not bind to its carrier")
            sleep(0.05)

    def submitted(self) -> list[int]:
        """The number of each submit that it accepted, as often as it did."""
        submits = call("GET", f"{self.url}/submits")["result"]
        return [int(submit["destination"].lstrip("+")) for submit in submits]


@contextmanager
def carrier(folder: Path) -> Iterator[Carrier]:
    log = folder / "simulator.log"
    ports = ["--smpp-port", "0", "--http-port", "0", "--until-eof", "--json"]
    options = ["--plain", "--receipt-delay", str(RECEIPT_DELAY_S)]
    with child(["-m", "messagehub", "simulator", *ports, *options], log) as process:
        yield Carrier(process, json.loads(line(process, "the simulator", log)))


def furnish(api: str, operator: str, smpp: str, window: int, webhook_uri: str, **more: object) -> str:
    """A customer with a number and an endpoint, and a carrier that takes everything; the customer's access key.

    `more` stands in the carrier's config."""
    login = {"name": "bench", "username": "bench@example.com", "password": "a long bench password"}
    customer = call("POST", f"{api}/customers", operator, login)
    call("POST", f"{api}/numbers", operator, {"number": SOURCE, "customer_id": customer["id"]})
    host, _, port = smpp.rpartition(":")
    config = {"host": host, "port": int(port), "system_id": "bench", "password": "bench", "window": window, **more}
    made = call("POST", f"{api}/carriers", operator, {"name": "bench", "type": "smpp", "config": config})
    call("POST", f"{api}/routes", operator, {"name": "all", "prefix": "", "carrier_id": made["id"], "priority": 1})
    webhook = {"webhook_uri": webhook_uri, "webhook_method": "POST", "webhook_events": ["message_updated"]}
    webhook |= {"webhook_statuses": ["delivered", "failed"]}
    call("PUT", f"{api}/customer", customer["accesskey"], webhook)
    accesskey: str = customer["accesskey"]
    return accesskey


def call(method: str, url: str, accesskey: str = "", body: object = None) -> dict[str, Any]:
    """One request, whose answer must be good."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {accesskey}"}
    octets = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, octets, headers if accesskey else {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            values: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise Broken(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from None
    return values
