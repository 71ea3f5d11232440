"""The SMPP carrier against a message centre: what becomes of handovers, its window, its rate, and its losses."""

import asyncio

import pytest

from messagehub.carriers.carrier import Accepted, Inbound, Lost, Receipt, Refused, Unanswered, Verdict
from messagehub.smpp import PDU, Driver
from messagehub.smpp.statuses import NUMBERS
from tests.carriers.news import all_bare
from tests.carriers.rig import (
    ANSWERED_LATE,
    NEVER_ANSWERED,
    NO_SUCH_NUMBER,
    SOMEBODY,
    SOURCE,
    Ours,
    centre,
    pair,
)

LONG = "x" * 400  # three parts
THROTTLED, UNWELL = NUMBERS["ESME_RTHROTTLED"], NUMBERS["ESME_RSYSERR"]


# --- outcomes


async def test_what_is_accepted_has_names_by_which_its_receipts_come() -> None:
    async with pair() as (ours, smsc):
        key = ours.send(words=LONG)
        (accepted,) = await ours.heard(Accepted)
        assert (accepted.key, accepted.late) == (key, False)
        found = await ours.heard(Receipt, 3)
        assert sorted(receipt.name for receipt in found) == sorted(accepted.names)
        assert {(receipt.state, receipt.destination) for receipt in found} == {("delivered", SOMEBODY)}
        await ours.until(lambda: smsc.record.counts.receipts_acknowledged == 3)
        assert len(set(accepted.names)) == 3
        assert ours.carrier.status().binds[0].sent == 3


REFUSALS = [("0003", "invalid_number", "ESME_RINVDSTADR"), ("0004", "throttled", "ESME_RTHROTTLED")]


@pytest.mark.parametrize(("suffix", "reason", "words"), REFUSALS)
async def test_what_is_refused_is_told_once_with_its_reason(suffix: str, reason: str, words: str) -> None:
    async with pair() as (ours, _):
        key = ours.send(f"+44207946{suffix}", LONG)
        await ours.heard(Refused)
        await ours.until(lambda: ours.carrier.status().binds[0].in_flight == 0)
        (refused,) = ours.of(Refused)
        assert (refused.key, refused.reason) == (key, reason)
        assert words in refused.words
        assert ours.carrier.status().binds[0].refused == 3


async def test_a_source_that_does_not_fit_is_refused_and_the_others_go() -> None:
    async with pair() as (ours, _):
        bad, good = ours.send(source="+" + "1" * 30), ours.send()
        (accepted,) = await ours.heard(Accepted)
        (refused,) = ours.of(Refused)
        assert (refused.key, refused.reason, accepted.key) == (bad, "invalid_source", good)


async def test_what_is_not_answered_in_time_and_what_is_answered_late() -> None:
    async with centre() as (peer, port), Ours(port, response_timeout=0.1) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        key = ours.send(words=LONG)
        assert all_bare(await ours.heard(Unanswered)) == [Unanswered(key)]
        assert ours.carrier.status().binds[0].last_error == "no answer to a submit_sm"
        for n, (_, driver, pdu) in enumerate(peer.submits):
            driver.answer(pdu, 0, {"message_id": f"n{n}"})
        assert all_bare(await ours.heard(Accepted)) == [Accepted(key, ["n0", "n1", "n2"], late=True)]
        assert all_bare(ours.news) == [Unanswered(key), *all_bare(ours.of(Accepted))]


VERDICTS = [
    (Verdict.TAKEN, 0x00),
    (Verdict.REFUSED, 0x66),
    (Verdict.BROKEN, 0x65),
    (Verdict.LATER, 0x64),
]


@pytest.mark.parametrize(("verdict", "command_status"), VERDICTS)
async def test_what_a_handset_writes_is_answered_as_told(verdict: Verdict, command_status: int) -> None:
    async with pair() as (ours, smsc):
        ours.verdict = verdict
        writing = asyncio.create_task(smsc.write(SOMEBODY, SOURCE, LONG))
        found = (await ours.heard(Inbound, 3))[:3]
        assert await writing == [command_status] * 3
        assert "".join(part.text for part in found) == LONG
        assert {(part.source, part.destination, part.octets) for part in found} == {(SOMEBODY, SOURCE, None)}
        assert [part.concatenation and part.concatenation.sequence for part in found] == [1, 2, 3]


# --- the window


async def test_no_more_is_on_its_way_than_the_window_allows() -> None:
    async with centre() as (peer, port), Ours(port, window=3) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        assert ours.carrier.room() == 3
        ours.send()
        assert ours.carrier.room() == 2
        ours.send(words=LONG)
        assert ours.carrier.room() <= 0
        await ours.until(lambda: len(peer.submits) == 3)
        await asyncio.sleep(0.03)
        assert len(peer.submits) == 3
        assert ours.carrier.status().binds[0].in_flight == 3
        _, driver, pdu = peer.submits[0]
        driver.answer(pdu, 0, {"message_id": "n"})
        await ours.until(lambda: len(peer.submits) == 4)
        assert [accepted.names for accepted in ours.of(Accepted)] == [["n"]]


# --- the rate


async def test_the_rate_is_kept_over_all_binds() -> None:
    async with centre() as (peer, port), Ours(port, rate=100, binds=2, window=25) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        assert ours.carrier.room() <= 11
        for _ in range(50):
            ours.send()
        await ours.until(lambda: len(peer.submits) == 50)
        times = [at for at, _, _ in peer.submits]
        assert 0.35 < times[-1] - times[0] < 90
        assert all(later - now > 0.15 for now, later in zip(times, times[30:], strict=False))
        assert len({driver for _, driver, _ in peer.submits}) == 2


# --- losses


async def test_what_was_on_its_way_is_lost_and_what_was_not_is_given_back() -> None:
    async with pair(window=2) as (ours, smsc):
        keys = [ours.send(NEVER_ANSWERED) for _ in range(4)]
        await ours.until(lambda: smsc.record.counts.ignored == 2)
        for driver in list(smsc.drivers):
            driver.close()
        assert all_bare(await ours.heard(Lost, 2)) == [Lost(key) for key in keys[:2]]
        assert all_bare(await ours.heard(Refused, 2)) == [Refused(key, "not_ready") for key in keys[2:]]
        await ours.bound()
        again = ours.send()
        assert [accepted.key for accepted in await ours.heard(Accepted)] == [again]
        assert len(ours.of(Lost)) + len(ours.of(Refused)) == 4


async def test_with_another_bind_what_was_not_on_its_way_goes_there() -> None:
    async with centre() as (peer, port), Ours(port, window=2, binds=2) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        for _ in range(5):
            ours.send()
        await ours.until(lambda: len(peer.submits) == 4)
        peer.drivers[0].close()
        await ours.heard(Lost, 2)
        for _, driver, pdu in peer.submits[:]:
            if driver is peer.drivers[1]:
                driver.answer(pdu, 0, {"message_id": "n"})
        await ours.until(lambda: len(peer.submits) == 5)
        assert peer.submits[-1][1] is peer.drivers[1]
        assert len(await ours.heard(Accepted, 2)) == 2
        assert ours.of(Refused) == []


async def test_a_message_all_of_whose_parts_are_called_the_same_has_one_name_for_all() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        peer.on_submit = lambda driver, pdu: driver.answer(pdu, 0, {"message_id": "n"})
        await ours.bound()
        key = ours.send(words=LONG)
        assert all_bare(await ours.heard(Accepted)) == [Accepted(key, ["n"], parts=len(peer.submits))]


async def test_a_message_some_of_whose_parts_were_accepted_is_in_doubt_when_the_bind_is_lost() -> None:
    """To send it anew gives its first part to the carrier twice, so it is not as if nothing had happened."""
    async with centre() as (peer, port), Ours(port, rate=1) as ours:

        def accept_and_leave(driver: Driver, pdu: PDU) -> None:
            driver.answer(pdu, 0, {"message_id": "n"})
            driver.close()

        peer.on_submit = accept_and_leave
        await ours.bound()
        key = ours.send(words=LONG)
        await ours.until(lambda: ours.news)
        assert all_bare(ours.news) == [Lost(key)]


@pytest.mark.parametrize("refused", [0, 1, 2])
async def test_a_message_one_of_whose_parts_was_refused_says_that_others_were_not(refused: int) -> None:
    """In whatever order the answers come: the parts are on their way together."""
    async with centre() as (peer, port), Ours(port) as ours:

        def answer(driver: Driver, pdu: PDU) -> None:
            status = UNWELL if len(peer.submits) - 1 == refused else 0
            driver.answer(pdu, status, {"message_id": "n"} if status == 0 else None)

        peer.on_submit = answer
        await ours.bound()
        key = ours.send(words=LONG)
        (found,) = await ours.heard(Refused)
        assert (found.key, found.reason, found.partly) == (key, "unwell", True)


async def test_a_message_that_was_refused_as_a_whole_says_so() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        peer.on_submit = lambda driver, pdu: driver.answer(pdu, THROTTLED)
        await ours.bound()
        ours.send()
        (found,) = await ours.heard(Refused)
        assert (found.reason, found.partly) == ("throttled", False)


async def test_without_a_bind_nothing_is_kept() -> None:
    async with pair() as (ours, smsc):
        for driver in list(smsc.drivers):
            driver.close()
        await ours.until(lambda: ours.carrier.room() == 0)
        key = ours.send()
        await ours.until(lambda: ours.news)
        assert all_bare(ours.news) == [Refused(key, "not_ready")]


# --- the end


async def test_a_drain_waits_for_the_answers_and_no_longer() -> None:
    async with pair() as (ours, _):
        key = ours.send(ANSWERED_LATE)
        await ours.carrier.drain(5)
        ours.take()
        assert [accepted.key for accepted in ours.of(Accepted)] == [key]
        refused = ours.send(NO_SUCH_NUMBER)
        await ours.carrier.drain(5)
        ours.take()
        assert [one.key for one in ours.of(Refused)] == [refused]
        never = ours.send(NEVER_ANSWERED)
        begun = asyncio.get_running_loop().time()
        await ours.carrier.drain(0.05)
        assert 0.04 < asyncio.get_running_loop().time() - begun < 10
        await ours.carrier.close()
        ours.take()
        assert all_bare(ours.of(Lost)) == [Lost(never)]
