"""A carrier that calls: what handsets write comes by its call, and so do receipts."""

from pathlib import Path

from tests.support import hub as hubs
from tests.support.ports import free_port
from tests.support.simulator import simulator
from tests.support.waiting import until


def test_a_carrier_that_calls(tmp_path: Path) -> None:
    port, waiting = free_port(), ("receiver", "connecting")
    listen = {"outbind_listen": f"127.0.0.1:{port}"}
    with simulator(tmp_path) as box, hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, **listen) as hub:
        how = {"bind": "transmitter+outbind", "outbind_from": ["127.0.0.1"]}
        carrier = hub.carrier(box.port, "caller", **how)
        hub.route(carrier)
        hub.when_carrier(carrier, lambda now: waiting in [(one["role"], one["state"]) for one in now["binds"]])
        hub.when_carrier(carrier, lambda now: now["last_error"] == "the carrier has not called yet (outbind)")
        box.call(port, "caller", "secret")
        hub.bound(carrier)
        account = hub.customer()
        assert account.settled(account.send("+447700900123"))["status"] == "delivered"
        assert box.write("+447700900123", account.number, "Hello") == ["ESME_ROK"]
        (received,) = until(lambda: account.api.every("/messages", direction="inbound"))
        assert received["text"] == "Hello"
