"""A commit that has failed at its very end stands in the log as if it were done: nobody is told a lie about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.shim import Shim
from tests.support import numbering
from tests.support.api import refusal
from tests.support.hub import Account, Hub

SYNC_FAILS, THEN_ALL_WRITES = 1, 2


@pytest.fixture
def shim(tmp_path: Path) -> Iterator[Shim]:
    made = Shim(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=("thread", "process"))
def hub(request: pytest.FixtureRequest, tmp_path: Path, shim: Shim) -> Iterator[Hub]:
    opened = Hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, writer=request.param)
    opened.env.update(shim.env)
    try:
        key = opened.init()["admin_accesskey"]
        opened.start()
        opened.caller(key)
        yield opened
    finally:
        shim.set(unsynced=0)
        opened.close()


def refused(account: Account, *words: str) -> None:
    body = {"source": account.number, "destinations": [numbering.somebody()], "text": "Hello"}
    refusal(account.api.call("POST", "/messages", body), 503, "SERVICE_UNAVAILABLE", *words)


def started_again(hub: Hub, shim: Shim) -> None:
    hub.kill()
    shim.set(unsynced=0)
    hub.start()


def test_what_was_refused_is_not_there_after_a_kill(hub: Hub, shim: Shim) -> None:
    account = hub.customer()
    kept = account.send(numbering.somebody())
    shim.set(unsynced=SYNC_FAILS)
    refused(account, "nothing was accepted")
    started_again(hub, shim)
    assert [message["id"] for message in account.api.every("/messages")] == [kept["id"]]


def test_where_it_cannot_be_undone_its_caller_is_told_that_it_is_not_known(hub: Hub, shim: Shim) -> None:
    account = hub.customer()
    shim.set(unsynced=THEN_ALL_WRITES)
    refused(account, "is not known")
    refused(account, "nothing was accepted")
    started_again(hub, shim)
    assert len(account.api.every("/messages")) == 1


def test_it_goes_on_when_the_disk_does(hub: Hub, shim: Shim) -> None:
    account = hub.customer()
    shim.set(unsynced=SYNC_FAILS)
    refused(account)
    shim.set(unsynced=0)
    kept = account.send(numbering.somebody())
    started_again(hub, shim)
    assert [message["id"] for message in account.api.every("/messages")] == [kept["id"]]
