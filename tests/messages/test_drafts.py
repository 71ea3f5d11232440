"""Drafts as the engine takes them: accepted once, or returned; and what may be on disk is not asked for again."""

from collections.abc import Sequence
from itertools import count

import pytest

from messagehub import clock
from messagehub.accounts.callers import Callers
from messagehub.accounts.keys import AccessKeys
from messagehub.accounts.tokens import Tokens
from messagehub.api.limits import Limit
from messagehub.api.watching import Watch
from messagehub.carriers.wire import Step
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Conflict, Unavailable
from messagehub.front.frames import Answered, Drafted, Returned, Taken
from messagehub.front.taking import Said, Taker
from messagehub.messages.drafting import Drafting
from messagehub.messages.limits import ACCEPTING
from messagehub.messages.reading import LAST_ID, Filter
from messagehub.messages.target import Target
from messagehub.people.opt_outs import Entry
from messagehub.sealing import Sealer
from messagehub.shapes import MessageGiven
from messagehub.store import Insert
from messagehub.text import Profile
from tests.messages.house import ANNE, BERT, CARL, SOURCE, House, eventually
from tests.messages.test_limits import limit
from tests.support.outage import Outage

_ids = count(1)


class Counter:
    """Where drafts come in, for one customer with one key."""

    def __init__(self, house: House, key: str, per_customer: Limit | None) -> None:
        self.house, self.key = house, key
        callers = Callers(house.store, Tokens(house.store, Sealer(), 3600), {})
        self._taker = Taker(
            house.store, callers, house.customers, house.numbers, house.acceptor, per_customer, Watch("none")
        )

    def draft(self, to: str = ANNE, source: str = SOURCE, **more: object) -> Drafted:
        given = MessageGiven(**{"source": source, "destinations": [to], "text": "Hello", **more})  # type: ignore[arg-type]
        draft = Drafting(10).draft(given)
        assert draft
        return Drafted(next(_ids), self.key, b"req_1", draft)

    async def take(self, *drafts: Drafted) -> list[Said]:
        return await self._taker.take(drafts)

    async def stored(self, drafts: Sequence[Drafted]) -> list[int]:
        """How many messages there are to the recipient of each."""
        return [len(await self._to(one.draft.destinations[0][0])) for one in drafts]

    async def _to(self, person: str) -> Sequence[object]:
        return await self.house.reader.page(self.house.customer.id, Filter(destination=person), LAST_ID, 100)


async def opened(house: House, per_customer: Limit | None = None) -> Counter:
    keys = AccessKeys(house.store, {})
    key, _ = await keys.add(house.customer.id, clock.now(), name="k", detail="", tm_expire=NEVER)
    return Counter(house, key, per_customer)


@pytest.fixture
async def desk(house: House) -> Counter:
    return await opened(house)


def kinds(said: Sequence[Said]) -> list[type]:
    return [type(one) for one in said]


async def test_those_that_came_together_are_accepted_together_and_sent(desk: Counter, house: House) -> None:
    drafts = [desk.draft(to) for to in (ANNE, BERT, CARL)]
    said = await desk.take(*drafts)
    assert said == [Taken(one.id, house.customer.id, b"") for one in drafts]
    assert await desk.stored(drafts) == [1, 1, 1]
    await eventually(lambda: len(house.peer.handed) == 3)
    assert [handover.destination for handover in house.peer.handed] == [ANNE, BERT, CARL]
    assert {handover.key for handover in house.peer.handed} == {(one.draft.id, 0) for one in drafts}


async def test_each_gets_what_is_its_own(desk: Counter, house: House) -> None:
    """One is not as its customer wants it, one is to somebody who wants nothing, one is as usual."""
    await house.change(smart_encoding=True)
    now = clock.now()
    entry = Entry(
        customer_id=house.customer.id, address=BERT, scope="customer", status="opted_out", source="api", tm_said=now,
    )  # fmt: skip
    await house.opt_outs.add(entry, now)
    drafts = [desk.draft(ANNE), desk.draft(BERT, smart_encoding=False), desk.draft(CARL, smart_encoding=True)]
    said = await desk.take(*drafts)
    assert kinds(said) == [Returned, Taken, Taken]
    assert isinstance(said[1], Taken)
    assert b'"error_code":"opted_out"' in said[1].body
    assert await desk.stored(drafts) == [0, 1, 1]
    await eventually(lambda: [handover.destination for handover in house.peer.handed] == [CARL])


@pytest.mark.parametrize("wrong", ["key", "source"])
async def test_who_may_not_send_gets_it_back(desk: Counter, wrong: str) -> None:
    if wrong == "key":
        desk.key = "vb_nobody"
    drafts = [desk.draft(source="+15550000000" if wrong == "source" else SOURCE)]
    assert kinds(await desk.take(*drafts)) == [Returned]
    assert await desk.stored(drafts) == [0]


async def test_only_as_many_are_taken_as_a_customer_may_ask_for(house: House) -> None:
    desk = await opened(house, Limit("customer", 0.001, 2))
    drafts = [desk.draft(to) for to in (ANNE, BERT, CARL)]
    assert kinds(await desk.take(*drafts)) == [Taken, Taken, Returned]
    assert await desk.stored(drafts) == [1, 1, 0]


async def test_what_a_limit_for_accepting_counts_is_returned_and_has_not_asked(house: House) -> None:
    may_ask = Limit("customer", 0.001, 1)
    desk = await opened(house, may_ask)
    await limit(house, "customer", applies=ACCEPTING, per_day=1)
    drafts = [desk.draft()]
    assert kinds(await desk.take(*drafts)) == [Returned]
    assert await desk.stored(drafts) == [0]
    may_ask.check(house.customer.id, clock.now())


async def test_what_is_limited_when_it_goes_is_taken_and_waits(desk: Counter, house: House) -> None:
    await limit(house, rate=1000)
    drafts = [desk.draft(to) for to in (ANNE, BERT)]
    assert kinds(await desk.take(*drafts)) == [Taken, Taken]
    await eventually(lambda: len(house.peer.handed) == 1)
    row = await house.until((drafts[1].draft.id, 0), "queued")
    assert row.due_at > clock.now() + SECOND // 2


# --- what goes wrong


async def test_one_that_cannot_be_stored_takes_none_with_it(desk: Counter) -> None:
    drafts = [desk.draft(to) for to in (ANNE, BERT)]
    drafts[0].draft.text = "no UTF-8: \ud800"
    assert kinds(await desk.take(*drafts)) == [Returned, Returned]
    assert await desk.stored(drafts) == [0, 0]


async def test_without_a_store_it_is_said_that_nothing_was_accepted(desk: Counter, outage: Outage) -> None:
    await desk.take(desk.draft())
    drafts = [desk.draft(to) for to in (BERT, CARL)]
    async with outage():
        said = await desk.take(*drafts)
    assert [one.status for one in said if isinstance(one, Answered)] == [503, 503]
    assert await desk.stored(drafts) == [0, 0]


@pytest.mark.parametrize(("error", "status"), [(Unavailable, 503), (Conflict, 409)])
async def test_what_may_have_been_written_is_not_asked_for_again(
    desk: Counter, house: House, monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int
) -> None:
    """As when the connection is lost while a COMMIT is on its way."""
    write = house.store.write

    async def write_and_lose(inserts: Sequence[Insert]) -> None:
        await write(inserts)
        raise error("lost")

    monkeypatch.setattr(house.store, "write", write_and_lose)
    drafts = [desk.draft(to) for to in (ANNE, BERT)]
    said = await desk.take(*drafts)
    assert [one.status for one in said if isinstance(one, Answered)] == [status, status]
    assert await desk.stored(drafts) == [1, 1]


async def test_what_is_on_disk_is_accepted_whatever_fails_after_it(
    desk: Counter, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(house.outbox, "offer", fail)
    await house.change(webhook_events=("message_created",))
    drafts = [desk.draft(to) for to in (ANNE, BERT)]
    assert kinds(await desk.take(*drafts)) == [Taken, Taken]
    assert await desk.stored(drafts) == [1, 1]
    await eventually(lambda: len(house.peer.handed) == 2)


async def test_a_fault_at_one_message_is_none_of_the_others(
    desk: Counter, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, drafts = house.recorder.begin, [desk.draft(to) for to in (ANNE, BERT)]

    def fail_for_the_first(targets: Sequence[Target], step: Step) -> None:
        if targets[0].destination == ANNE:
            raise RuntimeError("a fault of ours")
        keep(targets, step)

    monkeypatch.setattr(house.recorder, "begin", fail_for_the_first)
    assert kinds(await desk.take(*drafts)) == [Taken, Taken]
    await eventually(lambda: len(house.peer.handed) == 2)
    assert house.recorder.steps((drafts[1].draft.id, 0))


async def test_what_its_carrier_makes_of_a_text_is_told(desk: Counter, house: House) -> None:
    """A carrier of its own alphabet needs fewer segments than the standard says."""
    house.peer.texts = Profile(latin1=True)
    exchange = house.exchange_with(house.carrier_id)
    await eventually(lambda: exchange and not exchange._backlog)  # so that it is handed over at once
    draft = desk.draft(text="ê" * 100)
    assert draft.draft.parts == 2
    (said,) = await desk.take(draft)
    assert isinstance(said, Taken)
    assert b'"parts":1' in said.body
