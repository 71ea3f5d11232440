"""From an ASGI request to an answer: who calls, which endpoint, what comes of it, in one envelope for all errors."""

import logging
import random
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from messagehub import clock, shapes
from messagehub.accounts.callers import Caller
from messagehub.api import bodies
from messagehub.api.callers import caller_address
from messagehub.api.cycle import ANSWER, lines
from messagehub.api.endpoint import Call, Endpoint, Text, Who, read_query
from messagehub.api.limits import Limit, Limits
from messagehub.api.representation import Header, represent
from messagehub.api.services import Services
from messagehub.api.watching import CALLER
from messagehub.errors import REASONS, Conflict, Refusal, Unavailable
from messagehub.logs import within

log = logging.getLogger(__name__)

NOBODY = Caller("", "nobody")
RETRY_AFTER_S = b"1"
NONE: list[Header] = []
CORS: list[Header] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Request-Id, Retry-After, ETag"),
]
"""Any page may call: who calls is said by a key, and never by a cookie."""

_UNKEPT = lines([(b"cache-control", b"no-store"), *CORS])
"""Texts, numbers and secrets belong into no cache. A program that polls can keep the ETag itself."""

JSON = lines([(b"content-type", b"application/json")]) + _UNKEPT
ALLOWED_HEADERS = b"Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id"
READS = ("GET", "HEAD")
CLOSING = frozenset({408, 413})
"""Statuses after which the rest of a body may still come, so nothing else can."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_encode = msgspec.json.Encoder().encode


class Resource:
    """An ASGI callable for one path: the endpoints by their methods."""

    def __init__(self, services: Services, endpoints: Sequence[Endpoint]) -> None:
        self._services = services
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        if "GET" in self._endpoints:  # the server leaves the body of the answer out
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self._allow = ", ".join([*self._endpoints, "OPTIONS"])
        self._address_limits = _address_limits(services.limits, endpoints)
        self._customer_limit = services.limits.customer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        within({"request_id": request_id})
        method = scope["method"]
        if method == "OPTIONS":
            await preflight(send, request_id, self._allow)
            return
        status, more, constant = 200, list[Header](), JSON
        try:
            endpoint = self._endpoint(method)
            answer = await self._answer(endpoint, scope, headers, receive)
            if type(answer) is Text:
                body, constant = answer.body, lines([(b"content-type", answer.kind)]) + _UNKEPT
            else:
                body = _encode(answer)
            if not endpoint.is_plain:
                status, body, more = await represent(body, headers, method in READS)
        except bodies.Disconnected:
            return
        except Exception as error:
            await refuse(send, error, request_id, self._allow)
            return
        await respond(send, status, body, request_id, more, constant)

    def _endpoint(self, method: str) -> Endpoint:
        try:
            return self._endpoints[method]
        except KeyError:
            raise wrong_method(method, self._allow) from None

    async def _answer(self, endpoint: Endpoint, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Any:
        now = clock.now()
        if self._address_limits and (limit := self._address_limits.get(endpoint.method)):
            limit.check(caller_address(scope, headers), now)
        caller = await self._caller(endpoint, headers, scope["query_string"], now)
        scope[CALLER] = caller.customer_id
        if self._customer_limit and caller is not NOBODY:
            self._customer_limit.check(caller.customer_id, now)
        call = Call(self._services, caller, scope, headers, now)
        if endpoint.takes:
            body = await bodies.read(scope, receive, headers, self._services.body_timeout)
            call.body = bodies.decode(body, endpoint.takes)
        return await endpoint.handler(call)

    async def _caller(self, endpoint: Endpoint, headers: dict[bytes, bytes], query: bytes, now: int) -> Caller:
        if endpoint.who is Who.ANYBODY:
            return NOBODY
        shown = credential(headers, query)
        if not shown:
            raise Refusal(
                "AUTHENTICATION_REQUIRED",
                "send an access key or a token: Authorization: Bearer …, ?accesskey=… or ?token=…",
            )
        caller = await self._services.callers.caller(shown, now)
        if caller is None:
            raise Refusal("INVALID_CREDENTIALS", "the access key or token is unknown, expired or revoked")
        if endpoint.who is Who.OPERATOR and not caller.is_operator:
            raise Refusal("PERMISSION_DENIED", f"{endpoint.method} {endpoint.path} is the operator's")
        return caller


def _address_limits(limits: Limits, endpoints: Sequence[Endpoint]) -> dict[str, Limit]:
    """By method. Whoever looks whether the server lives is not counted."""
    of = {
        endpoint.method: limits.logins if endpoint.logs_in else limits.address
        for endpoint in endpoints
        if endpoint.logs_in or endpoint.who is not Who.ANYBODY
    }
    return {method: limit for method, limit in of.items() if limit}


def credential(headers: dict[bytes, bytes], query_string: bytes) -> str:
    """The access key or token of a request; empty where there is none. `token` and `accesskey` mean the same."""
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    if not query_string:
        return ""
    query = read_query(query_string)
    return query.get("token") or query.get("accesskey") or ""


def request_id_of(headers: dict[bytes, bytes]) -> bytes:
    given = headers.get(b"x-request-id", b"")
    return given if given and _REQUEST_ID.fullmatch(given) else b"req_%016x" % random.getrandbits(64)


# --- answering --------------------------------------------------------------------------


async def respond(
    send: Send, status: int, body: bytes, request_id: bytes, more: list[Header] = NONE, constant: bytes = JSON
) -> None:
    """`constant`: the lines of the head that are the same in many answers."""
    await send(
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
    status, body, more = envelope(_refusal(error), request_id, allow)
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


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Unavailable):
        log.warning("the store is unavailable: %s", error)
        return Refusal("SERVICE_UNAVAILABLE", "the store cannot be reached or written just now; nothing was accepted")
    if isinstance(error, Conflict):
        return Refusal("ALREADY_EXISTS", "somebody made the same thing at the same moment; read it and try again")
    log.error("a request failed", exc_info=error)
    return Refusal("INTERNAL", "the program failed; the request id leads to the log")
