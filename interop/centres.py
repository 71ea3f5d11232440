"""Message centres of others, and a hub that sends through them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from interop.peer import Event, Peer, peer
from tests.carriers.authority import Authority
from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.ports import free_port

_names = count(1)


@dataclass(frozen=True)
class Centre:
    """A message centre at `port`; `tls` is what a carrier's config needs to reach it."""

    peer: Peer
    port: int
    tls: Json

    def told(self, message: Json, parts: int = 1) -> list[Event]:
        """What it was sent for a message with one target, in the order of its coming."""
        to = message["targets"][0]["destination"]["target"].removeprefix("+")
        return self.peer.wait("submit_sm", parts, destination=to)


@contextmanager
def centre(library: str, folder: Path, authority: Authority | None = None) -> Iterator[Centre]:
    port, files = free_port(), []
    if authority:
        for name, text in zip(("certificate.pem", "key.pem"), authority.certificate(), strict=True):
            (folder / name).write_text(text)
            files.append(str(folder / name))
    with peer(library, folder, "smsc", str(port), *files) as opened:
        opened.wait("listening")
        yield Centre(opened, port, {"tls": True, "tls_ca": authority.pem} if authority else {})


@dataclass(frozen=True)
class Line:
    """A customer whose messages go to a centre, by a carrier of its own."""

    account: Account
    carrier: Json
    centre: Centre
    hub: Hub

    def send(self, text: str, **more: Any) -> Json:
        return self.account.send(numbering.somebody(), text, **more)

    def bound(self) -> None:
        self.hub.bound(self.carrier)

    def inbound(self) -> list[Json]:
        return self.account.api.every("/messages", direction="inbound")


def line(hub: Hub, centre: Centre, **config: object) -> Line:
    """`config` is what differs from the usual one of a carrier."""
    name = f"line{next(_names)}"
    given = {"dlr_timeout": 60, "response_timeout": 10, **centre.tls, **config}
    carrier = hub.carrier(centre.port, name, **given)
    account = hub.customer(trace="all")
    hub.route(carrier, customer_id=account.id)
    hub.bound(carrier)
    return Line(account, carrier, centre, hub)
