"""Whether the server lives, and whether it can work."""

import asyncio
import logging

from messagehub import shapes
from messagehub.api.endpoint import Call, Endpoint, Who
from messagehub.errors import Refusal, Unavailable

log = logging.getLogger(__name__)

PATIENCE_S = 2.0


async def alive(call: Call) -> shapes.Health:
    return shapes.Health("ok")


async def ready(call: Call) -> shapes.Health:
    """Ready is who can write to the store."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await call.services.node.check()
    except (Unavailable, TimeoutError) as error:
        log.warning("not ready: the store cannot be written: %s", str(error) or "it does not answer")
        raise Refusal("SERVICE_UNAVAILABLE", "the store cannot be written; the log says why") from error
    return shapes.Health("ok")


ENDPOINTS = [
    Endpoint(
        method="GET", path="/healthz", summary="The process lives", who=Who.ANYBODY, gives=shapes.Health,
        is_plain=True, handler=alive,
    ),
    Endpoint(
        method="GET", path="/readyz", summary="The store can be written", who=Who.ANYBODY, gives=shapes.Health,
        is_plain=True, handler=ready,
    ),
]  # fmt: skip
