"""Where HTTP cannot be served, the program says so and ends; it does not wait for callers that nobody hears."""

import asyncio
import socket
from typing import Any

import pytest

from messagehub.errors import HubError
from messagehub.front.edge import edge
from messagehub.settings import Settings

WITHIN_S = 10


async def never() -> None:
    raise AssertionError("it takes no requests")


@pytest.mark.parametrize("front", ["auto", "inline", "process"])
async def test_a_socket_that_cannot_be_served_ends_the_serving(front: Any) -> None:
    unheard: Any = object()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        async with edge(Settings(front=front), sock, 1) as opened, asyncio.timeout(WITHIN_S):
            with pytest.raises((ValueError, HubError), match=r"Stream Socket was expected|front ends as soon as"):
                await opened.serve(unheard, unheard, never)
