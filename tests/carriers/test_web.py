"""The carrier that speaks HTTP against a server: what becomes of handovers, its window, its rate, and its losses."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from messagehub.carriers.book import Means
from messagehub.carriers.carrier import Accepted, Lost, Refused, Unanswered
from messagehub.carriers.wire import ANSWER, LOST, NO_ANSWER, PAUSED, REQUEST, UNSENT
from messagehub.clock import now
from messagehub.work.node import Lease
from tests.carriers.news import all_bare, bare
from tests.carriers.web_rig import SOMEBODY, SOURCE, Asked, Hangup, Ours, Said, Server, pair, server

LONG = "x" * 400  # three parts


def unknown_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


# --- outcomes


async def test_what_is_taken_has_the_name_by_which_its_receipts_come() -> None:
    async with pair() as (ours, peer):
        key = ours.send(words=LONG, retry=2)
        (accepted,) = await ours.heard(Accepted)
        assert bare(accepted) == Accepted(key, ["n1"], retry=2)
        (asked,) = peer.asked
        assert asked.json == {"from": SOURCE, "to": SOMEBODY, "text": LONG, "ref": f"{key[0]}-0"}
        assert [step[1] for step in accepted.steps] == [REQUEST, ANSWER]
        bind = ours.carrier.status().binds[0]
        assert (bind.sent, bind.accepted, bind.in_flight, bind.state) == (1, 1, 0, "bound")
        assert not ours.carrier.holds(key)


REFUSALS = [
    (Said(400, {"code": "21", "words": "no"}), "rejected", "no"),
    (Said(429, b"", (("retry-after", "1"),)), "throttled", "429"),
    (Said(503, b"down"), "unwell", "503 down"),
    (Said(200, {"code": "0"}), "unreadable", "there is nothing at id"),
    (Said(200, b"<html>"), "unreadable", "there is nothing at id"),
    (Said(403, {}), "refused_here", "403"),
]


@pytest.mark.parametrize(("said", "reason", "words"), REFUSALS, ids=lambda one: getattr(one, "status", None))
async def test_what_is_refused_is_told_once_with_its_reason(said: Said, reason: str, words: str) -> None:
    async with pair() as (ours, peer):
        peer.answer(said)
        key = ours.send()
        (refused,) = await ours.heard(Refused)
        assert (refused.key, refused.reason) == (key, reason)
        assert words in refused.words
        assert ours.carrier.status().binds[0].refused == 1


@pytest.mark.parametrize(
    ("status", "is_doubtful"), [(200, True), (502, True), (504, True), (429, False), (500, False), (503, False)]
)
async def test_what_the_carrier_may_have_taken_though_it_does_not_say_so_is_known(
    status: int, is_doubtful: bool
) -> None:
    """So that who gets it once more is told that it may be a duplicate."""
    async with pair() as (ours, peer):
        peer.answer(Said(status, b"<html>"))
        ours.send()
        (refused,) = await ours.heard(Refused)
        assert refused.partly is is_doubtful


async def test_what_is_not_answered_in_time_and_what_is_answered_late() -> None:
    async with pair(response_timeout=0.1) as (ours, peer):
        go = asyncio.Event()

        async def slow(asked: Asked) -> Said:
            await go.wait()
            return Said(200, {"id": "late"})

        peer.on_request = slow
        key = ours.send()
        (unanswered,) = await ours.heard(Unanswered)
        assert bare(unanswered) == Unanswered(key)
        assert NO_ANSWER in [step[1] for step in unanswered.steps]
        assert ours.carrier.room() == 10  # its place in the window is free again
        go.set()
        assert all_bare(await ours.heard(Accepted)) == [Accepted(key, ["late"], late=True)]
        assert len(ours.news) == 2


async def test_a_carrier_that_hangs_up_before_it_answers_may_have_taken_it() -> None:
    async with pair() as (ours, peer):
        peer.answer(Hangup)
        key = ours.send()
        (lost,) = await ours.heard(Lost)
        assert bare(lost) == Lost(key)
        assert [step[1] for step in lost.steps] == [REQUEST, LOST]
        assert ours.carrier.status().status == "bound"


async def test_what_found_its_kept_connection_closed_in_the_middle_is_not_sent_again() -> None:
    async with pair() as (ours, peer):
        ours.send()
        await ours.heard(Accepted)
        peer.answer(Hangup, Said(200, {"id": "second"}))
        ours.send()
        await ours.heard(Lost)
        assert (len(peer.asked), peer.opened) == (2, 1)


async def test_what_waited_here_beyond_its_validity_does_not_leave() -> None:
    async with pair() as (ours, peer):
        key = ours.send(expire_at=now() - 1)
        assert all_bare(await ours.heard(Refused)) == [Refused(key, "too_late")]
        assert peer.asked == []


async def test_what_cannot_be_written_is_refused_before_it_leaves() -> None:
    async with pair(headers={"X-From": "{source}"}) as (ours, peer):
        ours.send(source="Müller")
        (refused,) = await ours.heard(Refused)
        assert (refused.reason, peer.asked) == ("unwritable", [])
        assert ours.carrier.status().status == "bound"


GET = {"method": "GET", "body": {}, "query": {"to": "{destination}", "text": "{text}"}}


async def test_a_long_text_goes_in_a_url() -> None:
    async with pair(**GET) as (ours, peer):
        text = "Ж" * 670  # ten parts, and six octets of a URL for each letter
        ours.send(words=text)
        await ours.heard(Accepted)
        assert parse_qs(urlsplit(peer.asked[0].target).query)["text"] == [text]


async def test_a_text_that_no_url_holds_is_too_long() -> None:
    async with pair(**GET) as (ours, peer):
        ours.send(words="Ж" * 3000)
        (refused,) = await ours.heard(Refused)
        assert (refused.reason, peer.asked) == ("too_long", [])
        assert refused.words.endswith("characters, where 16384 are the most")
        assert ours.carrier.status().status == "bound"


# --- the window and the rate


async def test_no_more_is_on_its_way_than_the_windows_allow() -> None:
    async with pair(window=2, binds=2) as (ours, peer):
        go = asyncio.Event()

        async def slow(asked: Asked) -> Said:
            await go.wait()
            return await peer.accept(asked)

        peer.on_request = slow
        assert ours.carrier.room() == 4
        for _ in range(6):
            ours.send()
        await ours.until(lambda: len(peer.asked) == 4)
        await asyncio.sleep(0.03)
        assert (len(peer.asked), ours.carrier.room()) == (4, 0)
        assert sum(bind.in_flight for bind in ours.carrier.status().binds) == 4
        go.set()
        await ours.heard(Accepted, 6)
        assert ours.carrier.takes_long


async def test_the_rate_is_kept_over_all_binds() -> None:
    async with pair(rate=100, window=25, binds=2) as (ours, peer):
        for _ in range(50):
            ours.send()
        await ours.heard(Accepted, 50)
        times = [asked.at for asked in peer.asked]
        assert 0.35 < times[-1] - times[0] < 30


async def test_a_carrier_that_throttles_is_left_alone_for_as_long_as_it_asks() -> None:
    async with pair() as (ours, peer):
        peer.answer(Said(429, b"", (("retry-after", "2"),)), Said(200, {"id": "n"}))
        ours.send()
        (refused,) = await ours.heard(Refused)
        assert [step[1] for step in refused.steps] == [REQUEST, ANSWER, PAUSED]
        assert ours.carrier.room() == 0
        status = ours.carrier.status()
        assert status.throttled == 1
        assert 0 < status.throttled_until - now() < 2_100_000


async def test_nothing_leaves_when_the_lease_is_over() -> None:
    async with server() as peer:
        lease = Lease()
        lease.until = 0.0
        async with Ours(peer.url, means=Means(lease=lease)) as ours:
            assert ours.carrier.room() == 0


# --- losses


async def test_a_carrier_that_cannot_be_reached_is_down_until_it_can() -> None:
    port = unknown_port()
    async with Ours(f"http://127.0.0.1:{port}/send") as ours:
        key = ours.send()
        (refused,) = await ours.heard(Refused)
        assert (refused.key, refused.reason) == (key, "unreachable")
        assert [step[1] for step in refused.steps] == [UNSENT]
        status = ours.carrier.status()
        assert (status.status, ours.carrier.room()) == ("down", 0)
        assert "127.0.0.1" in status.last_error
        again = ours.send()
        assert bare((await ours.heard(Refused, 2))[1]) == Refused(again, "not_ready")
        peer = Server()
        await peer.open(port)
        await ours.until(lambda: ours.carrier.status().status == "bound")
        third = ours.send()
        assert [accepted.key for accepted in await ours.heard(Accepted)] == [third]
        assert ours.carrier.status().last_error == ""
        await peer.close()


async def test_a_carrier_that_does_not_know_us_is_asked_again_after_a_pause() -> None:
    async with pair() as (ours, peer):
        peer.answer(Said(401, {"words": "who are you"}), Said(200, {"id": "n"}))
        ours.send()
        (refused,) = await ours.heard(Refused)
        assert refused.reason == "bad_credentials"
        assert ours.carrier.status().last_error == "who are you"
        await ours.until(lambda: ours.carrier.status().status == "bound")
        ours.send()
        await ours.heard(Accepted)


async def test_closing_tells_of_all_that_was_on_its_way() -> None:
    async with pair(window=2) as (ours, peer):

        async def never(asked: Asked) -> Said:
            await asyncio.Event().wait()
            return Said()

        peer.on_request = never
        keys = [ours.send() for _ in range(3)]
        await ours.until(lambda: len(peer.asked) == 2)
        await ours.carrier.drain(0.01)
        await ours.carrier.close()
        ours.take()
        assert all_bare(ours.of(Lost)) == [Lost(key) for key in keys[:2]]
        assert all_bare(ours.of(Refused)) == [Refused(keys[2], "not_ready")]
        assert ours.carrier.takes_long


async def test_a_bind_that_is_given_back_waits_for_its_answers() -> None:
    async with pair(binds=2, window=1) as (ours, peer):
        go = asyncio.Event()

        async def slow(asked: Asked) -> Said:
            await go.wait()
            return await peer.accept(asked)

        peer.on_request = slow
        keys = [ours.send(), ours.send()]
        await ours.until(lambda: len(peer.asked) == 2)
        parting = asyncio.create_task(ours.carrier.part(0, 5))
        await asyncio.sleep(0.01)
        assert not parting.done()
        go.set()
        await parting
        assert sorted(one.key for one in await ours.heard(Accepted, 2)) == sorted(keys)
        assert (len(ours.carrier.status().binds), ours.carrier.room()) == (1, 1)
        ours.carrier.hold({0, 1})
        assert ours.carrier.room() == 2


async def test_secrets_of_an_address_are_in_no_trace() -> None:
    async with server() as peer:
        url = peer.url + "/{secret}?key={secret}"
        async with Ours(url, secret="s3cret") as ours:
            ours.send()
            (accepted,) = await ours.heard(Accepted)
            assert "s3cret" not in repr(accepted.steps)
            assert peer.asked[0].target == "/send/s3cret?key=s3cret"
