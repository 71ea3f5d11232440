"""From an ASGI request to an answer: who calls, which endpoint, and what comes of it."""

from collections.abc import Sequence

import msgspec
from starlette.types import Receive, Scope, Send

from messagehub import clock
from messagehub.accounts.callers import Caller
from messagehub.api import bodies
from messagehub.api.callers import bearer, caller_address
from messagehub.api.cycle import lines
from messagehub.api.endpoint import Call, Endpoint, File, Text, Who, read_query
from messagehub.api.limits import Limit, Limits
from messagehub.api.replies import JSON, NONE, READS, UNKEPT, preflight, refuse, request_id_of, respond, wrong_method
from messagehub.api.representation import represent
from messagehub.api.services import Services
from messagehub.api.uploading import Pieces
from messagehub.api.watching import CALLER
from messagehub.errors import Refusal
from messagehub.logs import within
from messagehub.store import FOR_CALLER

ANYBODY, OPERATOR = Who.ANYBODY, Who.OPERATOR  # members of an enumeration are found slowly
NOBODY = Caller("", "nobody")
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
        FOR_CALLER.set(True)
        method = scope["method"]
        if method == "OPTIONS":
            await preflight(send, request_id, self._allow)
            return
        status, more, constant = 200, NONE, JSON
        try:
            endpoint = self._endpoints.get(method)
            if endpoint is None:
                raise wrong_method(method, self._allow)
            call = await self._call(endpoint, scope, headers, receive)
            answer = await endpoint.handler(call)
            if type(answer) is Text:
                body, more = answer.body, answer.more
                constant = lines([(b"content-type", answer.kind)]) + UNKEPT
            else:
                body = _encode(answer)
            if not endpoint.is_plain:
                status, body, form = await represent(body, headers, method in READS)
                more = [*more, *form]
        except bodies.Disconnected:
            return
        except Exception as error:
            await refuse(send, error, request_id, self._allow)
            return
        await respond(send, status, body, request_id, more, constant)

    async def _call(self, endpoint: Endpoint, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Call:
        """The request of somebody who may make it, with its body."""
        now = clock.now()
        if self._address_limits and (limit := self._address_limits.get(endpoint.method)):
            limit.check(caller_address(scope, headers), now)
        caller = await self._caller(endpoint, headers, scope["query_string"], now)
        scope[CALLER] = caller.customer_id
        if self._customer_limit and caller is not NOBODY:
            self._customer_limit.check(caller.customer_id, now)
        call = Call(self._services, caller, scope, headers, now)
        if endpoint.takes is File:
            call.body = Pieces(scope, receive, headers, self._services.body_timeout)
        elif endpoint.takes:
            call.octets = await bodies.read(scope, receive, headers, self._services.body_timeout, endpoint.takes)
            call.body = bodies.decode(call.octets, endpoint.takes)
        return call

    async def _caller(self, endpoint: Endpoint, headers: dict[bytes, bytes], query: bytes, now: int) -> Caller:
        if endpoint.who is ANYBODY:
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
        if endpoint.who is OPERATOR and not caller.is_operator:
            raise Refusal("PERMISSION_DENIED", f"{endpoint.method} {endpoint.path} is the operator's")
        return caller


def _address_limits(limits: Limits, endpoints: Sequence[Endpoint]) -> dict[str, Limit]:
    """By method. Whoever looks whether the server lives is not counted."""
    of = {
        endpoint.method: limits.logins if endpoint.logs_in else limits.address
        for endpoint in endpoints
        if endpoint.logs_in or endpoint.who is not ANYBODY
    }
    return {method: limit for method, limit in of.items() if limit}


def credential(headers: dict[bytes, bytes], query_string: bytes) -> str:
    """The access key or token of a request; empty where there is none. `token` and `accesskey` mean the same."""
    if shown := bearer(headers):
        return shown
    if not query_string:
        return ""
    query = read_query(query_string)
    return query.get("token") or query.get("accesskey") or ""
