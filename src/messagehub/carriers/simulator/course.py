"""A rule made ready to be played: whatever can be known before a request comes is worked out once."""

from collections.abc import Iterable

from msgspec import Struct

from messagehub.carriers.simulator import receipts
from messagehub.carriers.simulator.ids import Form, Ids
from messagehub.carriers.simulator.record import States
from messagehub.carriers.simulator.scenario import Connection, Inbound, Receipt, Rule, Say
from messagehub.smpp import pack_tlvs
from messagehub.smpp.receipts import NUMBERS as STATES


class Promise(Struct, frozen=True):
    """A receipt that is to come `delay` seconds after the submit."""

    delay: float
    is_good: bool
    write: receipts.Write


class Course(Struct):
    """`is_plain`: it is answered once, at once, and as the standard wants it. `played` counts."""

    name: str
    status: int
    delay: float
    never: bool
    id: Form
    body: str
    tlvs: dict[int, bytes] | None
    times: int
    is_plain: bool
    promises: tuple[Promise, ...]
    states: States
    inbound: tuple[Inbound, ...]
    say: tuple[Say, ...]
    connection: Connection | None
    besides: bool
    played: int = 0


def prepared(rule: Rule, name: str, receipt_delay: float, ids: Ids) -> Course:
    """`receipt_delay`: seconds to the receipts that do not say when they come."""
    response = rule.response
    return Course(
        name=name,
        status=response.number,
        delay=response.after,
        never=response.none,
        id=response.id,
        body=response.body,
        tlvs=None if response.congestion is None else pack_tlvs({"congestion_state": response.congestion}),
        times=response.times,
        is_plain=not response.after and response.times == 1 and response.body == "usual",
        promises=tuple(_promises(_receipts(rule), receipt_delay, ids)),
        states=tuple(_states(rule, receipt_delay)),
        inbound=rule.inbound,
        say=rule.say,
        connection=rule.connection,
        besides=bool(rule.inbound or rule.say or rule.connection),
    )


def _receipts(rule: Rule) -> tuple[Receipt, ...]:
    if rule.receipts is not None:
        return rule.receipts
    return () if rule.response.number or rule.response.none else (Receipt(),)


def _states(rule: Rule, receipt_delay: float) -> Iterable[tuple[float, int]]:
    """What query_sm is told: what the receipts say, or what the rule says beside them."""
    if rule.unsaid:
        yield receipt_delay, STATES[rule.unsaid]
    for one in _receipts(rule):
        if one.stat in STATES:
            yield receipt_delay if one.after is None else one.after, STATES[one.stat]


def _promises(given: Iterable[Receipt], receipt_delay: float, ids: Ids) -> Iterable[Promise]:
    for one in given:
        delay = receipt_delay if one.after is None else one.after
        promise = Promise(delay, receipts.is_good(one), receipts.writer(one, ids))
        yield from [promise] * one.times
