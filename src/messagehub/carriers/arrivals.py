"""What a carrier tells by requests of its own: heard, its media fetched, and answered once it is on disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from messagehub import clock
from messagehub.carriers.book import Means
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import LONGEST_ADDRESS, LONGEST_NAME, Arriving, Inbound, Medium, News, Receipt, Verdict
from messagehub.carriers.dialect import Dialect, Heard, Unheard
from messagehub.carriers.failures import FAILURES
from messagehub.carriers.fetching import Fetching
from messagehub.carriers.web_config import WebConfig
from messagehub.errors import Unavailable
from messagehub.logs import Seldom, about
from messagehub.media.kinds import bare_type, sniff
from messagehub.text.keepable import keepable

log = logging.getLogger(__name__)

MOST_WAITING = 200
"""Requests of one carrier whose answers wait for a commit, or for their media."""
PATIENCE_S = 30.0
"""How long media are waited for, and how long a commit; few carriers wait longer."""
LONGEST_TEXT, LONGEST_WORDS = 20_000, 500
"""Characters: of a message with its subject, and of what is said of a receipt."""
TOLD_S = 10.0
NO_TYPE = "application/octet-stream"
UNREADABLE = Reply(400, b"this request cannot be read\n", {"content-type": "text/plain"})

WORSE = [Verdict.TAKEN, Verdict.REFUSED, Verdict.BROKEN, Verdict.LATER]
STATES = frozenset({"delivered", "intermediate", *FAILURES})


class Ticket:
    """One request of the carrier's, with all that it told."""

    def __init__(self, count: int) -> None:
        self._left, self._worst = count, Verdict.TAKEN
        self._settled: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

    def settle(self, verdict: Verdict) -> None:
        self._left -= 1
        self._worst = max(self._worst, verdict, key=WORSE.index)
        if not self._left and not self._settled.done():
            self._settled.set_result(self._worst)

    async def verdict(self) -> Verdict:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._settled
        except TimeoutError:
            return Verdict.LATER


class Arrivals:
    """`tell` gets the news, whose tickets are settled when they are on disk."""

    def __init__(
        self, config: WebConfig, dialect: Dialect, means: Means, tell: Callable[[Sequence[News]], None]
    ) -> None:
        self._dialect, self._means, self._tell = dialect, means, tell
        self._fetching = Fetching(config, dialect)
        self._waiting = 0
        self._unheard = 0
        self._closed = False
        self._last = ""
        self._told, self._kept_told = Seldom(TOLD_S), Seldom(TOLD_S)

    async def take(self, callback: Callback) -> Reply:
        now = clock.now()
        try:
            heard = self._dialect.hear(callback, now)
        except Unheard as error:
            self._disbelieve(str(error), callback)
            return error.reply
        except Exception:
            if self._told.due():
                log.exception("a request of a carrier could not be read", extra=about(origin=callback.origin))
            return UNREADABLE
        if heard.unread:
            self._disbelieve(f"{heard.unread} of the things that it told are no receipt and no message", callback)
        if not heard.news:
            return heard.reply(Verdict.TAKEN)
        if self._waiting >= MOST_WAITING:
            return heard.reply(Verdict.LATER)
        self._waiting += 1
        try:
            return heard.reply(await self._settled(heard, now))
        finally:
            self._waiting -= 1

    async def _settled(self, heard: Heard, now: int) -> Verdict:
        ticket = Ticket(len(heard.news) + heard.unread)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._keep_media([one for one in heard.news if isinstance(one, Inbound)], now)
        except (OSError, Unavailable) as error:  # the disk of the media is full, or gone; or they take too long
            if self._kept_told.due():
                log.error("media that came in cannot be kept: %s", error or "not in time")
            return Verdict.LATER
        if self._closed:
            return Verdict.LATER
        for _ in range(heard.unread):
            ticket.settle(Verdict.BROKEN)
        told = []
        for one in heard.news:
            if _is_absurd(one):
                ticket.settle(Verdict.BROKEN)
            else:
                _make_fit(one, now)
                one.ticket = ticket
                told.append(one)
        self._tell(told)
        return await ticket.verdict()

    def _disbelieve(self, words: str, callback: Callback) -> None:
        self._unheard, self._last = self._unheard + 1, words
        if self._told.due():
            fields = about(why=words, origin=callback.origin, so_far=self._unheard)
            log.warning("a request that should be a carrier's was not believed, or not read", extra=fields)

    def warnings(self) -> list[str]:
        if not self._unheard:
            return []
        return [f"{self._unheard} requests to its address here were not believed, or not read; the last: {self._last}"]

    async def close(self) -> None:
        self._closed = True
        await self._fetching.close()

    # --- what is told -------------------------------------------------------------------

    async def _keep_media(self, messages: Sequence[Inbound], now: int) -> None:
        """For as long as their addresses are good; once where several recipients share them.

        OSError or Unavailable where they cannot be.
        """
        given = {id(one.media): one.media for one in messages if one.media}
        tasks = {of: [asyncio.create_task(self._kept(one, now)) for one in media] for of, media in given.items()}
        every = [task for some in tasks.values() for task in some]
        try:
            await asyncio.gather(*every)
        finally:  # if one cannot be kept, all are told again: what others are about is for nobody
            for task in every:
                task.cancel()
            await asyncio.gather(*every, return_exceptions=True)
        kept = {of: [task.result() for task in some] for of, some in tasks.items()}
        for one in messages:
            if one.media:
                one.media = kept[id(one.media)]

    async def _kept(self, medium: Medium | Arriving, now: int) -> Medium:
        if isinstance(medium, Medium):
            return medium
        if not medium.url:
            return await self._put(medium, medium.octets, medium.type, now)
        async with self._fetching.fetched(medium.url) as fetched:
            if fetched is None:
                return Medium(bare_type(medium.type) or NO_TYPE, "", 0, medium.name, medium.url)
            return await self._put(medium, fetched.octets, medium.type or fetched.type, now)

    async def _put(self, medium: Arriving, octets: bytes, declared: str, now: int) -> Medium:
        assert self._means.blobs
        assert self._means.published
        digest = await self._means.blobs.put(octets, now + self._means.published.lifetime)
        kind = sniff(octets)
        return Medium(kind.type if kind else bare_type(declared) or NO_TYPE, digest, len(octets), keepable(medium.name))


def _is_absurd(one: Receipt | Inbound) -> bool:
    """Larger than anything that somebody writes, and than a list of messages could show."""
    if isinstance(one, Receipt):
        return False
    return max(len(one.source), len(one.destination)) > LONGEST_ADDRESS or len(one.text + one.subject) > LONGEST_TEXT


def _make_fit(one: Receipt | Inbound, now: int) -> None:
    """For the store."""
    if isinstance(one, Receipt):
        one.name, one.words = keepable(one.name, LONGEST_NAME), keepable(one.words, LONGEST_WORDS)
        one.destination = keepable(one.destination, LONGEST_ADDRESS)
        one.state = one.state if one.state in STATES else "undelivered"
        return
    one.source, one.destination = keepable(one.source), keepable(one.destination)
    one.text, one.subject = keepable(one.text), keepable(one.subject)
    one.tm_arrive, one.is_named = now, bool(one.fingerprint)
