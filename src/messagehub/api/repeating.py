"""Requests with an Idempotency-Key: the same again gets the same answer, and nothing is done twice."""

import re
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from messagehub.api.endpoint import Call, Text
from messagehub.api.heads import KEY
from messagehub.api.representation import Header
from messagehub.errors import Refusal
from messagehub.messages.accept import Accepted
from messagehub.messages.once import Asking, Keep
from messagehub.store import Insert

KIND = b"application/json"
REPLAYED: list[Header] = [(b"idempotent-replayed", b"true")]

_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
_encode = msgspec.json.Encoder().encode

T = TypeVar("T")
Also = Callable[[T], Sequence[Insert]]
"""What has to be written in the commit that does what was asked, once it is settled what comes of it."""


async def accept(
    call: Call, prepare: Callable[[], Awaitable[Accepted]], shape: Callable[[Accepted], Any]
) -> Text | Any:
    """Accepts what `prepare` makes of a request, once for each key, and answers with its `shape`."""
    acceptor = call.services.acceptor
    if KEY not in call.headers:
        accepted = await prepare()
        await acceptor.commit(accepted)
        return shape(accepted)

    async def do(also: Also[Accepted]) -> None:
        await acceptor.commit(await prepare(), also)

    return await once(call, do, shape)


async def once(call: Call, do: Callable[[Also[T]], Awaitable[object]], shape: Callable[[T], Any]) -> Text:
    """Does what is asked by a request with a key, and answers with the `shape` of what came of it."""

    async def keeping(keep: Keep) -> bytes:
        body = b""

        def also(done: T) -> Sequence[Insert]:
            nonlocal body
            body = _encode(shape(done))
            return [keep(body)]

        await do(also)
        return body

    answer = await call.services.once.answer(_asking(call), keeping)
    return Text(answer.body, KIND, REPLAYED if answer.is_replayed else [])


def _asking(call: Call) -> Asking:
    given = call.headers[KEY]
    if not _KEY.fullmatch(given):
        raise Refusal(
            "INVALID_IDEMPOTENCY_KEY", "Idempotency-Key: give 1 to 255 visible ASCII characters, such as a UUID"
        )
    fingerprint = blake2b(call.octets, digest_size=32, person=b"idempotency-key")
    fingerprint.update(b"\0" + call.place.encode())
    return Asking(call.customer_id, given.decode(), fingerprint.digest())
