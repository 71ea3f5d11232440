"""What customers name by its address, fetched: all of it or nothing, within limits of size, time and redirects.

It is held in memory, so only few are fetched at once; who comes later waits for its turn, and its time begins then.
Each redirect is a request of its own, whose address is checked like the first.
"""

import asyncio
import ssl
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from messagehub.media.names import name_of
from messagehub.web.client import Client, Resolve
from messagehub.web.connection import Answer
from messagehub.web.errors import BadAnswer, BadRedirect, BadURL, NotFound, NotOK, TimedOut, TooLarge
from messagehub.web.urls import MAX_URL, check_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
GONE = frozenset({404, 410})
MOST_REDIRECTS = 3
AT_ONCE = 8
MOST_TYPE = 200
ASKED = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "messagehub"}


class Fetched(NamedTuple):
    """`type` is the Content-Type as it was said, `name` what the file is called, harmless; either may be empty."""

    type: str
    octets: bytes
    name: str


class Fetcher:
    """`most`: octets of one content; `timeout`: seconds for one with all its redirects. One per event loop."""

    def __init__(
        self,
        *,
        most: int,
        timeout: float,
        allow_private: bool = False,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._most, self._timeout = most, timeout
        self._client = Client(
            allow_private=allow_private, timeout=timeout, max_response=most + 1, idle=5.0, resolve=resolve, tls=tls
        )
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, url: str) -> Fetched:
        """Raises a WebError: TooLarge, NotFound, NotOK for any other status, BadRedirect, or one of the client's."""
        async with self._turns:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._followed(url)
            except TimeoutError:
                raise TimedOut(f"not here in whole within {self._timeout:g} s") from None

    async def close(self) -> None:
        """Whoever is still waiting gets Closed."""
        await self._client.close()

    async def _followed(self, url: str) -> Fetched:
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._client.request("GET", url, ASKED, b"")
            if answer.status not in REDIRECTS:
                return self._taken(url, answer)
            url = _led_on(url, answer.headers.get("location", ""))
        raise BadRedirect(f"it was led on more than {MOST_REDIRECTS} times")

    def _taken(self, url: str, answer: Answer) -> Fetched:
        if answer.status != 200:
            raise (NotFound if answer.status in GONE else NotOK)(f"it was answered with {answer.status}", answer.status)
        coding = answer.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            raise BadAnswer(f"it came compressed ({coding[:40]!r}), though that was not asked for")
        if len(answer.body) > self._most:
            raise TooLarge(f"it has more than {self._most} octets")
        name = name_of(answer.headers.get("content-disposition", ""), url)
        return Fetched(_printable(answer.headers.get("content-type", "")), answer.body, name)


def _led_on(url: str, location: str) -> str:
    """Where a redirect leads. What is wrong with that is no fault of the address that was given."""
    try:
        led_to = urldefrag(urljoin(url, location)).url if len(location) <= MAX_URL else ""
        scheme = urlsplit(led_to).scheme
    except ValueError:
        raise BadRedirect("it was led on to what is no address") from None
    if not location or not led_to:
        raise BadRedirect("it was led on without saying where, or too far")
    if urlsplit(url).scheme.lower() == "https" and scheme != "https":
        raise BadRedirect("it was led on from https to what is none")
    try:
        check_url(led_to)
    except BadURL as error:
        raise BadRedirect(f"it was led on to a wrong address: {error}") from None
    return led_to


def _printable(said: str) -> str:
    return said.strip() if said.isascii() and said.isprintable() and len(said) <= MOST_TYPE else ""
