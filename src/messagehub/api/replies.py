"""Answers of the API as octets: their heads, and the one envelope for all errors."""

import logging
import random
import re
from collections.abc import Awaitable

import msgspec
from starlette.types import Send

from messagehub import shapes
from messagehub.api.cycle import ANSWER, lines
from messagehub.api.representation import Header
from messagehub.errors import REASONS, Conflict, NoRoom, Refusal, Unavailable, Unsettled
from messagehub.logs import Seldom

log = logging.getLogger(__name__)

RETRY_AFTER_S = b"1"
TOLD_S = 10.0
"""How often there is a line for a store that is unavailable, to all whom it makes fail."""

NONE: list[Header] = []
CORS: list[Header] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Request-Id, Retry-After, ETag, Idempotent-Replayed"),
]
"""Any page may call: who calls is said by a key, and never by a cookie."""

UNKEPT = lines([(b"cache-control", b"no-store"), *CORS])
"""Texts, numbers and secrets belong into no cache. A program that polls can keep the ETag itself."""

JSON = lines([(b"content-type", b"application/json")]) + UNKEPT
ALLOWED_HEADERS = b"Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id"
READS = ("GET", "HEAD")
CLOSING = frozenset({408, 413})
"""Statuses after which the rest of a body may still come, so nothing else can."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_encode = msgspec.json.Encoder().encode
_told = Seldom(TOLD_S)


def request_id_of(headers: dict[bytes, bytes]) -> bytes:
    given = headers.get(b"x-request-id", b"")
    return given if given and _REQUEST_ID.fullmatch(given) else b"req_%016x" % random.getrandbits(64)


def respond(
    send: Send, status: int, body: bytes, request_id: bytes, more: list[Header] = NONE, constant: bytes = JSON
) -> Awaitable[None]:
    """`constant`: the lines of the head that are the same in many answers."""
    return send(
        {
            "type": ANSWER,
            "status": status,
            "lines": head(constant, request_id, more, body) if status != 304 else head(constant, request_id, more),
            "body": body,
            "request_id": request_id,
            "closes": status in CLOSING,
        }
    )


def head(constant: bytes, request_id: bytes, more: list[Header], body: bytes | None = None) -> bytes:
    """The lines of a head that say what is answered."""
    own = b"%bx-request-id: %b\r\n" % (constant, request_id)
    if body is not None:
        own = b"%bcontent-length: %d\r\n" % (own, len(body))
    return own + lines(more) if more else own


async def preflight(send: Send, request_id: bytes, allow: str) -> None:
    """What a browser asks before it lets a page of another origin call; it sends no key with that."""
    more = [
        (b"allow", allow.encode()),
        (b"access-control-allow-methods", allow.encode()),
        (b"access-control-allow-headers", ALLOWED_HEADERS),
        (b"access-control-max-age", b"86400"),
    ]
    await respond(send, 200, b"{}", request_id, more)


def wrong_method(method: str, allow: str) -> Refusal:
    return Refusal("METHOD_NOT_ALLOWED", f"{method}: this path answers to {allow}")


async def refuse(send: Send, error: Exception, request_id: bytes, allow: str = "") -> None:
    """Any failure as the envelope of errors."""
    status, body, more = envelope(refusal_of(error), request_id, allow)
    await respond(send, status, body, request_id, more)


def envelope(refusal: Refusal, request_id: bytes, allow: str = "") -> tuple[int, bytes, list[Header]]:
    """Status, body, and the headers that this status asks for."""
    reason = REASONS[refusal.reason]
    body = shapes.ErrorBody(
        status=reason.status,
        reason=refusal.reason,
        message=refusal.message,
        request_id=request_id.decode(),
        details=list(refusal.details),
    )
    more = {
        405: [(b"allow", allow.encode())],
        401: [(b"www-authenticate", b"Bearer")],
        429: [(b"retry-after", b"%d" % refusal.retry_after)],
        503: [(b"retry-after", RETRY_AFTER_S)],
    }
    return reason.http, _encode(shapes.Error(body)), more.get(reason.http, [])


def _what_became(error: Unavailable) -> str:
    if isinstance(error, Unsettled):
        return "whether this was done is not known: look before you send it again, or send an Idempotency-Key with it"
    return "nothing was accepted"


def refusal_of(error: Exception) -> Refusal:
    """What is said of any failure."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, NoRoom):
        if _told.due():
            log.warning("%s", error)
        return Refusal("SERVICE_UNAVAILABLE", "media cannot be written to their folder just now; nothing was accepted")
    if isinstance(error, Unavailable):
        if _told.due():
            log.warning("the store is unavailable: %s", error)
        return Refusal("SERVICE_UNAVAILABLE", f"the store cannot be reached or written just now; {_what_became(error)}")
    if isinstance(error, Conflict):
        return Refusal("ALREADY_EXISTS", "somebody made the same thing at the same moment; read it and try again")
    log.error("a request failed", exc_info=error)
    return Refusal("INTERNAL", "the program failed; the request id leads to the log")
