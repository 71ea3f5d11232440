"""Asking a message centre what became of a message (query_sm), over a socket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from messagehub.carriers.carrier import Accepted, Queried, Question, Receipt
from messagehub.carriers.wire import LOST, NO_ANSWER, QUERY, QUERY_RESPONSE, UNSENT
from messagehub.smpp import PDU, Driver, decode
from messagehub.smpp.statuses import NUMBERS
from tests.carriers.rig import SOMEBODY, SOURCE, Ours, centre, pair

SILENT = "+442079460005"  # delivered, and no receipt says so
LONG = "x" * 400


async def accepted(ours: Ours, to: str = SOMEBODY, words: str = "Hello") -> Question:
    """About a message that the message centre has accepted."""
    key = ours.send(to, words)
    (one,) = await ours.until(lambda: [one for one in ours.of(Accepted) if one.key == key])
    return Question(key, SOURCE, list(enumerate(one.names)))


async def answer(ours: Ours, question: Question) -> Queried:
    ours.carrier.ask([question])
    (told,) = await ours.until(lambda: [one for one in ours.of(Queried) if one.key == question.key])
    return told


async def test_the_simulator_tells_what_became_of_each_part() -> None:
    async with pair(query_sm=True) as (ours, _):
        question = await accepted(ours, SILENT, LONG)
        told = await delivered(ours, question)
        assert sorted(told.states) == [(part, "delivered", "DELIVRD 000") for part in range(3)]
        assert not told.is_lost
        assert ours.of(Receipt) == []
        kinds = [step[1] for step in told.steps]
        assert (kinds.count(QUERY), kinds.count(QUERY_RESPONSE)) == (3, 3)
        asked = decode(told.steps[0][4])
        assert (asked.name, asked.fields["source_addr"]) == ("query_sm", SOURCE.removeprefix("+"))
        assert ours.carrier.room() == 10


async def delivered(ours: Ours, question: Question) -> Queried:
    """Asked again and again, until the simulator has delivered it."""
    while True:
        ours.news.clear()
        told = await answer(ours, question)
        if all(state == "delivered" for _, state, _ in told.states):
            return told


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (1, "intermediate"),
        (2, "delivered"),
        (3, "expired"),
        (4, "deleted"),
        (5, "undelivered"),
        (6, "intermediate"),
        (7, "unknown"),
        (8, "carrier_rejected"),
        (9, "undelivered"),
        (0, "intermediate"),
        (200, "unknown"),
    ],
)
async def test_what_each_state_means(state: int, said: str) -> None:
    async with asked({"message_id": "n", "message_state": state, "error_code": 7}) as (ours, question):
        ((part, read, words),) = (await answer(ours, question)).states
        assert (part, read) == (0, said)
        assert words.endswith(" 007")


async def test_a_refusal_says_nothing_of_it() -> None:
    async with pair(query_sm=True) as (ours, _):
        told = await answer(ours, Question(("m", 0), SOURCE, [(0, "nobody's"), (1, "x" * 70)]))
        assert told.states == []
        assert sorted(step[1] for step in told.steps) == [QUERY, QUERY_RESPONSE, UNSENT]


async def test_a_carrier_that_throttles_questions_is_slowed_and_asked_again() -> None:
    async with asked({"message_id": "n", "message_state": 2}, [NUMBERS["ESME_RTHROTTLED"]]) as (ours, question):
        ours.carrier.ask([question])
        await ours.until(lambda: ours.carrier.status().throttled)
        assert ours.carrier.room() == 0
        (told,) = await ours.heard(Queried)
        assert [state for _, state, _ in told.states] == ["delivered"]


async def test_no_answer_in_time() -> None:
    async with asked(answers=False, response_timeout=0.1) as (ours, question):
        told = await answer(ours, question)
        assert (told.states, told.is_lost, told.steps[-1][1]) == ([], False, NO_ANSWER)


async def test_a_connection_that_is_lost_says_so() -> None:
    async with asked(answers=False) as (ours, question):
        ours.carrier.ask([question])
        await ours.until(lambda: ours.carrier.status().binds[0].in_flight == 1)
        await ours.carrier.close()
        (told,) = await ours.heard(Queried)
        assert (told.is_lost, told.steps[-1][1]) == (True, LOST)


async def test_without_a_bind_it_comes_back_at_once() -> None:
    async with centre() as (_, port):
        ours = Ours(port, query_sm=True)
        told = await answer(ours, Question(("m", 0), SOURCE, [(0, "a")]))
        assert (told.is_lost, told.steps[-1][1]) == (True, UNSENT)


async def test_questions_keep_to_the_window() -> None:
    async with asked(answers=False, window=2) as (ours, question):
        ours.carrier.ask([Question((f"m{n}", 0), SOURCE, question.names) for n in range(5)])
        await ours.until(lambda: ours.carrier.status().binds[0].in_flight == 2)
        await asyncio.sleep(0.05)
        assert ours.carrier.status().binds[0].in_flight == 2
        assert ours.carrier.room() == 0


@asynccontextmanager
async def asked(
    fields: dict[str, Any] | None = None, first: Sequence[int] = (), answers: bool = True, **config: Any
) -> AsyncIterator[tuple[Ours, Question]]:
    """A message centre that answers query_sm so, after `first`, or not at all; and a question to it about a message."""
    refusals = list(first)

    def hear(driver: Driver, pdu: PDU) -> None:
        if pdu.name != "query_sm":
            bind(driver, pdu)
        elif answers:
            driver.answer(pdu, refusals.pop(0) if refusals else 0, fields)

    async with centre() as (peer, port), Ours(port, query_sm=True, **config) as ours:
        bind, peer.on_bind = peer.on_bind, hear
        await ours.bound()
        yield ours, await accepted(ours)
