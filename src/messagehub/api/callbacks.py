"""What carriers ask of us over HTTP. They have no key of ours: each shows by its own means that it is itself.

The carrier's own id is in the path. What it tells is answered when it is on disk, so what is not answered comes again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from starlette.types import Receive, Scope, Send

from messagehub import ids
from messagehub.api.callers import Peer, caller_address
from messagehub.api.cycle import BODY, lines
from messagehub.api.heads import said_length
from messagehub.api.replies import refuse, request_id_of, respond
from messagehub.api.services import Services
from messagehub.carriers.answers import pairs_of
from messagehub.carriers.book import CALLBACKS
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Carrier
from messagehub.errors import Refusal
from messagehub.logs import within

MOST_AT_ONCE, MOST_AT_ONCE_OF_ONE = 500, 300
MOST_OCTETS, MOST_OCTETS_OF_ONE = 64 << 20, 40 << 20
"""Of all bodies that are here at the same time, and of those to one carrier: nobody has to be believed before his body
is here, so what is sent to one address must not shut the others."""

MOST_PARAMETERS = 100
NO_STORE = lines([(b"cache-control", b"no-store")])
ANYWHERE = (CALLBACKS + "{id}", CALLBACKS + "{id}/{rest:path}")
"""The paths, as the router writes them."""


Taking = Callable[[int], None]


class Share:
    """Counts what is in use, of all and by each; `most` of all, and `of_one`."""

    def __init__(self, most: int, of_one: int) -> None:
        self._most, self._of_one = most, of_one
        self._used: Counter[str] = Counter()
        self._total = 0

    @contextmanager
    def of(self, name: str) -> Iterator[Taking]:
        """What takes more, until the end of the block. It raises Refusal where there is no more."""
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if self._total + count > self._most or self._used[name] + count > self._of_one:
                raise _busy()
            self._add(name, count)
            taken += count

        try:
            yield take
        finally:
            self._add(name, -taken)

    def _add(self, name: str, count: int) -> None:
        self._total += count
        self._used[name] += count
        if not self._used[name]:
            del self._used[name]


class Callbacks:
    """An ASGI callable for the requests of all carriers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._under_way, self._octets = Share(MOST_AT_ONCE, MOST_AT_ONCE_OF_ONE), Share(MOST_OCTETS, MOST_OCTETS_OF_ONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        request_id = request_id_of(dict(scope["headers"]))
        within({"request_id": request_id})
        carrier_id = scope["path_params"]["id"].lower()
        try:
            carrier = await self._carrier(carrier_id)
            with self._under_way.of(carrier_id) as count, self._octets.of(carrier_id) as take:
                count(1)
                reply = await self._answer(scope, receive, headers, carrier, take)
        except _Gone:
            return
        except Exception as error:
            await refuse(send, error, request_id)
            return
        more = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in reply.headers.items()]
        await respond(send, reply.status, reply.body, request_id, more, NO_STORE)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], carrier: Carrier, take: Taking
    ) -> Reply:
        most = announced(headers, carrier.callback_max)
        callback = Callback(
            method=scope["method"],
            path=scope["path_params"].get("rest", ""),
            query=_query(scope["query_string"]),
            headers=headers,
            body=await _body(scope, receive, most, self._services.body_timeout, take),
            url=self._url(scope, headers),
            origin=caller_address(scope, dict(scope["headers"])),
        )
        return await carrier.called(callback)

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
        """What the carrier asked for: as we told it, or as proxies that are trusted say."""
        peer: Peer = scope["state"]["peer"]
        origin = origin_of(self._services.published.public_url, headers if peer.proxies else {})
        query = scope["query_string"].decode("latin-1")
        return f"{origin}{quote(scope['path'], safe=SAFE)}{query and '?'}{query}"


def _query(octets: bytes) -> dict[str, str]:
    """The first value of each parameter, in whatever charset."""
    try:
        return dict(reversed(pairs_of(octets, most=MOST_PARAMETERS)))
    except ValueError:
        raise Refusal("INVALID_REQUEST_PARAMETER", f"more than {MOST_PARAMETERS} parameters") from None


def origin_of(public_url: str, headers: Mapping[str, str]) -> str:
    """What stands before the path. A path of `public_url` is taken off by the proxy that it leads to."""
    if not (host := _first(headers.get("x-forwarded-host", ""))):
        return public_url
    ours = urlsplit(public_url)
    return f"{_first(headers.get('x-forwarded-proto', ours.scheme))}://{host}{ours.path}"


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


def announced(headers: Mapping[str, str], most: int) -> int:
    """How large the body may be, which is what it says of itself. Refusal where that is too large."""
    length = headers.get("content-length", "")
    if not length:
        return most if "transfer-encoding" in headers else 0
    if (size := said_length(length.encode())) is None or size > most:
        raise _too_large(most)
    return size


def _too_large(most: int) -> Refusal:
    return Refusal("BODY_TOO_LARGE", f"the body is larger than {most} octets")


async def _body(scope: Scope, receive: Receive, most: int, timeout: float, take: Taking) -> bytes:
    whole: bytes | None = scope.get(BODY)
    if whole is not None:
        take(len(whole))
        if len(whole) > most:
            raise _too_large(most)
        return whole
    try:
        async with asyncio.timeout(timeout):
            return await _pieces(receive, most, take)
    except TimeoutError:
        raise Refusal("REQUEST_TIMEOUT", f"the body did not arrive within {timeout:g} s") from None


async def _pieces(receive: Receive, most: int, take: Taking) -> bytes:
    pieces, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > most:
            raise _too_large(most)
        take(len(piece))
        pieces.append(piece)
    return b"".join(pieces)
