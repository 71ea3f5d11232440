"""Our one outgoing HTTP client: HTTP/1.1, with limits on time and size, and no way into a private network.

An address that a customer gives us is not to be trusted. So the client resolves the name itself, checks every
address, and connects to an address that it has checked: between check and connect no name is asked again.
"""

import asyncio
import errno
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache, partial
from ipaddress import ip_address
from typing import Any, Protocol

from messagehub.web.addresses import Address, is_public
from messagehub.web.connection import Answer, Connection, Limits
from messagehub.web.errors import BadRequest, Busy, Closed, Dropped, Forbidden, TimedOut, Unreachable
from messagehub.web.requests import METHODS, octets_of
from messagehub.web.urls import MAX_URL, Place, parse

Resolve = Callable[[str], Awaitable[Sequence[str]]]
ADDRESSES_TRIED = 4
SECONDS_A_NAME_IS_KNOWN = 5.0
NAMES_KNOWN = 4096
PATIENCE_S = 1.0
"""How long a name that was known a moment ago is looked up anew, before it is taken for what it was."""

LOOKUPS_AT_ONCE = 256
"""Names that are asked for at the same time. One whose name server is silent takes a thread for some ten seconds, also
when nobody waits for it any more, so a few of them are not to take all; and a thread that waits costs next to nothing.
"""

MOST_CONNECTIONS = 8192
"""Of a client: a process may have so many files, and its callers need some."""

TARGETS_REMEMBERED = 4096
_system_trust = cache(ssl.create_default_context)  # reading all authorities takes longer than a hundred requests
CODES = {ssl.SSLError: "tls", ConnectionRefusedError: "refused"}
NO_FILES = (errno.EMFILE, errno.ENFILE)


class Requester(Protocol):
    """Who sends requests: this process, or another one for it."""

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Whatever the status of the answer; redirects are not followed. Raises a WebError."""

    async def close(self) -> None:
        """A request that is still waiting for its answer raises Closed."""


class Client:
    """Sends requests, and keeps connections for the next ones. One per event loop; any number of requests at once.

    allow_private   connect to addresses that are not public too
    timeout         seconds for a whole request: a free connection, lookup, connecting, TLS, sending, the whole answer
    max_response    octets of a body that are kept; where more come, the connection is closed and the answer is cut
    max_header      octets of an answer's head, interim answers included; more is a BadAnswer
    per_origin      connections to one scheme, host and port; who comes later waits for its turn
    most            connections in all; who wants one more is told Busy, unless one rests
    idle            seconds for which an unused connection is kept
    resolve         gives the addresses of a name as text, or raises OSError; by default the system is asked
    tls             for https; by default the system's authorities, and the certificate must be the host's
    max_url         characters of a URL
    repeats         what found its kept connection closed is sent again, though it may have been heard
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        timeout: float = 5.0,
        max_response: int = 64 * 1024,
        max_header: int = 16 * 1024,
        per_origin: int = 32,
        most: int = MOST_CONNECTIONS,
        idle: float = 30.0,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        repeats: bool = True,
        max_url: int = MAX_URL,
    ) -> None:
        self._allow_private = allow_private
        self._limits = Limits(timeout, max_header, max_response, per_origin, idle)
        # Threads of its own: a customer's name server that is slow must hold up nobody else's work.
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="resolve")
        self._resolve = resolve or self._ask_system
        self._known: dict[str, Sequence[str]] = {}
        """The last answers, for when the next one is long in coming."""
        self._lookups: dict[str, asyncio.Future[Sequence[str]]] = {}
        self._unasked: set[str] = set()
        """Names whose lookup waits for a thread."""
        self._tls, self._repeats, self._max_url = tls, repeats, max_url
        self._connections: set[Connection] = set()
        self._most, self._connecting = most, 0
        self._origin = lru_cache(TARGETS_REMEMBERED)(_Origin)
        self._target = lru_cache(TARGETS_REMEMBERED)(self._aim)
        self._closed = False

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        leaves: Callable[[], None] | None = None,
    ) -> Answer:
        """Sends one request and gives the answer, whatever its status; redirects are not followed.

        The Host and Content-Length headers are ours to write, all others are the caller's. A request that finds its
        kept connection closed, before any octet of an answer, is sent once more on a new one. `leaves` is called
        before anything of it is written. Raises a WebError.
        """
        # Long ones have what is said in them: they do not come again, and many would take much memory.
        origin, request_line = (self._target if len(url) <= MAX_URL else self._aim)(method, url)
        octets = octets_of(request_line, headers, body)
        deadline = asyncio.get_running_loop().time() + self._limits.timeout
        if origin.free:
            origin.free -= 1
        else:
            await origin.wait_turn(deadline)
        connection: Connection | None = None
        try:
            if origin.idle:
                if leaves:
                    leaves()
                connection, _ = origin.idle.popitem()
                try:
                    return await connection.exchange(octets, deadline, bodyless=method == "HEAD")
                except Dropped as dropped:
                    if not dropped.unheard or (dropped.left and not self._repeats):
                        raise
            connection = await self._connect(origin, deadline)
            if leaves:
                leaves()
            return await connection.exchange(octets, deadline, bodyless=method == "HEAD")
        except asyncio.CancelledError:
            if connection:
                connection.leave()
            raise
        finally:
            origin.give_back()

    async def reach(self, url: str) -> None:
        """Connects to where a URL leads, and keeps the connection for the next request. Raises a WebError."""
        place, _, _ = parse(url, self._max_url)
        origin = self._origin(place, self._limits.per_origin)
        connection = await self._connect(origin, asyncio.get_running_loop().time() + self._limits.timeout)
        connection.rest()

    async def close(self) -> None:
        """Ends every connection; a request that is still waiting for its answer raises Closed."""
        self._closed = True
        lost = [connection.lost for connection in self._connections]
        for connection in list(self._connections):
            connection.end(Closed("the client has been closed"))
        await asyncio.gather(*lost)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _aim(self, method: str, url: str) -> tuple["_Origin", str]:
        place, authority, target = parse(url, self._max_url)
        if method not in METHODS:
            raise BadRequest(f"{method!r} is no method of ours")
        return self._origin(place, self._limits.per_origin), f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n"

    async def _connect(self, origin: "_Origin", deadline: float) -> "Connection":
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._addresses(origin.place)
                connection = await self._connect_if_room(addresses, origin)
        except TimeoutError:
            if origin.place.host in self._unasked:
                raise Busy("too many other names are being looked up") from None
            raise TimedOut(f"no connection to {origin.place.host} in time") from None
        if self._closed:
            connection.end()
            raise Closed("the client has been closed")
        return connection

    async def _connect_if_room(self, addresses: Sequence[Address], origin: "_Origin") -> "Connection":
        if len(self._connections) + self._connecting >= self._most:
            self._end_one_that_rests()
        self._connecting += 1
        try:
            return await self._connect_to_one_of(addresses, origin)
        finally:
            self._connecting -= 1

    def _end_one_that_rests(self) -> None:
        resting = next((connection for connection in self._connections if connection.rests), None)
        if resting is None:
            raise Busy("as many connections are open as there may be")
        resting.end()

    async def _addresses(self, place: Place) -> Sequence[Address]:
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
        known = self._known.get(host)
        try:
            async with asyncio.timeout(PATIENCE_S if known else None):
                return [ip_address(text) for text in await asyncio.shield(lookup)]
        except TimeoutError:
            # Others may have name servers that do not answer, and keep all who look up busy: the address of a moment
            # ago is checked like any other.
            assert known
            return [ip_address(text) for text in known]
        except (OSError, ValueError) as error:
            raise Unreachable(f"{host}: {error}", "dns") from error
        except asyncio.CancelledError:
            if self._closed and lookup.cancelled():
                raise Closed("the client has been closed") from None
            raise

    def _keep(self, host: str, lookup: asyncio.Future[Sequence[str]]) -> None:
        if lookup.cancelled():
            return
        if isinstance(lookup.exception(), Busy):  # that is over in a moment
            del self._lookups[host]
            return
        # A failure is asked for here, as all who would have heard of it may have gone; it is known no longer than a
        # success.
        if not lookup.exception():
            self._known[host] = lookup.result()
            if len(self._known) > NAMES_KNOWN:
                del self._known[next(iter(self._known))]
        lookup.get_loop().call_later(SECONDS_A_NAME_IS_KNOWN, self._lookups.pop, host)

    async def _ask_system(self, host: str) -> list[str]:
        def ask() -> list[tuple[Any, ...]]:
            self._unasked.discard(host)
            return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)

        self._unasked.add(host)
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno not in NO_FILES:
                raise
            raise Busy(f"{host} cannot be looked up: {error}") from error  # no file is left, or no thread can start
        finally:
            self._unasked.discard(host)
        return [str(address[0]) for *_, address in found]

    async def _connect_to_one_of(self, addresses: Sequence[Address], origin: "_Origin") -> "Connection":
        *others, last = addresses
        for address in others:
            try:  # an address that swallows our packets must leave time for the next one
                async with asyncio.timeout(self._limits.timeout / len(addresses)):
                    return await self._connect_to(address, origin)
            except (TimeoutError, Unreachable):
                continue
        return await self._connect_to(last, origin)

    async def _connect_to(self, address: Address, origin: "_Origin") -> "Connection":
        scheme, host, port = origin.place
        tls = (self._tls or _system_trust()) if scheme == "https" else None
        name = host.rstrip(".") if tls else None
        loop = asyncio.get_running_loop()
        make = partial(Connection, origin.idle, self._connections, self._limits)
        try:
            _, connection = await loop.create_connection(make, str(address), port, ssl=tls, server_hostname=name)
        except OSError as error:
            if error.errno in NO_FILES:
                raise Busy(f"no connection can be opened: {error}") from error
            code = next((code for kind, code in CODES.items() if isinstance(error, kind)), "unreachable")
            if tls and isinstance(error, ConnectionResetError):  # it was connected, and hung up at our words
                code = "tls"
            raise Unreachable(f"{host}: {error}", code) from error
        return connection


class _Origin:
    """The connections to one place that nobody uses, and the turns of those who want one.

    A semaphore of asyncio costs a tenth of a request, though nobody has to wait.
    """

    def __init__(self, place: Place, per_origin: int) -> None:
        self.place = place
        self.idle: dict[Connection, None] = {}  # the last one used is the last one in
        self.free = per_origin
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait_turn(self, deadline: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except TimeoutError:
            self._give_up(turn)
            raise Busy(f"all connections to {self.place.host} are in use") from None
        except asyncio.CancelledError:
            self._give_up(turn)
            raise

    def _give_up(self, turn: asyncio.Future[None]) -> None:
        if not turn.cancel() and not turn.cancelled():  # it came in the same moment
            self.give_back()

    def give_back(self) -> None:
        """A turn passes from hand to hand while anybody waits for it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn.set_result(None)
        self.free += 1
        return None
