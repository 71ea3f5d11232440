"""Media that a carrier has and tells of by their URLs, fetched while it waits for our answer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from messagehub.carriers import tls
from messagehub.carriers.dialect import Dialect, Request
from messagehub.carriers.web_config import WebConfig
from messagehub.errors import Unavailable
from messagehub.logs import Seldom, about
from messagehub.web import Answer, BadRequest, Client, Forbidden, WebError
from messagehub.web.urls import parse

log = logging.getLogger(__name__)

LARGEST = 16 << 20
"""Octets of one medium; carriers take far less of those who write."""
AT_ONCE = 4
TRIES = 3
PAUSE_S = 0.5
PATIENCE_S = 10.0
"""For all tries, once it has its turn: a message without its media is better than none."""
TURN_S = 20.0
"""For a turn. That none came is no fault of the medium's, so the carrier is to tell of it again."""
BRIEF_S = 1.0
"""The same as the patience, for a while after one that was not there in all of it: it is not to hold back all that came
with it."""
BRIEF_FOR_S = TURN_S + PATIENCE_S
"""How long that is so. What is not there in a brief time does not prolong it: a carrier may need two seconds."""
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 3
FAILED_TOLD_S = 10.0


class Fetched(Struct, frozen=True):
    type: str
    octets: bytes


class Fetching:
    def __init__(self, config: WebConfig, dialect: Dialect) -> None:
        self._config, self._dialect = config, dialect
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._clients: dict[bool, Client] = {}
        self._brief_until = 0.0
        """By the clock of the loop."""
        self._told = Seldom(FAILED_TOLD_S)

    @asynccontextmanager
    async def fetched(self, url: str) -> AsyncIterator[Fetched | None]:
        """None where it cannot be had, in the time and the size that there are. It has its turn until the end of the
        block, so that few are in memory. Unavailable where it gets none."""
        async with AsyncExitStack() as stack:
            found, why = None, "not in time"
            if await self._has_turn(stack):
                found, why = await self._in_time(url)
            if found is None and self._told.due():
                log.warning("a medium that came in could not be fetched", extra=about(why=why))
            yield found

    async def _has_turn(self, stack: AsyncExitStack) -> bool:
        """False where nothing would come of it either: they do not answer, and it would be told again for nothing."""
        try:
            async with asyncio.timeout(TURN_S):
                await stack.enter_async_context(self._turns)
        except TimeoutError:
            if self._is_brief:
                return False
            raise Unavailable("too many come in at once") from None
        return True

    @property
    def _is_brief(self) -> bool:
        return asyncio.get_running_loop().time() < self._brief_until

    async def _in_time(self, url: str) -> tuple[Fetched | None, str]:
        is_brief = self._is_brief
        try:
            async with asyncio.timeout(BRIEF_S if is_brief else PATIENCE_S):
                tried = await self._tried(self._dialect.fetch(url))
        except TimeoutError:
            if not is_brief:
                self._brief_until = asyncio.get_running_loop().time() + BRIEF_FOR_S
            return None, "not in time"
        except ValueError as error:
            tried = None, str(error)
        self._brief_until = 0.0
        return tried

    async def _tried(self, request: Request) -> tuple[Fetched | None, str]:
        """What was fetched, or why it was not."""
        why = ""
        for tried in range(TRIES):
            if tried:
                await asyncio.sleep(PAUSE_S * tried)
            try:
                return await self._once(request), ""
            except (BadRequest, Forbidden) as error:
                return None, str(error)
            except WebError as error:
                why = str(error)
        return None, why

    async def _once(self, request: Request) -> Fetched:
        """ValueError for an answer that will not be another; WebError for what may."""
        url, headers = request.url, request.headers
        for _ in range(MOST_REDIRECTS + 1):
            place, _, _ = parse(url)
            client = self._client(allow_private=place.host in self._config.hosts)
            answer = await client.request(request.method, url, headers, request.body)
            if answer.status not in REDIRECTS:
                return _taken(answer)
            location = urljoin(url, answer.headers.get("location", ""))
            if urlsplit(location)[:2] != urlsplit(url)[:2]:
                headers = {}  # what is said to the carrier is for nobody else
            url = location
        raise ValueError("it leads from one place to another")

    def _client(self, allow_private: bool) -> Client:
        """The carrier is where the operator says; but what else is inside is not for it to name."""
        if allow_private not in self._clients:
            config, verified = self._config, None
            if allow_private and config.uses_tls:
                verified = tls.context(config.tls_ca, config.tls_certificate, config.tls_key, config.tls_verify)
            self._clients[allow_private] = Client(
                allow_private=allow_private, timeout=PATIENCE_S, max_response=LARGEST + 1, tls=verified
            )
        return self._clients[allow_private]

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients.values()))


def _taken(answer: Answer) -> Fetched:
    if answer.status >= 500 or answer.status == 429:
        raise WebError(f"the carrier answered with {answer.status}")
    if answer.status != 200:
        raise ValueError(f"the carrier answered with {answer.status}")
    if len(answer.body) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} octets")
    return Fetched(answer.headers.get("content-type", ""), answer.body)
