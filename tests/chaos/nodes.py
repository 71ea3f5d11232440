"""The process itself ends, or its clock jumps."""

from tests.chaos.check import Promise
from tests.chaos.stage import WINDOW, Stage, new_database

HOUR_US = 3600 * 1_000_000


def hub_killed(stage: Stage) -> Promise:
    """`kill -9`, again and again, on SQLite."""
    stage.open(stage.sqlite())
    with stage.load():
        for _ in stage.rounds():
            stage.note("the hub is killed")
            stage.hub.kill()
            stage.hub.start()
            stage.note("it serves again")
    return Promise(in_flight=WINDOW * stage.length.rounds)


def node_killed(stage: Stage) -> Promise:
    """One of two nodes on one PostgreSQL is killed; the other rescues what it held."""
    stage.open(new_database(stage.started_server()), nodes=2)
    with stage.load():
        for n in stage.rounds():
            hub = stage.hubs[n % 2]
            stage.note(f"node {n % 2} is killed")
            hub.kill()
            stage.pause(0.5, 2)
            hub.start()
            stage.note("it serves again")
    return Promise(in_flight=WINDOW * stage.length.rounds, in_order=False)


def clock_stepped(stage: Stage) -> Promise:
    """The time of day is set forward or back by an hour, and stays so for a while."""
    shim = stage.shim()
    stage.open(stage.sqlite(), shim=shim)
    off = 0
    with stage.load():
        for _ in stage.rounds():
            off = 0 if off else stage.rng.choice((-1, 1)) * HOUR_US
            stage.note(f"the clock is {off // HOUR_US:+d} h off")
            shim.set(clock_us=off)
            stage.pause(2, 3)
    return Promise(in_order=False)
