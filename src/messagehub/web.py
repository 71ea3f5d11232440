"""Our one outgoing HTTP client: HTTP/1.1, with limits on time and size, and no way into a private network.

An address that a customer gives us is not to be trusted. So the client resolves the name itself, checks every
address, and connects to an address that it has checked: between check and connect no name is asked again.

WebError
├── BadRequest        bad_request      a method or header that cannot be written safely
│   └── BadURL        bad_url          a URL that we do not accept
├── Forbidden         private_address  the URL leads to an address that is not public
├── Busy              busy             all connections to the origin stayed in use by others: not the origin's fault
├── TimedOut          timeout          the time was up before the whole answer had come
├── Unreachable       unreachable      no way there; or, where that is known, `dns`: the name has no address,
│   │                                  `refused`: nobody listens, `tls`: no TLS, or a certificate that does not hold
│   └── Dropped       dropped          closed before the whole answer had come; `unheard`: before any octet of it
├── BadAnswer         bad_answer       what came is not HTTP
└── Closed            closed           this client has been closed
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache, partial
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from math import inf
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec import Struct

Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Awaitable[Sequence[str]]]
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OUR_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"})
MAX_URL = 2048
ADDRESSES_TRIED = 4
SECONDS_A_NAME_IS_KNOWN = 5.0
LOOKUPS_AT_ONCE = 32
TARGETS_REMEMBERED = 4096
_system_trust = cache(ssl.create_default_context)  # reading all authorities takes longer than a hundred requests
CODES = {ssl.SSLError: "tls", ConnectionRefusedError: "refused"}
FRAMING = 8  # octets on the wire for an octet of body: the worst of chunks of one octet, and some room for extensions


class WebError(Exception):
    """A request has no answer. `code` is the word for it in records, and does not change."""

    code = "web_error"


class BadRequest(WebError):
    code = "bad_request"


class BadURL(BadRequest):
    code = "bad_url"


class Forbidden(WebError):
    code = "private_address"


class Busy(WebError):
    code = "busy"


class TimedOut(WebError):
    code = "timeout"


class Unreachable(WebError):
    def __init__(self, message: str, code: str = "unreachable") -> None:
        super().__init__(message)
        self.code = code


class Dropped(Unreachable):
    def __init__(self, message: str, *, unheard: bool) -> None:
        super().__init__(message, "dropped")
        self.unheard = unheard


class BadAnswer(WebError):
    code = "bad_answer"


class Closed(WebError):
    code = "closed"


# The registries of IANA for special purposes (RFC 6890). Written out here, because what `ipaddress` calls global
# differs between the patch releases of Python, and takes 6to4 and NAT64 for ordinary addresses.
PRIVATE = "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16"
RESERVED = "0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"
LOOKS_PUBLIC = "168.63.129.16/32"  # the agent of the host itself in Azure
NOT_PUBLIC_V4 = [IPv4Network(text) for text in f"{PRIVATE} {RESERVED} 224.0.0.0/4 {LOOKS_PUBLIC}".split()]
PUBLIC_V6 = IPv6Network("2000::/3")  # all that has been given out so far
NOT_PUBLIC_V6 = [IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20")]  # Teredo, documentation
# Mapped, NAT64 (RFC 6052), 6to4 (RFC 3056); and how far from the right the IPv4 address stands.
CARRIES_V4 = {IPv6Network("::ffff:0:0/96"): 0, IPv6Network("64:ff9b::/96"): 0, IPv6Network("2002::/16"): 80}


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, seen through whatever carries IPv4 inside IPv6."""
    if isinstance(address, IPv6Address):
        inner = next((int(address) >> shift for network, shift in CARRIES_V4.items() if address in network), None)
        if inner is None:
            return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)
        address = IPv4Address(inner & 0xFFFFFFFF)
    return not any(address in network for network in NOT_PUBLIC_V4)


_URL = re.compile(
    r"(https?)://"
    r"(\[[0-9A-Fa-f:.]{2,45}\]|(?=[^:/?]{1,253}(?:[:/?]|\Z))[\w-]{1,63}(?:\.[\w-]{1,63})*\.?)"
    r"(?::(\d{1,5}))?"
    r"([/?][\w.~%:/?@!$&'()*+,;=\[\]-]*)?",  # RFC 3986, but for the fragment, which is not for the server
    re.ASCII | re.IGNORECASE,
)
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)  # RFC 9110, 5.6.2
PORTS = {"http": 80, "https": 443}


class _Place(NamedTuple):
    """An origin (RFC 6454). The host is in lower case, and without the brackets of IPv6."""

    scheme: str
    host: str
    port: int

    def literal(self) -> Address | None:
        """The host as an address where it is one, however getaddrinfo would let it be spelled: 0x7f.1, 2130706433."""
        if ":" in self.host:
            return IPv6Address(self.host)
        try:
            return IPv4Address(socket.inet_aton(self.host))
        except OSError:
            return None


def check_url(url: str) -> None:
    """Raises BadURL unless `url` is http or https, with a host, and with nothing in it that we would not send."""
    _parse(url)


def leads_inside(url: str) -> bool:
    """Whether a URL, without a lookup, is seen to lead to a private address or localhost. Raises BadURL."""
    place, _, _ = _parse(url)
    if address := place.literal():
        return not is_public(address)
    return f".{place.host.rstrip('.')}".endswith(".localhost")


def _parse(url: str) -> tuple[_Place, str, str]:
    """Where a URL leads, the value of the Host header, and the target of the request line."""
    match = _URL.fullmatch(url)
    if match is None or len(url) > MAX_URL:
        raise BadURL("not an http or https URL with a plain host and path")
    scheme, host, port, target = match[1].lower(), match[2].lower(), match[3], match[4] or "/"
    place = _Place(scheme, host.strip("[]"), int(port or PORTS[scheme]))
    if not 0 < place.port < 65536:
        raise BadURL(f"{port} is no port")
    if host[0] == "[":
        try:
            IPv6Address(place.host)
        except AddressValueError:
            raise BadURL(f"{host} is no IPv6 address") from None
    authority = host if place.port == PORTS[scheme] else f"{host}:{place.port}"
    return place, authority, target if target[0] == "/" else "/" + target


@lru_cache(maxsize=256)
def _header_lines(names: tuple[str, ...]) -> str:
    """A template that takes the values of these headers, as names are few and checking them is slow."""
    for name in names:
        if not _TOKEN.fullmatch(name) or name.lower() in OUR_HEADERS:
            raise BadRequest(f"{name!r} is no header that can be given")
    return "".join(name.replace("%", "%%") + ": %s\r\n" for name in names) + "content-length: %d\r\n\r\n"


def _octets(request_line: str, headers: Mapping[str, str], body: bytes) -> bytes:
    values = headers.values()
    text = "".join(values)
    if not (text.isascii() and text.isprintable()):  # no CR, LF or NUL: a value cannot end its line
        raise BadRequest("a header's value is printable ASCII")
    return (request_line + _header_lines(tuple(headers)) % (*values, len(body))).encode("ascii") + body


class Answer(Struct, frozen=True):
    """What a server said: `headers` by lower-case names, the first of repeated ones; `body` cut at the limit."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Limits(NamedTuple):
    timeout: float
    head: int
    body: int
    per_origin: int
    idle: float


class Client:
    """Sends requests, and keeps connections for the next ones. One per event loop; any number of requests at once.

    allow_private   connect to addresses that are not public too
    timeout         seconds for a whole request: a free connection, lookup, connecting, TLS, sending, the whole answer
    max_response    octets of a body that are kept; where more come, the connection is closed and the answer is cut
    max_header      octets of an answer's head, interim answers included; more is a BadAnswer
    per_origin      connections to one scheme, host and port; who comes later waits for its turn
    idle            seconds for which an unused connection is kept
    resolve         gives the addresses of a name as text, or raises OSError; by default the system is asked
    tls             for https; by default the system's authorities, and the certificate must be the host's
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        timeout: float = 5.0,
        max_response: int = 64 * 1024,
        max_header: int = 16 * 1024,
        per_origin: int = 32,
        idle: float = 30.0,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._limits = _Limits(timeout, max_header, max_response, per_origin, idle)
        # Threads of its own: a customer's name server that is slow must hold up nobody else's work.
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="resolve")
        self._resolve = resolve or self._ask_system
        self._lookups: dict[str, asyncio.Future[Sequence[str]]] = {}
        self._tls = tls
        self._connections: set[_Connection] = set()
        self._origin = lru_cache(TARGETS_REMEMBERED)(_Origin)
        self._target = lru_cache(TARGETS_REMEMBERED)(self._aim)
        self._closed = False

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Sends one request and gives the answer, whatever its status; redirects are not followed.

        The Host and Content-Length headers are ours to write, all others are the caller's. A request that finds its
        kept connection closed, before any octet of an answer, is sent once more on a new one. Raises a WebError.
        """
        origin, request_line = self._target(method, url)
        octets = _octets(request_line, headers, body)
        deadline = asyncio.get_running_loop().time() + self._limits.timeout
        await (origin.wait_turn(deadline) if origin.turns.locked() else origin.turns.acquire())
        try:
            if origin.idle:
                try:
                    return await origin.idle.popitem()[0].exchange(octets, deadline, bodyless=method == "HEAD")
                except Dropped as dropped:
                    if not dropped.unheard:
                        raise
            connection = await self._connect(origin, deadline)
            return await connection.exchange(octets, deadline, bodyless=method == "HEAD")
        finally:
            origin.turns.release()

    async def close(self) -> None:
        """Ends every connection; a request that is still waiting for its answer raises Closed."""
        self._closed = True
        lost = [connection.lost for connection in self._connections]
        for connection in list(self._connections):
            connection.end(Closed("the client has been closed"))
        await asyncio.gather(*lost)
        self._threads.shutdown(wait=False)

    def _aim(self, method: str, url: str) -> tuple["_Origin", str]:
        place, authority, target = _parse(url)
        if method not in METHODS:
            raise BadRequest(f"{method!r} is no method of ours")
        return self._origin(place, self._limits.per_origin), f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n"

    async def _connect(self, origin: "_Origin", deadline: float) -> "_Connection":
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._addresses(origin.place)
                connection = await self._connect_to_one_of(addresses, origin)
        except TimeoutError:
            raise TimedOut(f"no connection to {origin.place.host} in time") from None
        if self._closed:
            connection.end()
            raise Closed("the client has been closed")
        return connection

    async def _addresses(self, place: _Place) -> Sequence[Address]:
        if self._closed:
            raise Closed("the client has been closed")
        literal = place.literal()
        addresses = [literal] if literal else await self._look_up(place.host)
        if not addresses:
            raise Unreachable(f"{place.host} has no address", "dns")
        # One private address among public ones is refused too: whoever gives such a name is trying his luck.
        if not self._allow_private and not all(map(is_public, addresses)):
            raise Forbidden(f"{place.host} is not a public address")
        return addresses[:ADDRESSES_TRIED]

    async def _look_up(self, host: str) -> list[Address]:
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.ensure_future(self._resolve(host))
            lookup.add_done_callback(lambda done: self._keep(host, done))
        try:
            return [ip_address(text) for text in await asyncio.shield(lookup)]
        except (OSError, ValueError) as error:
            raise Unreachable(f"{host}: {error}", "dns") from error

    def _keep(self, host: str, lookup: asyncio.Future[Sequence[str]]) -> None:
        if not lookup.cancelled():
            lookup.exception()  # asked for, as all who would have heard of it may have gone
            lookup.get_loop().call_later(SECONDS_A_NAME_IS_KNOWN, self._lookups.pop, host)

    async def _ask_system(self, host: str) -> list[str]:
        ask = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [str(address[0]) for *_, address in found]

    async def _connect_to_one_of(self, addresses: Sequence[Address], origin: "_Origin") -> "_Connection":
        *others, last = addresses
        for address in others:
            try:  # an address that swallows our packets must leave time for the next one
                async with asyncio.timeout(self._limits.timeout / len(addresses)):
                    return await self._connect_to(address, origin)
            except (TimeoutError, Unreachable):
                continue
        return await self._connect_to(last, origin)

    async def _connect_to(self, address: Address, origin: "_Origin") -> "_Connection":
        scheme, host, port = origin.place
        tls = (self._tls or _system_trust()) if scheme == "https" else None
        name = host.rstrip(".") if tls else None
        loop = asyncio.get_running_loop()
        make = partial(_Connection, origin, self._connections, self._limits)
        try:
            _, connection = await loop.create_connection(make, str(address), port, ssl=tls, server_hostname=name)
        except OSError as error:
            code = next((code for kind, code in CODES.items() if isinstance(error, kind)), "unreachable")
            raise Unreachable(f"{host}: {error}", code) from error
        return connection


class _Origin:
    """The connections to one place that nobody uses, and the turns of those who want one."""

    def __init__(self, place: _Place, per_origin: int) -> None:
        self.place = place
        self.idle: dict[_Connection, None] = {}  # the last one used is the last one in
        self.turns = asyncio.Semaphore(per_origin)

    async def wait_turn(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self.turns.acquire()
        except TimeoutError:
            raise Busy(f"all connections to {self.place.host} are in use") from None


class _Connection(asyncio.Protocol):
    """One connection, with at most one request on it at a time: a second answer can belong to nobody."""

    def __init__(self, origin: _Origin, siblings: set["_Connection"], limits: _Limits) -> None:
        self._idle = origin.idle
        self._siblings = siblings
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._waiter: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rings = self._deadline = inf
        self._pieces: list[bytes] = []

    async def exchange(self, octets: bytes, deadline: float, *, bodyless: bool) -> Answer:
        """Sends a request and waits for its answer until `deadline`, a time of the loop's clock."""
        if self._transport.is_closing():
            raise Dropped("closed before the request", unheard=True)
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        self._waiter = waiter
        self._bodyless = bodyless
        self._room = self._limits.head
        self._complete = self._until_eof = False
        self._start_message()
        self._watch(deadline)
        self._transport.write(octets)
        try:
            return await waiter
        except asyncio.CancelledError:
            if self._waiter is waiter:  # else the answer was there already, and the connection may be another's
                self.end()
            raise

    def end(self, why: WebError | None = None) -> None:
        """Closes at once; who is waiting for an answer is told why."""
        self._idle.pop(self, None)
        self._transport.abort()
        waiter, self._waiter = self._waiter, None
        if why and waiter and not waiter.done():
            waiter.set_exception(why)

    def _watch(self, deadline: float) -> None:
        """One timer, which is moved only where it would ring too late: a limit costs a request next to nothing."""
        self._deadline = deadline
        if deadline < self._rings:
            if self._timer:
                self._timer.cancel()
            self._rings, self._timer = deadline, self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._rings = inf
        if self._loop.time() < self._deadline:
            self._watch(self._deadline)
        else:
            self.end(TimedOut("no whole answer in time"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._parser = HttpResponseParser(self)
        self._siblings.add(self)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            return self.end()  # nobody has asked
        self._room -= len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._reusable = False
            if not self._complete:
                return self.end(BadAnswer(f"not HTTP: {error}"))
        if self._complete or (self._status and (self._size > self._limits.body or self._room < 0)):
            self._answer(keep=self._complete and self._reusable)
        elif self._room < 0:
            self.end(BadAnswer("too long a head"))
        return None

    def connection_lost(self, error: Exception | None) -> None:
        self._idle.pop(self, None)
        self._siblings.discard(self)
        if self._timer:
            self._timer.cancel()
        if self._waiter and self._until_eof and not error:
            self._answer(keep=False)
        else:
            unheard = self._waiter is not None and self._room == self._limits.head
            self.end(Dropped(f"closed before the whole answer: {error or 'end of stream'}", unheard=unheard))
        del self._parser  # it holds us as we hold it
        self.lost.set_result(None)

    def _answer(self, *, keep: bool) -> None:
        waiter, self._waiter = self._waiter, None
        answer = Answer(self._status, self._headers, b"".join(self._pieces)[: self._limits.body])
        if keep:
            self._idle[self] = None
            self._watch(self._loop.time() + self._limits.idle)
        else:
            self.end()
        if waiter and not waiter.done():
            waiter.set_result(answer)

    def _start_message(self) -> None:
        self._status = self._size = 0
        self._headers: dict[str, str] = {}
        self._pieces.clear()

    def on_message_begin(self) -> None:
        self._reusable = not self._complete  # a second answer, and nobody has asked

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:
            return  # a trailer: it could contradict what the head has said
        self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._complete or 100 <= status < 200:
            return
        self._status = status
        self._room += self._limits.body * FRAMING
        self._until_eof = "content-length" not in self._headers and "transfer-encoding" not in self._headers
        if self._bodyless:
            self._complete, self._reusable = True, False  # the parser would wait for the body that HEAD has not

    def on_body(self, piece: bytes) -> None:
        if not self._complete:
            self._pieces.append(piece)
            self._size += len(piece)

    def on_message_complete(self) -> None:
        if not self._status:
            self._start_message()  # 1xx: the answer itself is still to come
        elif not self._complete:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()
