"""What becomes of targets whose receipt does not come, where their carrier can be asked."""

import asyncio

import pytest

from messagehub import clock
from messagehub.accounts.callers import Caller
from messagehub.carriers.carrier import Accepted, Queried, TargetKey
from messagehub.carriers.wire import QUERY, QUERY_RESPONSE
from messagehub.messages import inquiries, settling
from messagehub.messages.lanes import NORMAL
from messagehub.messages.target import due_topic
from messagehub.messages.traces import Traces
from messagehub.smpp import PDU, encode
from tests.messages.house import BERT, SOURCE, House, eventually
from tests.messages.peer import Peer
from tests.messages.queued import queue
from tests.messages.test_traces import LINK

LONG = "x" * 400


@pytest.fixture
async def asking(house: House) -> House:
    """A house whose carrier can be asked, and whose receipts are overdue at once."""
    house.peer.asks, house.peer.dlr_timeout = True, 0
    return house


async def asked(house: House, key: TargetKey) -> list[tuple[int, str]]:
    await eventually(lambda: key in [question.key for question in house.peer.asked], "it is asked")
    return next(question.names for question in house.peer.asked if question.key == key)


@pytest.mark.parametrize(
    ("state", "words", "status", "error_code"),
    [
        ("delivered", "DELIVRD 000", "delivered", ""),
        ("undelivered", "UNDELIV 001", "failed", "undelivered"),
        ("expired", "EXPIRED 000", "failed", "expired"),
        ("carrier_rejected", "REJECTD 000", "failed", "carrier_rejected"),
        ("intermediate", "ENROUTE 000", "dlr_timeout", "no_receipt"),
        ("unknown", "UNKNOWN 000", "dlr_timeout", "no_receipt"),
    ],
)
async def test_the_answer_is_the_end_of_it(asking: House, state: str, words: str, status: str, error_code: str) -> None:
    key = await asking.accepted(names=["a"])
    assert await asked(asking, key) == [(0, "a")]
    assert asking.peer.asked[0].source == SOURCE
    asking.peer.tell(Queried(key, [(0, state, words)]))
    row = await asking.until(key, status)
    assert row.error_code == error_code
    assert await asking.steps(key[0]) == [(1, ["sent"]), (2, [status])]


async def test_no_answer_is_the_end_of_it_too(asking: House) -> None:
    key = await asking.accepted(names=["a"])
    await asked(asking, key)
    asking.peer.tell(Queried(key, []))
    assert (await asking.until(key, "dlr_timeout")).error_code == "no_receipt"
    await asking.receipt("a", "delivered")
    assert (await asking.row(key)).status == "delivered"


async def test_only_parts_without_a_good_receipt_are_asked_about(asking: House) -> None:
    asking.peer.dlr_timeout = 60
    key = await asking.accepted(names=["a", "b", "c"], text=LONG)
    await asking.receipt("b", "delivered")
    await overdue(asking, key)
    assert await asked(asking, key) == [(0, "a"), (2, "c")]
    asking.peer.tell(Queried(key, [(0, "delivered", ""), (2, "delivered", "")]))
    await asking.until(key, "delivered")


async def test_one_part_that_is_not_known_leaves_the_whole_unknown(asking: House) -> None:
    key = await asking.accepted(names=["a", "b", "c"], text=LONG)
    await asked(asking, key)
    asking.peer.tell(Queried(key, [(0, "delivered", ""), (1, "intermediate", ""), (2, "delivered", "")]))
    await asking.until(key, "dlr_timeout")


async def test_a_receipt_that_comes_meanwhile_counts(asking: House) -> None:
    key = await asking.accepted(names=["a"])
    await asked(asking, key)
    await asking.receipt("a", "undelivered")
    asking.peer.tell(Queried(key, [(0, "expired", "")]))
    await asking.receipt("a", "intermediate")
    assert (await asking.row(key)).error_code == "undelivered"


async def test_each_is_asked_about_once_and_by_one_node(asking: House) -> None:
    other = Peer(dlr_timeout=0)
    other.asks = True
    await asking.open(other, node="there")
    keys = [await queue(asking) for _ in range(20)]
    for peer in (asking.peer, other):
        peer.window = 1000
    peers = (asking.peer, other)
    await eventually(lambda: sum(len(peer.handed) for peer in peers) == len(keys))
    for peer in peers:
        peer.tell(*(Accepted(one.key, [f"n{one.key[0]}"]) for one in peer.handed))
    await eventually(lambda: sum(len(peer.asked) for peer in peers) >= len(keys))
    await asyncio.sleep(0.6)  # another look of each
    assert sorted(one.key for peer in peers for one in peer.asked) == sorted(keys)
    await asking.sweeper.sweep()
    assert {(await asking.row(key)).status for key in keys} == {"sent"}


async def test_the_sweeps_give_up_what_nobody_could_ask_about(asking: House) -> None:
    asking.peer.window = 1
    (blocking,) = await asking.handed(BERT)  # no room for questions
    asking.peer.window = 100
    key = await asking.accepted(names=["a"])
    await asked(asking, key)
    asking.peer.tell(Queried(key, [], is_lost=True))
    await asking.sweeper.sweep()
    assert (await asking.row(key)).status == "sent"  # its lease is not over
    await overdue(asking, key)
    await asking.sweeper.sweep()
    assert (await asking.row(key)).status == "dlr_timeout"
    assert (await asking.row(blocking)).status == "handed"


async def test_a_carrier_that_is_not_there_is_waited_for_and_not_for_ever(asking: House) -> None:
    asking.peer.dlr_timeout = 60
    key = await asking.accepted(names=["a"])
    await asking.fill()
    await overdue(asking, key)
    await asking.sweeper.sweep()
    assert (await asking.row(key)).status == "sent"
    await overdue(asking, key, by=inquiries.ASKED_WITHIN)
    await asking.sweeper.sweep()
    assert (await asking.row(key)).status == "dlr_timeout"
    assert asking.peer.asked == []


async def test_what_has_no_names_cannot_be_asked_about(asking: House) -> None:
    key = await asking.accepted(names=["a", ""], text="x" * 200)
    await asking.sweeper.sweep()
    assert (await asking.row(key)).status == "dlr_timeout"
    assert asking.peer.asked == []


async def test_questions_have_a_share_of_a_window_that_is_always_full(
    asking: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "ASK_EVERY", 0)
    opened = asking.exchange_with(asking.carrier_id)
    assert opened
    opened.settling._ask_at = 0  # it has looked, and found nothing, before the test began
    asking.peer.window = 10
    keys = [await queue(asking) for _ in range(100)]
    accepted: list[TargetKey] = []
    while not asking.peer.asked:
        await eventually(lambda: len(asking.peer.handed) > len(accepted) or asking.peer.asked)
        for one in asking.peer.handed[len(accepted) : len(accepted) + 1]:
            accepted.append(one.key)
            asking.peer.tell(Accepted(one.key, [one.key[0]]))
    assert len(accepted) < len(keys) / 2


async def test_an_answer_about_a_former_try_says_nothing_of_the_one_under_way(asking: House) -> None:
    """A receipt came while it was asked, and the target was sent again."""
    await asking.configure(retry_temporary=[60])
    key = await asking.accepted(names=["a"])
    await asked(asking, key)
    await asking.receipt("a", "handset_full")
    row = await asking.row(key)
    assert (row.status, row.retries) == ("queued", 1)
    asking.peer.tell(Queried(key, [(0, "carrier_rejected", "REJECTD 000")], retry=0))
    other = await asking.accepted(BERT, names=["b"])
    asking.peer.tell(Queried(other, [(0, "delivered", "")]))
    await asking.until(other, "delivered")
    assert (await asking.row(key)).status == "queued"


async def test_the_trace_tells_of_it(asking: House) -> None:
    key = await asking.accepted(names=["a"])
    await asked(asking, key)
    query = encode(PDU("query_sm", 9, 0, {"message_id": "a", "source_addr": "15551234567"}))
    response = encode(PDU("query_sm_resp", 9, 0, {"message_id": "a", "message_state": 2}))
    now = clock.now()
    steps = [(now, QUERY, 0, LINK, query), (now, QUERY_RESPONSE, 0, LINK, response, "DELIVRD 000")]
    asking.peer.tell(Queried(key, [(0, "delivered", "DELIVRD 000")], steps=steps))
    await asking.until(key, "delivered")
    traces = Traces(asking.store, asking.recorder, asking.on_its_way)
    (trace,) = await traces.page(Caller(asking.customer.id, "customer"), key[0], 0, 1)
    told = trace.steps[-3:]
    assert [step.step for step in told] == ["query", "query_response", "moved"]
    assert [step.pdu and (step.pdu.name, step.pdu.direction) for step in told] == [
        ("query_sm", "sent"),
        ("query_sm_resp", "received"),
        None,
    ]
    assert told[1].words == "the carrier says of part 1: DELIVRD 000"
    assert "when it is asked" in told[2].words


async def overdue(house: House, key: TargetKey, by: int = 0) -> None:
    """The time in which its receipt was expected is over."""
    row = await house.row(key)
    at = {"message_id": key[0], "n": key[1]}
    await house.store.run("ask_target", **at, due_at=clock.now() - by - 1)
    await house.store.run("keep_names", **at, names=row.names)
    house.store.notify(due_topic(house.carrier_id, NORMAL))


async def test_what_an_answer_says_of_a_try_does_not_count_for_the_one_that_it_starts(asking: House) -> None:
    await asking.configure(retry_temporary=[60])
    asking.peer.dlr_timeout = 60
    key = await asking.accepted(names=["a", "b", "c"], text=LONG)
    await overdue(asking, key)
    await asked(asking, key)
    asking.peer.tell(Queried(key, [(0, "unreachable", ""), (1, "delivered", ""), (2, "unreachable", "")], retry=0))
    row = await asking.until(key, "queued")
    assert (row.retries, row.receipts) == (1, "")
