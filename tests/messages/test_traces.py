"""Which traces are kept, for how long, and what they say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from messagehub import clock, ids
from messagehub.accounts.callers import Caller
from messagehub.carriers.book import Carriers
from messagehub.carriers.carrier import Accepted, Receipt, Refused, TargetKey, Unanswered
from messagehub.carriers.wire import RESPONSE_TO, SUBMIT, Link, Step
from messagehub.errors import Refusal
from messagehub.messages import recorder
from messagehub.messages.recorder import Keeping, Recorder
from messagehub.messages.traces import Traces
from messagehub.sealing import Sealer
from messagehub.shapes import MediaGiven, Trace
from messagehub.smpp import PDU, encode
from messagehub.store import Store
from tests.messages.house import ANNE, BERT, House, eventually, eventually_so
from tests.messages.peer import Peer

LINK: Link = ("127.0.0.1", 40000, "127.0.0.1", 2775)
SECRET = "my secret"
NO_SAMPLE = Keeping(sample=0)
SENT = ["accepted", "claimed", "submit", "response", "moved"]
DELIVERED = [*SENT, "receipt", "moved"]


def submitted() -> list[Step]:
    now, submit = clock.now(), encode(PDU("submit_sm", 7, 0, {"short_message": SECRET.encode()}))
    response = encode(PDU("submit_sm_resp", 7, 0, {"message_id": "a"}))
    return [(now, SUBMIT, 0, LINK, submit), (now, RESPONSE_TO, 0, LINK, response)]


class Traced(House):
    """A house in which PDUs are seen, and traces are read."""

    async def taken(self, name: str = "a", to: str = ANNE) -> TargetKey:
        """A target that the carrier has accepted, and calls `name`."""
        (key,) = await self.handed(to)
        self.peer.tell(Accepted(key, [name], steps=[*self.peer.handover(key).steps, *submitted()]))
        await self.until(key, "sent")
        return key

    async def receipts(self, name: str, *states: str) -> None:
        """Receipts with the PDUs that they came in, answered one after the other."""
        text = f"id:{name} stat:DELIVRD text:{SECRET}".encode()
        octets = encode(PDU("deliver_sm", 3, 0, {"esm_class": 4, "short_message": text}))
        for state in states:
            ticket = object()
            self.peer.tell(Receipt(name, state, "", ANNE, ticket, (clock.now(), LINK, octets)))
            await eventually(lambda ticket=ticket: ticket in self.peer.answers)  # type: ignore[misc]

    async def trace(self, key: TargetKey, caller: Caller | None = None) -> Trace:
        caller = caller or Caller(self.customer.id, "customer")
        (trace,) = await Traces(self.store, self.recorder, self.on_its_way).page(caller, key[0], key[1], 1)
        return trace

    async def story(self, key: TargetKey) -> list[str]:
        return [step.step for step in (await self.trace(key)).steps]

    async def told(self, key: TargetKey, *story: str) -> None:  # type: ignore[override]
        """The trace comes to tell this story."""

        async def ask() -> bool:
            return await self.story(key) == list(story)

        assert await eventually_so(ask, f"{story}")


@asynccontextmanager
async def traced(store: Store, keeping: Keeping = NO_SAMPLE) -> AsyncIterator[Traced]:
    house = Traced(store, keeping)
    await house.furnish()
    await house.open()
    yield house
    await house.close()


@pytest.fixture
async def traces(store: Store) -> AsyncIterator[Traced]:
    """Only what fails is kept, but for those who are traced."""
    async with traced(store) as house:
        yield house


# --- which are kept ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keeping", "story"),
    [(NO_SAMPLE, []), (Keeping(sample=1), DELIVERED), (Keeping("all", 0), DELIVERED), (Keeping("off", 1), [])],
)
async def test_what_is_delivered_is_kept_where_it_is_wished(store: Store, keeping: Keeping, story: list[str]) -> None:
    async with traced(store, keeping) as house:
        key = await house.taken()
        await house.receipts("a", "delivered")
        assert await house.story(key) == story
        assert (await house.trace(key)).is_traced is bool(story)
        assert house.recorder.steps(key) == []


async def test_all_of_a_customer_are_kept_who_wishes_so(traces: Traced) -> None:
    await traces.change(trace="all")
    key = await traces.taken()
    await traces.receipts("a", "delivered")
    assert await traces.story(key) == DELIVERED


async def test_all_of_a_carrier_are_kept_that_is_looked_at(traces: Traced) -> None:
    await Carriers(traces.store, Sealer()).change(traces.carrier_id, clock.now(), trace="all")
    key = await traces.taken()
    await traces.receipts("a", "delivered")
    assert await traces.story(key) == DELIVERED


async def test_what_fails_is_always_kept(traces: Traced) -> None:
    key = await traces.taken()
    await traces.receipts("a", "undelivered")
    assert await traces.story(key) == DELIVERED
    (unanswered,) = await traces.handed()
    traces.peer.tell(Unanswered(unanswered, steps=traces.peer.handover(unanswered).steps))
    await traces.until(unanswered, "gw_timeout")
    assert await traces.story(unanswered) == ["accepted", "claimed", "moved"]


async def test_what_has_no_route_has_a_trace_from_the_first_moment(traces: Traced) -> None:
    for route in await traces.routes.page("g", 10):
        await traces.routes.remove(route.id, clock.now())
    message = await traces.send(ANNE, BERT)
    assert await traces.story((message.id, 1)) == ["accepted", "moved"]
    steps = (await traces.trace((message.id, 1))).steps
    assert steps[0].detail["routes"] == []
    assert steps[1].detail["error_code"] == "no_route"


# --- what they say ----------------------------------------------------------------------


MMS = [
    ([], "Hi", "an MMS; no route"),
    (["https://a.test/1"], "", "an MMS with 1 medium; no route"),
    (["https://a.test/1", "https://a.test/2"], "Hi", "an MMS with 2 media; no route"),
]


@pytest.mark.parametrize(("urls", "subject", "words"), MMS)
async def test_an_mms_is_not_counted_in_parts(traces: Traced, urls: list[str], subject: str, words: str) -> None:
    """Nobody takes it here, so its trace is there at once."""
    message = await traces.send(ANNE, medias=[MediaGiven(url=url) for url in urls], subject=subject, text="x" * 500)
    accepted = (await traces.trace((message.id, 0))).steps[0]
    assert words in accepted.words
    assert (accepted.detail["parts"], accepted.detail["medias"]) == (1, len(urls))


async def test_a_carrier_that_refuses_and_the_next_one(traces: Traced) -> None:
    other = Peer()
    second = await traces.failover()
    await traces.open(other, carrier_id=second)
    (key,) = await traces.handed()
    traces.peer.tell(Refused(key, "refused_here", "not here", steps=traces.peer.handover(key).steps))
    await eventually(lambda: other.handed)
    other.tell(Refused(key, "rejected", "nor here", steps=other.handover(key).steps))
    await traces.until(key, "failed")
    steps = (await traces.trace(key)).steps
    assert [step.step for step in steps] == ["accepted", *["claimed", "refused", "moved"] * 2]
    assert [step.detail.get("carrier_id") for step in steps if step.step == "claimed"] == [traces.carrier_id, second]
    assert [route["is_chosen"] for route in steps[0].detail["routes"]] == [True, False]
    assert "priority 2" in steps[0].detail["routes"][1]["why"]
    assert [step.words for step in steps if step.step == "refused"] == [
        "refused as refused_here: not here",
        "refused as rejected: nor here",
    ]
    assert "the next route leads to another" in steps[3].words


async def test_a_receipt_that_overtakes_its_response(traces: Traced) -> None:
    await traces.change(trace="all")
    (key,) = await traces.handed()
    await traces.receipts("a", "delivered")
    traces.peer.tell(Accepted(key, ["a"], steps=[*traces.peer.handover(key).steps, *submitted()]))
    await traces.until(key, "delivered")
    steps = (await traces.trace(key)).steps
    assert [step.step for step in steps] == ["accepted", "claimed", "receipt", "submit", "response", "moved", "moved"]
    assert steps[2].detail["was_parked"]
    assert steps[2].pdu is not None
    assert SECRET not in steps[2].pdu.text  # while it was parked nobody knew whose it was
    assert [step.elapsed_us >= 0 for step in steps] == [True] * 7


async def test_late_news_are_rows_of_their_own_and_not_without_end(
    traces: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_LATER", 4)
    key = await traces.taken()
    await traces.receipts("a", "expired", "rejected", "delivered", "undelivered")
    await traces.told(key, *DELIVERED, "receipt", "receipt", "moved", "receipt")
    assert (await traces.trace(key)).status == "delivered"
    await traces.receipts("a", *["undelivered"] * 9)
    assert len([step for step in await traces.story(key) if step == "receipt"]) <= 5


async def test_what_goes_on_after_its_end_is_kept_to_its_next_end(traces: Traced) -> None:
    (key,) = await traces.handed()
    traces.peer.tell(Unanswered(key, steps=traces.peer.handover(key).steps))
    await traces.until(key, "gw_timeout")
    traces.peer.tell(Accepted(key, ["a"], late=True, steps=submitted()))
    await traces.until(key, "sent")
    await traces.receipts("a", "delivered")
    await traces.told(key, "accepted", "claimed", "moved", "submit", "response", "moved", "receipt", "moved")


async def test_a_trace_without_its_beginning_says_so(traces: Traced) -> None:
    (key,) = await traces.handed()
    traces.recorder.forget([key])
    traces.peer.tell(Refused(key, "rejected", steps=traces.peer.handover(key).steps))
    await traces.until(key, "failed")
    steps = (await traces.trace(key)).steps
    assert [step.step for step in steps] == ["gap", "claimed", "refused", "moved"]
    assert "another process" in steps[0].words


async def test_what_is_under_way_shows_what_is_known_here(traces: Traced) -> None:
    (waiting,) = await traces.handed()
    assert await traces.story(waiting) == ["accepted", "claimed"]
    key = await traces.taken("b")
    own, others = await traces.trace(key), await traces.trace(key, Caller(ids.new(), "operator"))
    assert (own.status, own.is_traced, [step.step for step in own.steps]) == ("sent", True, SENT)
    assert "is waited for until" in own.steps[-1].words
    assert (_mentions(own), _mentions(others)) == (2, 0)
    await traces.receipts("b", "delivered")
    await traces.told(key)


async def test_another_process_shows_nothing_of_it(traces: Traced) -> None:
    (key,) = await traces.handed()
    elsewhere = Traces(traces.store, Recorder(traces.store, NO_SAMPLE), lambda *_: [])
    (trace,) = await elsewhere.page(Caller(traces.customer.id, "customer"), key[0], 0, 1)
    assert (trace.is_traced, trace.steps) == (False, [])


# --- memory -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "limit"), [("MOST_TARGETS", 10), ("MOST_OCTETS", 20_000)])
async def test_memory_is_bounded_and_the_oldest_go_first(
    traces: Traced, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(recorder, name, limit)
    first = await traces.taken("first")
    await eventually(lambda: len(traces.recorder.steps(first)) > 2)  # the commit is known here, too
    for n in range(30):
        traces.recorder.add([((ids.new(), 0), [(n, SUBMIT, 0, LINK, b"x" * 1000)])])
        assert len(traces.recorder._open) <= 20
    await traces.receipts("first", "undelivered")
    steps = (await traces.trace(first)).steps
    assert [step.step for step in steps] == ["gap", "receipt", "moved"]
    assert "forgotten" in steps[0].words


async def test_one_target_cannot_fill_it_either(traces: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_STEPS", 10)
    key = await traces.taken()
    await traces.receipts("a", *["intermediate"] * 12, "undelivered")
    steps = (await traces.trace(key)).steps
    assert [step.step for step in steps][-2:] == ["receipt", "moved"]
    assert "7 steps had to be forgotten" in next(step.words for step in steps if step.step == "gap")
    assert "accepted" in [step.step for step in steps]
    assert len(steps) == 10 + 3


async def test_what_is_settled_leaves_nothing_in_memory(traces: Traced) -> None:
    for n, state in enumerate(["delivered", "undelivered"] * 3):
        key = await traces.taken(f"{n}")
        await traces.receipts(f"{n}", state)
        await traces.until(key, "delivered", "failed")
    assert (len(traces.recorder._open), len(traces.recorder._accepted), traces.recorder._octets) == (0, 0, 0)


# --- who sees them, and for how long ----------------------------------------------------


async def test_the_operator_sees_how_it_fared_and_not_what_it_said(traces: Traced) -> None:
    key = await traces.taken()
    await traces.receipts("a", "undelivered")
    own = await traces.trace(key)
    others = await traces.trace(key, Caller(ids.new(), "operator"))
    assert [step.step for step in others.steps] == [step.step for step in own.steps]
    assert (own.is_redacted, others.is_redacted) == (False, True)
    assert _mentions(own) == 4
    assert _mentions(others) == 0
    with pytest.raises(Refusal, match="MESSAGE_NOT_FOUND"):
        await traces.trace(key, Caller(ids.new(), "customer"))


async def test_a_store_that_may_hold_no_texts_holds_none(store: Store) -> None:
    async with traced(store, Keeping("all", 0, keeps_text=False)) as house:
        key = await house.taken()
        await house.receipts("a", "undelivered")
        assert await house.story(key) == DELIVERED
        assert _mentions(await house.trace(key)) == 0


def _mentions(trace: Trace) -> int:
    """How often the text stands in it: as it is, and in the octets of PDUs."""
    said = msgspec.json.encode(trace).decode()
    pdus = [step.pdu.hex for step in trace.steps if step.pdu]
    return said.count(SECRET) + sum(SECRET.encode().hex() in octets for octets in pdus)


async def test_what_has_no_route_is_accepted_where_nothing_is_traced(store: Store) -> None:
    async with traced(store, Keeping("off")) as house:
        for route in await house.routes.page("g", 10):
            await house.routes.remove(route.id, clock.now())
        message = await house.send()
        assert await house.statuses(message.id) == ["failed"]
        assert await house.story((message.id, 0)) == []
