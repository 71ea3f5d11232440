"""Carriers: made, changed, disabled and removed by the operator while the server runs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.carriers.authority import Authority
from tests.support import numbering, simulator
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub
from tests.support.ports import free_port
from tests.support.simulator import Simulator
from tests.support.waiting import until

BIND = {"node", "role", "state", "since", "in_flight", "sent", "refused", "received", "last_error"}


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Simulator]:
    """Another carrier than the one that all messages go to."""
    with simulator.simulator(tmp_path) as opened:
        yield opened


@pytest.fixture
def carrier(hub: Hub, other: Simulator) -> Iterator[Json]:
    made = hub.carrier(other.port, "other")
    yield hub.bound(made)
    hub.admin.call("DELETE", f"/carriers/{made['id']}")


@pytest.fixture
def owner(hub: Hub, carrier: Json) -> Account:
    """A customer whose messages go to the other carrier."""
    account = hub.customer()
    hub.route(carrier, customer_id=account.id)
    return account


def delivered(owner: Account) -> Json:
    message = owner.settled(owner.send(numbering.somebody()))
    assert message["status"] == "delivered"
    return message


def test_the_answer_has_all_but_the_secrets(admin: Api) -> None:
    config = {"host": "127.0.0.1", "port": 1, "system_id": "shown", "password": "s3cret"}
    made = admin.post("/carriers", {"name": "shown", "type": "smpp", "config": config})
    given = {name: value for name, value in config.items() if name != "password"}
    assert given.items() <= made["config"].items()
    defaults = {
        "system_type": "", "bind": "transceiver", "binds": 1, "window": 10, "rate": 0, "tls": False,
        "interface_version": "3.4", "enquire_link": 30, "response_timeout": 30, "dlr_timeout": 259200,
    }  # fmt: skip
    assert defaults.items() <= made["config"].items()
    for answer in (admin.call("GET", f"/carriers/{made['id']}"), admin.call("GET", "/carriers")):
        assert "s3cret" not in answer.text
    assert "s3cret" not in admin.call("PUT", f"/carriers/{made['id']}", {"name": "still"}).text
    assert "s3cret" not in admin.call("DELETE", f"/carriers/{made['id']}").text
    refusal(admin.call("GET", f"/carriers/{made['id']}"), 404, "RESOURCE_NOT_FOUND")


def test_a_carrier_tells_of_its_binds(hub: Hub, admin: Api, carrier: Json, owner: Account) -> None:
    delivered(owner)
    owner.settled(owner.send(numbering.somebody("0003")))
    shown = admin.get(f"/carriers/{carrier['id']}")
    [bind] = shown["binds"]
    assert bind.keys() >= BIND
    assert (bind["role"], bind["state"], bind["last_error"]) == ("transceiver", "bound", "")
    assert (bind["sent"], bind["refused"], bind["received"], bind["in_flight"]) == (2, 1, 1, 0)
    assert (shown["last_error"], shown["warnings"]) == ("", [])
    assert (shown["pace"], shown["throttled"], shown["throttled_until"]) == (0, 0, "")


def test_a_carrier_that_throttles_is_slowed_and_says_so(hub: Hub, carrier: Json, owner: Account) -> None:
    sent = owner.send(numbering.somebody("0004"))
    slowed = hub.when_carrier(carrier, lambda now: now["throttled_until"])
    assert slowed["pace"] > 0
    assert owner.settled(sent)["status"] == "delivered"
    now = hub.admin.get(f"/carriers/{carrier['id']}")
    assert (now["throttled"], now["throttled_until"], now["binds"][0]["refused"]) == (3, "", 3)


def test_what_is_urgent_goes_first(hub: Hub, carrier: Json, owner: Account, other: Simulator) -> None:
    """Both wait for a carrier that is slow; the urgent one was written last."""
    hub.admin.put(f"/carriers/{carrier['id']}", {"config": {**carrier["config"], "rate": 10, "window": 1}})
    hub.when_carrier(carrier, lambda now: now["status"] == "bound" and now["config"]["rate"] == 10)
    bulk = owner.send(numbering.somebodies(30))
    urgent = owner.send(numbering.somebody(), priority="high")
    assert owner.settled(urgent)["status"] == "delivered"
    owner.settled(bulk)
    order = [f"+{submit['destination']}" for submit in other.submits()]
    assert order.index(urgent["targets"][0]["destination"]["target"]) < 10
    wrong = owner.api.call(
        "POST", "/messages", {"source": owner.number, "destinations": ["+15559876543"], "text": "x", "priority": "low"}
    )
    refusal(wrong, 400, "INVALID_ARGUMENT", "priority")


def test_a_key_is_written_and_never_shown(admin: Api) -> None:
    certificate, key = Authority().certificate()
    config = {"host": "h", "port": 1, "system_id": "keyed", "password": "", "tls": True, "tls_verify": False}
    given = {**config, "tls_certificate": certificate, "tls_key": key}
    made = admin.post("/carriers", {"name": "keyed", "type": "smpp", "config": given})
    assert made["config"]["tls_certificate"] == certificate
    until(lambda: admin.get(f"/carriers/{made['id']}")["warnings"], "a warning that nobody is checked")
    secret = key.splitlines()[1]
    for answer in (admin.call("GET", f"/carriers/{made['id']}"), admin.call("PUT", f"/carriers/{made['id']}", {})):
        assert secret not in answer.text
        assert "tls_key" not in answer.json()["config"]
    admin.delete(f"/carriers/{made['id']}")


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"tls_ca": "nonsense"}, "config.tls_ca"),
        ({"tlvs": {"x": {"tag": 1, "type": "uint8", "value": 256}}}, "config.tlvs[]"),
        ({"statuses": {"69": "retry"}}, "config.statuses"),
    ],
)
def test_a_config_that_cannot_work_is_refused(admin: Api, config: Json, word: str) -> None:
    usual = {"host": "h", "port": 1, "system_id": "x", "password": ""}
    answer = admin.call("POST", "/carriers", {"name": "x", "type": "smpp", "config": {**usual, **config}})
    refusal(answer, 400, "INVALID_CARRIER_CONFIG", word)


def test_a_carrier_is_parted_from_and_comes_back(hub: Hub, carrier: Json, owner: Account, other: Simulator) -> None:
    hub.admin.put(f"/carriers/{carrier['id']}", {"disabled": True})
    until(lambda: other.stats()["binds"] == 0, "it unbinds")
    assert hub.admin.get(f"/carriers/{carrier['id']}")["status"] == "disabled"
    hub.admin.put(f"/carriers/{carrier['id']}", {"disabled": False})
    hub.bound(carrier)
    delivered(owner)


@pytest.mark.parametrize(("changes", "binds"), [({"binds": 3}, 3), ({"bind": "transmitter+receiver"}, 2)])
def test_several_binds(hub: Hub, carrier: Json, owner: Account, other: Simulator, changes: Json, binds: int) -> None:
    config = {**carrier["config"], **changes}
    hub.admin.put(f"/carriers/{carrier['id']}", {"config": config})
    hub.when_carrier(carrier, lambda now: now["status"] == "bound" and len(now["binds"]) == binds)
    assert other.stats()["binds"] == binds
    delivered(owner)


def test_a_change_takes_effect_without_a_restart(hub: Hub, carrier: Json, owner: Account, tmp_path: Path) -> None:
    """The carrier moves to another port; the password that is left out stays."""
    with simulator.simulator(tmp_path, "moved") as moved:
        hub.admin.put(f"/carriers/{carrier['id']}", {"config": {**carrier["config"], "port": moved.port}})
        hub.when_carrier(carrier, lambda now: now["status"] == "bound" and moved.stats()["binds"] == 1)
        message = delivered(owner)
        assert len(moved.submits(message["targets"][0]["destination"]["target"])) == 1


def test_messages_wait_for_a_carrier_that_is_down(hub: Hub, carrier: Json, owner: Account) -> None:
    down = {**carrier["config"], "port": free_port()}
    hub.admin.put(f"/carriers/{carrier['id']}", {"config": down})
    hub.when_carrier(carrier, lambda now: now["status"] == "down" and "connect" in now["binds"][0]["last_error"])
    sent = owner.send(numbering.somebody())
    assert owner.api.message(sent["id"])["targets"][0]["status"] == "queued"
    hub.admin.put(f"/carriers/{carrier['id']}", {"config": carrier["config"]})
    assert owner.settled(sent)["status"] == "delivered"


def test_what_waits_for_a_disabled_carrier_goes_when_it_is_enabled(hub: Hub, carrier: Json, owner: Account) -> None:
    down = {**carrier["config"], "port": free_port()}
    hub.admin.put(f"/carriers/{carrier['id']}", {"config": down})
    sent = owner.send(numbering.somebody())
    disabled = hub.admin.put(f"/carriers/{carrier['id']}", {"disabled": True, "config": carrier["config"]})
    assert (disabled["status"], disabled["binds"]) == ("disabled", [])
    assert owner.api.message(sent["id"])["targets"][0]["status"] == "queued"
    hub.admin.put(f"/carriers/{carrier['id']}", {"disabled": False})
    hub.bound(carrier)
    assert owner.settled(sent)["status"] == "delivered"


def test_a_disabled_carrier_is_passed_over(hub: Hub, carrier: Json, owner: Account, box: Simulator) -> None:
    hub.admin.put(f"/carriers/{carrier['id']}", {"disabled": True})
    message = delivered(owner)
    assert len(box.submits(message["targets"][0]["destination"]["target"])) == 1


def test_a_removed_carrier_is_parted_from(hub: Hub, carrier: Json, owner: Account, other: Simulator) -> None:
    gone = hub.admin.delete(f"/carriers/{carrier['id']}")
    assert gone["tm_delete"].startswith("20")
    until(lambda: other.stats()["binds"] == 0, "it unbinds")
    delivered(owner)  # by the general route


def test_no_route_is_a_failure_that_says_so(hub: Hub, account: Account) -> None:
    """The general route is narrowed for a moment."""
    routes = [route for route in hub.admin.every("/routes") if not route["prefix"] and not route["customer_id"]]
    for route in routes:
        hub.admin.put(f"/routes/{route['id']}", {"prefix": "44"})
    try:
        message = account.send(["+33123456789", numbering.somebody()])
        failed, queued = message["targets"]
        assert (failed["status"], failed["error_code"]) == ("failed", "no_route")
        assert queued["status"] == "queued"
        assert account.settled(message)["status"] == "partially_delivered"
        alone = account.send("+33123456789")
        assert alone["status"] == "failed"
    finally:
        for route in routes:
            hub.admin.put(f"/routes/{route['id']}", {"prefix": ""})


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b", "x" * 70 + ".example", "[::1", "host name", "-"])
def test_a_host_that_cannot_be_found_can_be_corrected(hub: Hub, carrier: Json, owner: Account, host: str) -> None:
    """Whatever is wrong with it, the bind says so, and goes on when it is put right."""
    answer = hub.admin.call("PUT", f"/carriers/{carrier['id']}", {"config": {**carrier["config"], "host": host}})
    if answer.status_code == 200:
        hub.when_carrier(carrier, lambda now: now["binds"] and now["binds"][0]["last_error"])
        hub.admin.put(f"/carriers/{carrier['id']}", {"config": carrier["config"]})
        hub.bound(carrier)
        delivered(owner)


def test_a_long_message_through_a_small_window(hub: Hub, carrier: Json, owner: Account, other: Simulator) -> None:
    hub.admin.put(f"/carriers/{carrier['id']}", {"config": {**carrier["config"], "window": 2}})
    text = "".join(f"{n:04} of many words;" for n in range(80))
    sent = owner.send(numbering.somebody(), text)
    assert owner.settled(sent)["status"] == "delivered"
    parts = other.submits(sent["targets"][0]["destination"]["target"])
    assert "".join(part["text"] for part in parts) == text


def test_a_rate_is_kept(hub: Hub, carrier: Json, owner: Account) -> None:
    hub.admin.put(f"/carriers/{carrier['id']}", {"config": {**carrier["config"], "rate": 20}})
    hub.when_carrier(carrier, lambda now: now["status"] == "bound" and now["config"]["rate"] == 20)
    begun = time.monotonic()
    owner.settled(owner.send(numbering.somebodies(30)))
    assert 1.0 < time.monotonic() - begun < 30
