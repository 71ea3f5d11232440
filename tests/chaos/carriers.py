"""The other ends: the carrier, and the customer's endpoint."""

from tests.chaos.check import Promise
from tests.chaos.stage import WINDOW, Stage

PATIENCE_S = 2
SLOW_S = 0.3


def carrier_cut(stage: Stage) -> Promise:
    """The connection is lost, and comes back after a while."""
    stage.open(stage.sqlite(), lines=True)
    with stage.load():
        for _ in stage.rounds():
            stage.note("the carrier is cut off")
            stage.to_carrier.cut()
            stage.pause(0, 1.5)
            stage.to_carrier.mend()
            stage.note("it can be reached")
            stage.bound()
    return Promise(in_flight=WINDOW * stage.length.rounds)


def carrier_half_open(stage: Stage) -> Promise:
    """Nothing passes, and no end of the line is told. What was submitted is `gw_timeout` when its time is up."""
    stage.open(stage.sqlite(), lines=True, response_timeout=PATIENCE_S, enquire_link=2)
    with stage.load():
        for _ in stage.rounds():
            stage.note("the line is dead")
            stage.to_carrier.freeze()
            stage.pause(1, 5)
            stage.to_carrier.mend()
            stage.note("it lives")
            stage.bound()
    ends = frozenset({"delivered", "gw_timeout"})
    return Promise(ends=ends, in_flight=2 * WINDOW * stage.length.rounds)


def carrier_slow(stage: Stage) -> Promise:
    """Each answer takes its time: less is sent, and what is accepted waits in the store."""
    stage.open(stage.sqlite(), lines=True)
    with stage.load():
        for _ in stage.rounds():
            stage.note("the carrier is slow")
            stage.to_carrier.delay = SLOW_S
            stage.pause(2, 4)
            stage.to_carrier.delay = 0
            stage.note("as before")
    return Promise()


def carrier_throttles(stage: Stage) -> Promise:
    """Now and then a message is refused three times with ESME_RTHROTTLED, and the carrier is sent less."""
    stage.open(stage.sqlite())
    with stage.load(["1234"] * 99 + ["0004"]):
        stage.pause(4, 6)
    return Promise(within_s=120)


def endpoint_down(stage: Stage) -> Promise:
    """The endpoint is away as long as messages are sent. What it should have heard it hears when it is back."""
    stage.open(stage.sqlite(), lines=True)
    stage.to_endpoint.cut()
    with stage.load():
        stage.note("the endpoint is away")
        stage.pause(3, 5)
    stage.to_endpoint.mend()
    stage.note("the endpoint is back")
    return Promise(in_order=False, within_s=90)
