"""The media of messages, brought here: fetched from where their customers say, checked, and kept.

What several messages name at the same time is fetched once, and known for a moment longer: a campaign of a thousand
messages asks a server for its picture once.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from messagehub import clock, media
from messagehub.blobs import Blobs, Missing
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.media import MediaError
from messagehub.media.kinds import bare_type
from messagehub.messages.options import Media
from messagehub.published import Published
from messagehub.shapes import MediaGiven
from messagehub.web import Fetcher, WebError

KNOWN_S = 60.0
MOST_KNOWN = 2000
AT_ONCE = 8
"""Media that are fetched or looked at; each is in memory as a whole."""
OF_ONE_CUSTOMER = 2
"""Those that are fetched for one customer: a server that is slow holds up nobody else's."""

AT_LEAST = 3600 * SECOND
"""How long a medium is kept in any case."""


class Kept(NamedTuple):
    """A medium that is kept, as it was found to be."""

    type: str
    digest: str
    size: int
    name: str


class Failed(Exception):
    """A medium that there is not. `code` is an error code of targets, `again`: it may be there later."""

    def __init__(self, code: str, words: str, again: bool = False) -> None:
        super().__init__(f"{code}: {words}")
        self.code, self.words, self.again = code, words, again


FINAL = {
    "private_address": "media_forbidden",
    "not_found": "media_not_found",
    "too_large": "media_too_large",
    "bad_url": "media_unreachable",
    "bad_request": "media_unreachable",
    "bad_redirect": "media_unreachable",
    "bad_answer": "media_unreachable",
}
"""The failures of fetching that will be the same next time, and what targets are told."""

REFUSED_AS = {"media_gone": "INVALID_MEDIA"}
"""Why a message is refused with a medium of ours that cannot be sent; for all others it is not supported."""

Key = tuple[str, str, str]
"""Customer, URL, and the type that it is said to have."""


class Gatherer:
    """One per process."""

    def __init__(self, fetcher: Fetcher, blobs: Blobs, published: Published) -> None:
        self._fetcher, self._blobs, self._published = fetcher, blobs, published
        self._known: OrderedDict[Key, tuple[float, Kept]] = OrderedDict()
        self._getting: dict[Key, asyncio.Task[Kept | Failed]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._turns_of: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(OF_ONE_CUSTOMER))

    def check(self, medias: Sequence[MediaGiven]) -> None:
        """Refusal for an address of ours that was never given to anybody.

        Its time may be over: a flow names it for as long as it runs, and who has it could have kept what it led to.
        """
        for n, one in enumerate(medias):
            digest = self._published.digest_of(one.url)
            token = parse_qs(urlsplit(one.url).query).get("token", [""])[0] if digest else ""
            if digest and not self._published.is_valid(digest, token, 0):
                raise Refusal("INVALID_MEDIA", f"medias[{n}].url: this address of ours leads nowhere; take it as it is")

    async def known(self, customer_id: str, medias: Sequence[Media], until: int) -> tuple[Media, ...] | None:
        """As `gather`, where all are kept here already; else None. Refusal where one cannot be sent."""
        if not all(self._published.digest_of(one.url) for one in medias):
            return None
        try:
            return await self.gather(customer_id, medias, until)
        except Failed as failed:
            raise Refusal(REFUSED_AS.get(failed.code, "MEDIA_NOT_SUPPORTED"), failed.words) from None

    async def gather(self, customer_id: str, medias: Sequence[Media], until: int) -> tuple[Media, ...]:
        """The media, with what they turned out to be, each kept until then at least (microseconds).

        Raises Failed for one of them, and rather for one that will never be there. Unavailable: they cannot be kept.
        """
        found = await asyncio.gather(*(self._one(customer_id, one, until) for one in medias))
        failures = [(one.again, n, one) for n, one in enumerate(found) if isinstance(one, Failed)]
        if failures:
            _, n, failure = min(failures, key=lambda each: each[:2])
            raise Failed(failure.code, f"medias[{n}]: {failure.words}", failure.again)
        pairs = [(one, kept) for one, kept in zip(medias, found, strict=True) if isinstance(kept, Kept)]
        return tuple(Media(one.url, kept.type, kept.digest, kept.size, kept.name) for one, kept in pairs)

    async def keep(self, medias: Sequence[Media], until: int) -> None:
        """What was gathered stays until then at least."""
        await self._blobs.keep_what_is_there([one.digest for one in medias], until)

    async def _one(self, customer_id: str, one: Media, until: int) -> Kept | Failed:
        key = (customer_id, one.url, bare_type(one.type))
        if kept := self._recalled(key):
            try:
                await self._blobs.keep(kept.digest, until)
                return kept
            except Missing:
                del self._known[key]
        getting = self._getting.get(key)
        if getting is None:
            getting = self._getting[key] = asyncio.create_task(self._get(key))
            getting.add_done_callback(lambda _: self._getting.pop(key))
        found = await asyncio.shield(getting)
        if isinstance(found, Kept):
            await self._blobs.keep(found.digest, until)
        return found

    def _recalled(self, key: Key) -> Kept | None:
        moment, kept = self._known.get(key, (0.0, None))
        return kept if asyncio.get_running_loop().time() - moment < KNOWN_S else None

    def _remember(self, key: Key, kept: Kept) -> None:
        self._known[key] = (asyncio.get_running_loop().time(), kept)
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    async def _get(self, key: Key) -> Kept | Failed:
        customer_id, url, declared = key
        digest = self._published.digest_of(url)
        try:
            kept = await (self._look(digest, declared) if digest else self._fetch(customer_id, url, declared))
        except Missing:
            return Failed("media_gone", "it is not kept any more")
        except MediaError as error:
            return Failed(error.reason, error.message)
        except WebError as error:
            return _failed(error)
        self._remember(key, kept)
        return kept

    async def _look(self, digest: str, declared: str) -> Kept:
        async with self._turns:
            octets = await self._blobs.read(digest)
            kind, _ = await asyncio.to_thread(media.check, octets, declared)
        return Kept(kind.type, digest, len(octets), "")

    async def _fetch(self, customer_id: str, url: str, declared: str) -> Kept:
        """What its customer says of its type counts more than what its server says."""
        async with self._turns_of[customer_id], self._turns:
            fetched = await self._fetcher.fetch(url)
            kind, _ = await asyncio.to_thread(media.check, fetched.octets, declared or fetched.type)
            digest = await self._blobs.put(fetched.octets, clock.now() + AT_LEAST)
        return Kept(kind.type, digest, len(fetched.octets), fetched.name)


def _failed(error: WebError) -> Failed:
    if code := FINAL.get(error.code):
        return Failed(code, str(error))
    status = getattr(error, "status", 0)
    return Failed("media_unreachable", str(error), again=not status or status == 429 or status >= 500)
