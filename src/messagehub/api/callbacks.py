"""What carriers ask of us over HTTP. They have no key of ours: each shows by its own means that it is itself.

The carrier's own id is in the path. What it tells is answered when it is on disk, so what is not answered comes again.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from messagehub import ids
from messagehub.api.callers import Peer, caller_address
from messagehub.api.cycle import BODY, lines
from messagehub.api.endpoint import read_query
from messagehub.api.replies import refuse, request_id_of, respond
from messagehub.api.services import Services
from messagehub.carriers.book import CALLBACKS
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Carrier
from messagehub.errors import Refusal
from messagehub.logs import within

MOST_AT_ONCE = 500
MOST_OCTETS = 64 << 20
"""Of all bodies that are here at the same time; each is counted as large as it could be until it is known."""

NO_STORE = lines([(b"cache-control", b"no-store")])
ANYWHERE = (CALLBACKS + "{id}", CALLBACKS + "{id}/{rest:path}")
"""The paths, as the router writes them."""


class Callbacks:
    """An ASGI callable for the requests of all carriers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._under_way = self._octets = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        request_id = request_id_of(dict(scope["headers"]))
        within({"request_id": request_id})
        if self._under_way >= MOST_AT_ONCE:
            await refuse(send, _busy(), request_id)
            return
        self._under_way += 1
        try:
            reply = await self._answer(scope, receive, headers)
        except _Gone:
            return
        except Exception as error:
            await refuse(send, error, request_id)
            return
        finally:
            self._under_way -= 1
        more = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in reply.headers.items()]
        await respond(send, reply.status, reply.body, request_id, more, NO_STORE)

    async def _answer(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Reply:
        carrier = await self._carrier(scope["path_params"]["id"].lower())
        most = _size(headers, carrier.callback_max)
        if self._octets + most > MOST_OCTETS:
            raise _busy()
        self._octets += most
        try:
            body = await _body(scope, receive, most, self._services.body_timeout)
            callback = Callback(
                method=scope["method"],
                path=scope["path_params"].get("rest", ""),
                query=read_query(scope["query_string"]),
                headers=headers,
                body=body,
                url=self._url(scope, headers),
                origin=caller_address(scope, dict(scope["headers"])),
            )
            return await carrier.called(callback)
        finally:
            self._octets -= most

    async def _carrier(self, carrier_id: str) -> Carrier:
        """Refusal where there is none, or none that could take anything now."""
        if exchange := self._services.exchanges.get(carrier_id):
            if exchange.carrier.callback_max:
                return exchange.carrier
            raise Refusal("PATH_NOT_FOUND", "this carrier makes no requests")
        if not ids.is_id(carrier_id):
            raise Refusal("PATH_NOT_FOUND", f"there is no carrier {carrier_id[:64]}")
        row = await self._services.carriers.get(carrier_id)
        if row.disabled:
            raise Refusal("SERVICE_UNAVAILABLE", "this carrier is disabled")
        if self._services.role == "api":
            raise Refusal("SERVICE_UNAVAILABLE", "this process has no carriers; one of role `all` or `worker` has")
        raise Refusal("SERVICE_UNAVAILABLE", "this carrier is just being opened or closed")

    def _url(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """What the carrier asked for: proxies that are trusted say what stood there, and else it is as we told it."""
        peer: Peer = scope["state"]["peer"]
        origin = self._services.published.public_url
        if peer.proxies and (host := headers.get("x-forwarded-host", headers.get("host", ""))):
            scheme = headers.get("x-forwarded-proto", origin.partition(":")[0])
            origin = f"{_first(scheme)}://{_first(host)}"
        query = scope["query_string"].decode("latin-1")
        return f"{origin}{quote(scope['path'], safe=SAFE)}{query and '?'}{query}"


SAFE = "/:@!$&'()*+,;=~"
"""What stands in a path as it is, RFC 3986, 3.3."""


class _Gone(Exception):
    """The caller has gone before its request was whole."""


def _first(value: str) -> str:
    return value.partition(",")[0].strip()


def _busy() -> Refusal:
    return Refusal("SERVICE_UNAVAILABLE", "too much is told at the same time; tell it again")


def _headers(scope: Scope) -> dict[str, str]:
    """By lower-case names, the first of repeated ones."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def _size(headers: Mapping[str, str], most: int) -> int:
    """How large the body may be, which is what it says of itself. Refusal where that is too large."""
    length = headers.get("content-length", "")
    if not length:
        return most if "transfer-encoding" in headers else 0
    if not length.isdecimal() or int(length[:12]) > most:
        raise _too_large(most)
    return int(length)


def _too_large(most: int) -> Refusal:
    return Refusal("BODY_TOO_LARGE", f"the body is larger than {most} octets")


async def _body(scope: Scope, receive: Receive, most: int, timeout: float) -> bytes:
    whole: bytes | None = scope.get(BODY)
    if whole is not None:
        if len(whole) > most:
            raise _too_large(most)
        return whole
    try:
        async with asyncio.timeout(timeout):
            return await _pieces(receive, most)
    except TimeoutError:
        raise Refusal("REQUEST_TIMEOUT", f"the body did not arrive within {timeout:g} s") from None


async def _pieces(receive: Receive, most: int) -> bytes:
    pieces, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > most:
            raise _too_large(most)
        pieces.append(piece)
    return b"".join(pieces)
