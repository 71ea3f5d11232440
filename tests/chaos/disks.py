"""The disk of a SQLite store is full, slow, or stuck."""

import asyncio

from bench.load import Load
from bench.tally import OK, Plan, Tally
from bench.wire import post
from tests.chaos.check import Promise
from tests.chaos.stage import WINDOW, Stage
from tests.support import numbering
from tests.support.sink import Hit
from tests.support.waiting import until

SYNC_US = 5_000
"""Ten times what an fsync takes on a usual disk."""

STUCK_US = 4_000_000
BURST = 4_600
"""Requests at the same time: more than may wait for the store."""
FIRST = 491_000_005_000
"""And so on, of which none ends with digits that mean something to the simulator."""


def disk_full(stage: Stage) -> Promise:
    """Nothing can be written for a while: 503 to callers, "later" to the carrier; then all goes on by itself."""
    shim = stage.shim()
    stage.open(stage.sqlite(), shim=shim)
    with stage.load() as load:
        for _ in stage.rounds():
            stage.note("the disk is full")
            shim.set(full=1)
            stage.grows(load.told.refused, "callers are refused")
            answers = stage.box.write(numbering.somebody(), stage.account.number, "Do you hear me?")
            assert answers == ["ESME_RX_T_APPN"], answers
            stage.pause(0.5, 2)
            shim.set(full=0)
            stage.note("there is room again")
            stage.grows(load.told.accepted, "messages are accepted")
    until(lambda: len(_heard(stage)) >= stage.length.rounds, "what handsets wrote meanwhile")
    return Promise()


def _heard(stage: Stage) -> list[Hit]:
    return [hit for hit in list(stage.endpoint.hits) if hit.type == "message_received"]


def killed_with_full_disk(stage: Stage) -> Promise:
    shim = stage.shim()
    stage.open(stage.sqlite(), shim=shim)
    with stage.load():
        for _ in stage.rounds():
            stage.note("the disk is full")
            shim.set(full=1)
            stage.pause(0.1, 0.6)
            stage.note("the hub is killed, and there is room again")
            stage.hub.kill()
            shim.set(full=0)
            stage.hub.start()
            stage.note("it serves again")
    return Promise(in_flight=WINDOW * stage.length.rounds)


def disk_slow(stage: Stage) -> Promise:
    """A tenth of its speed: commits grow, and nobody is refused."""
    shim = stage.shim()
    stage.open(stage.sqlite(), shim=shim)
    with stage.load() as load:
        stage.note("each fsync takes ten times as long")
        shim.set(sync_us=SYNC_US)
        stage.pause(6, 8)
        stage.note("as before")
        shim.set(sync_us=0)
    assert not load.told.refused
    return Promise()


def disk_stuck(stage: Stage) -> Promise:
    """A commit takes seconds, and thousands post: as many as may wait do, all others are refused at once."""
    shim = stage.shim()
    stage.open(stage.sqlite(), shim=shim)
    with stage.load() as load:
        stage.note("each fsync takes 4 s")
        shim.set(sync_us=STUCK_US)
        host, port = stage.hub.listens_at()
        source, key = stage.account.number, stage.account.api.key
        request = post(f"{host}:{port}", key, source, FIRST)
        plan = Plan(host=host, port=port, request=request, first=FIRST, count=BURST, connections=BURST)
        tally = Tally(plan)
        asyncio.run(Load(plan, tally).run())
        shim.set(sync_us=0)
        stage.note("as before")
        statuses = {status: list(tally.status).count(status) for status in set(tally.status)}
        stage.note(f"{BURST} at once were answered {statuses}")
        assert statuses.keys() == {OK, 503}, statuses
        numbers = {f"+{FIRST + n}" for n in range(BURST) if tally.status[n] == OK}
    there = {one["targets"][0]["destination"]["target"]: one["id"] for one in stage.account.api.every("/messages")}
    assert numbers <= there.keys(), "accepted, and not there"
    load.told.accepted |= {there[number]: number for number in numbers}
    load.told.refused |= {f"+{FIRST + n}" for n in range(BURST) if tally.status[n] != OK}
    return Promise()
