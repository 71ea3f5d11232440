"""Requests to the outside that wait while there is no front."""

import asyncio

import pytest

from messagehub.front import calls
from messagehub.front.calls import Calls
from messagehub.front.frames import Called, FromFront
from messagehub.link import Link


async def test_a_front_that_lives_is_not_given_up_for_the_time_when_two_starts_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "PATIENCE_S", 0.02)
    asked = Calls()
    asked.pause()
    asked.pause()
    asked.begin(Link(FromFront, lambda frames: None, lambda: None, yields=True))
    await asyncio.sleep(0.05)
    request = asyncio.create_task(asked.request("POST", "http://a.test/", {}, b"{}"))
    await asyncio.sleep(0)
    asked.take(Called(0, 204, "", "", ""))
    assert (await request).status == 204
    await asked.close()
