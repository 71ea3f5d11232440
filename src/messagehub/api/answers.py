"""From an ASGI request to an answer: who calls, which endpoint, what comes of it, in one envelope for all errors."""

import logging
import random
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from messagehub import clock, shapes
from messagehub.accounts.keys import Caller
from messagehub.api import bodies
from messagehub.api.endpoint import Call, Endpoint, Who, read_query
from messagehub.api.services import Services
from messagehub.errors import REASONS, Conflict, Refusal, Unavailable

log = logging.getLogger(__name__)

Header = tuple[bytes, bytes]

NOBODY = Caller("", "nobody")
RETRY_AFTER_S = b"1"
CORS: list[Header] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Request-Id, Retry-After"),
]
_JSON: list[Header] = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *CORS]
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_encode = msgspec.json.Encoder().encode


class Resource:
    """An ASGI callable for one path: the endpoints by their methods."""

    def __init__(self, services: Services, endpoints: Sequence[Endpoint]) -> None:
        self._services = services
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        self._allow = ", ".join([*self._endpoints, "OPTIONS"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        try:
            if scope["method"] == "OPTIONS":
                await respond(send, 200, b"{}", request_id, self._preflight())
                return
            answer = await self._answer(scope, headers, receive)
        except bodies.Disconnected:
            return
        except Exception as error:
            await refuse(send, error, request_id, self._allow)
            return
        await respond(send, 200, _encode(answer), request_id)

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Any:
        # The server leaves the body of an answer to HEAD out.
        endpoint = self._endpoints.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if endpoint is None:
            raise Refusal("METHOD_NOT_ALLOWED", f"{scope['method']}: this path answers to {self._allow}")
        now = clock.now()
        caller = await self._caller(endpoint, headers, scope["query_string"], now)
        call = Call(self._services, caller, scope.get("path_params", {}), scope["query_string"], now)
        if endpoint.takes:
            body = await bodies.read(receive, headers, self._services.body_timeout)
            call.body = bodies.decode(body, endpoint.takes)
        return await endpoint.handler(call)

    async def _caller(self, endpoint: Endpoint, headers: dict[bytes, bytes], query: bytes, now: int) -> Caller:
        if endpoint.who is Who.ANYBODY:
            return NOBODY
        key = credential(headers, query)
        if not key:
            raise Refusal("AUTHENTICATION_REQUIRED", "send an access key: Authorization: Bearer …, or ?accesskey=…")
        caller = await self._services.keys.caller(key, now)
        if caller is None:
            raise Refusal("INVALID_CREDENTIALS", "the access key is unknown, expired or revoked")
        if endpoint.who is Who.OPERATOR and not caller.is_operator:
            raise Refusal("PERMISSION_DENIED", f"{endpoint.method} {endpoint.path} is the operator's")
        return caller

    def _preflight(self) -> list[Header]:
        return [
            (b"access-control-allow-methods", self._allow.encode()),
            (b"access-control-allow-headers", b"Authorization, Content-Type, X-Request-Id"),
            (b"access-control-max-age", b"86400"),
        ]


def credential(headers: dict[bytes, bytes], query_string: bytes) -> str:
    """The access key of a request; empty where there is none. `token` and `accesskey` mean the same."""
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
    send: Send, status: int, body: bytes, request_id: bytes, more: Sequence[Header] = (), head: Sequence[Header] = _JSON
) -> None:
    headers = [*head, (b"x-request-id", request_id), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, error: Exception, request_id: bytes, allow: str = "") -> None:
    """Any failure as the envelope of errors."""
    refusal = _refusal(error, request_id)
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
        408: [(b"connection", b"close")],
        413: [(b"connection", b"close")],
        429: [(b"retry-after", RETRY_AFTER_S)],
        503: [(b"retry-after", RETRY_AFTER_S)],
    }
    await respond(send, reason.http, _encode(shapes.Error(body)), request_id, more.get(reason.http, []))


def _refusal(error: Exception, request_id: bytes) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Unavailable):
        log.warning("%s: the store is unavailable: %s", request_id.decode(), error)
        return Refusal("SERVICE_UNAVAILABLE", "the store cannot be reached or written just now; nothing was accepted")
    if isinstance(error, Conflict):
        return Refusal("ALREADY_EXISTS", "somebody made the same thing at the same moment; read it and try again")
    log.error("%s: a request failed", request_id.decode(), exc_info=error)
    return Refusal("INTERNAL", "the program failed; the request id leads to the log")
