"""A carrier that says that it is too much: all of it is slowed, nothing is lost, and nothing goes twice."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from messagehub import clock
from messagehub.carriers.carrier import Accepted, CarrierStatus, Refused
from messagehub.smpp import PDU, Driver, pack_tlvs
from messagehub.smpp.statuses import NUMBERS
from tests.carriers.rig import Centre, Ours, centre

LONG = "x" * 400  # three parts

Answer = Callable[[Driver, PDU], None]


def accept(driver: Driver, pdu: PDU) -> None:
    driver.answer(pdu, 0, {"message_id": "n"})


def refusing(name: str, *numbers: int, peer: Centre) -> Answer:
    """Refuses the submits of these numbers, from 0."""

    def answer(driver: Driver, pdu: PDU) -> None:
        if len(peer.submits) - 1 in numbers:
            driver.answer(pdu, NUMBERS[name])
        else:
            accept(driver, pdu)

    return answer


async def throttled(ours: Ours) -> CarrierStatus:
    await ours.until(lambda: ours.carrier.status().throttled)
    return ours.carrier.status()


@pytest.mark.parametrize("name", ["ESME_RTHROTTLED", "ESME_RMSGQFUL"])
async def test_the_whole_carrier_pauses_and_says_so(name: str) -> None:
    async with centre() as (peer, port), Ours(port, binds=2) as ours:
        peer.on_submit = refusing(name, 0, peer=peer)
        await ours.bound()
        assert ours.carrier.status().pace == 0
        begun = clock.now()
        key = ours.send()
        status = await throttled(ours)
        assert ours.carrier.room() == 0
        assert (status.status, status.throttled) == ("bound", 1)
        assert status.pace > 0
        assert 0.5 < (status.throttled_until - begun) / clock.SECOND < 15
        assert [(one.key, one.reason, one.partly) for one in await ours.heard(Refused)] == [(key, "throttled", False)]
        await ours.until(lambda: ours.carrier.room() == 1)
        assert ours.carrier.status().throttled_until == 0


async def test_what_waits_here_leaves_when_the_pause_is_over() -> None:
    async with centre() as (peer, port), Ours(port, window=1) as ours:
        peer.on_submit = refusing("ESME_RTHROTTLED", 0, peer=peer)
        await ours.bound()
        refused, kept = ours.send(), ours.send()
        (accepted,) = await ours.heard(Accepted)
        assert accepted.key == kept
        assert [one.key for one in ours.of(Refused)] == [refused]
        assert peer.submits[1][0] - peer.submits[0][0] > 0.95


async def test_the_parts_that_were_throttled_go_again_by_themselves() -> None:
    """What was taken does not go twice."""
    async with centre() as (peer, port), Ours(port, rate=1000) as ours:
        peer.on_submit = refusing("ESME_RTHROTTLED", 1, 2, peer=peer)
        await ours.bound()
        key = ours.send(words=LONG)
        (accepted,) = await ours.heard(Accepted)
        assert (accepted.key, accepted.parts) == (key, 3)
        assert ours.of(Refused) == []
        parts = [pdu.fields["short_message"][5] for _, _, pdu in peer.submits]
        assert Counter(parts) == {1: 1, 2: 2, 3: 2}
        assert ours.carrier.takes_long


async def test_a_long_message_need_not_wait_for_answers_where_only_the_pace_has_no_room_for_it() -> None:
    async with centre() as (peer, port), Ours(port, rate=20, window=7) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        assert (ours.carrier.room(), ours.carrier.takes_long) == (2, True)
        ours.send(words=LONG)
        assert not ours.carrier.takes_long  # its last part waits for the pace
        await ours.until(lambda: len(peer.submits) == 3)
        assert ours.carrier.takes_long


async def test_without_a_pace_a_long_message_waits_for_room() -> None:
    async with centre() as (peer, port), Ours(port, window=7) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        ours.send(words=LONG)
        await ours.until(lambda: len(peer.submits) == 3)
        assert (ours.carrier.room(), ours.carrier.takes_long) == (4, False)


async def test_with_a_warning_it_is_slowed_and_what_was_taken_is_taken() -> None:
    async with centre() as (peer, port), Ours(port, rate=100) as ours:
        peer.on_submit = lambda driver, pdu: driver.answer(
            pdu, 0, {"message_id": "n"}, pack_tlvs({"congestion_state": 95})
        )
        await ours.bound()
        ours.send()
        await ours.heard(Accepted)
        status = ours.carrier.status()
        assert 0 < status.pace < 100
        assert (status.throttled, status.throttled_until) == (0, 0)


async def test_a_carrier_that_is_full_is_left_alone() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        peer.on_submit = lambda driver, pdu: driver.answer(
            pdu, 0, {"message_id": "n"}, pack_tlvs({"congestion_state": 100})
        )
        await ours.bound()
        ours.send()
        await ours.heard(Accepted)
        assert ours.carrier.status().throttled_until > clock.now()
        assert ours.carrier.room() == 0


async def test_the_rest_of_a_message_is_not_sent_when_a_part_was_refused_and_others_wait_for_their_answers() -> None:
    async with centre() as (peer, port), Ours(port, window=2) as ours:

        def refuse_the_first(driver: Driver, pdu: PDU) -> None:
            if len(peer.submits) == 1:
                driver.answer(pdu, NUMBERS["ESME_RINVDSTADR"])

        peer.on_submit = refuse_the_first
        await ours.bound()
        ours.send(words=LONG)
        await ours.until(lambda: ours.carrier.status().binds[0].refused)
        assert ours.news == []
        _, driver, second = peer.submits[1]
        accept(driver, second)
        (refused,) = await ours.heard(Refused)
        assert (refused.partly, len(peer.submits)) == (True, 2)


@pytest.mark.parametrize("congestion", [0, 89, 101, 255])
async def test_a_carrier_that_has_room_is_not_slowed(congestion: int) -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        tlvs = pack_tlvs({"congestion_state": congestion})
        peer.on_submit = lambda driver, pdu: driver.answer(pdu, 0, {"message_id": "n"}, tlvs)
        await ours.bound()
        ours.send()
        await ours.heard(Accepted)
        assert ours.carrier.status().pace == 0


async def test_a_message_refused_for_good_stays_so_when_its_bind_is_lost() -> None:
    async with centre() as (peer, port), Ours(port) as ours:

        def refuse_one_and_leave(driver: Driver, pdu: PDU) -> None:
            if len(peer.submits) == 1:
                driver.answer(pdu, NUMBERS["ESME_RINVDSTADR"])
                asyncio.get_running_loop().call_later(0.05, driver.close)

        peer.on_submit = refuse_one_and_leave
        await ours.bound()
        key = ours.send(words=LONG)
        await ours.until(lambda: ours.news)
        assert [(type(one), one.key) for one in ours.of(Refused)] == [(Refused, key)]
        assert len(ours.news) == 1
