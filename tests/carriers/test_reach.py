"""How long nothing is sent to a carrier over HTTP: by why it is down, and not by why it was down before."""

import asyncio

from messagehub.carriers.backoff import Pauses, Trouble
from messagehub.carriers.carrier import Accepted, Refused
from messagehub.carriers.reach import Reach
from messagehub.web import Client
from tests.carriers.web_rig import Asked, Ours, Said, server

UNKNOWN_S = 0.8
"""How long a carrier that does not know us is left alone here."""

BRIEF: Pauses = {**dict.fromkeys(Trouble, (0.05,)), Trouble.CREDENTIALS: (UNKNOWN_S,)}
ENDLESS: Pauses = {**BRIEF, Trouble.CREDENTIALS: (300,)}
LEAST_S = UNKNOWN_S * 0.7
"""Pauses vary by a fifth."""


async def test_a_lost_connection_is_found_again_soon_though_the_carrier_did_not_know_us_before() -> None:
    async with server() as peer, Ours(peer.url, pauses=ENDLESS, window=2) as ours:
        has_refused = asyncio.Event()

        async def refuse_the_first(asked: Asked) -> Said:
            if asked.json["text"] == "first":
                return Said(401)
            await has_refused.wait()
            return Said(200, {"id": "n"})

        peer.on_request = refuse_the_first
        ours.send(words="second")
        ours.send(words="first")
        await ours.until(lambda: ours.carrier.status().status == "down")
        has_refused.set()
        await ours.heard(Accepted)
        assert ours.carrier.status().status == "bound"
        port = peer.port
        await peer.close()
        await ours.until(lambda: not peer.connections)

        def is_found_down() -> bool:
            ours.send()
            return ours.carrier.status().status == "down"

        await ours.until(is_found_down)
        await peer.open(port)
        async with asyncio.timeout(5):
            await ours.until(lambda: ours.carrier.status().status == "bound")


async def test_a_connection_that_comes_back_does_not_mend_that_the_carrier_does_not_know_us() -> None:
    async with server() as peer, Ours(peer.url, pauses=BRIEF, window=2) as ours:
        is_lost = asyncio.Event()

        async def refuse_late(_: Asked) -> Said:
            await is_lost.wait()
            return Said(401, {"words": "who are you"})

        peer.on_request = refuse_late
        ours.send()
        await ours.until(lambda: peer.asked)
        peer.stop_listening()
        ours.send()
        await ours.heard(Refused)
        is_lost.set()
        await ours.heard(Refused, 2)
        assert ours.carrier.status().last_error == "who are you"
        begun = asyncio.get_running_loop().time()
        await peer.open(peer.port)
        await ours.until(lambda: ours.carrier.status().status == "bound")
        assert asyncio.get_running_loop().time() - begun >= LEAST_S


async def test_a_carrier_that_does_not_know_us_is_not_asked_sooner_for_a_lost_connection() -> None:
    async with server() as peer:
        client, changed = Client(), asyncio.Event()
        reach = Reach(client, BRIEF, changed.set)
        try:
            begun = asyncio.get_running_loop().time()
            reach.lose("who are you")
            reach.lose("connection refused", peer.url)
            assert reach.why == "who are you"
            while reach.why:
                changed.clear()
                await changed.wait()
            assert asyncio.get_running_loop().time() - begun >= LEAST_S
        finally:
            await reach.close()
            await client.close()


async def test_an_answer_that_took_nothing_does_not_show_that_the_carrier_knows_us() -> None:
    async with server() as peer, Ours(peer.url, pauses=ENDLESS, window=2) as ours:
        has_refused = asyncio.Event()

        async def refuse_the_first(asked: Asked) -> Said:
            if asked.json["text"] == "first":
                return Said(401, {"words": "who are you"})
            await has_refused.wait()
            return Said(503)

        peer.on_request = refuse_the_first
        ours.send(words="second")
        ours.send(words="first")
        await ours.until(lambda: ours.carrier.status().status == "down")
        has_refused.set()
        await ours.heard(Refused, 2)
        assert ours.carrier.status().status == "down"
        assert ours.carrier.status().last_error == "who are you"
