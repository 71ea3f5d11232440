"""Media made to fit what a carrier takes, once for all the targets that they go to.

What is kept stays as it is. Few messages are worked on at once, and only those have their media in memory; what came of
it is remembered up to so many octets, and who asks for what is being made waits for that.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from messagehub.blobs import Blobs, Missing
from messagehub.carriers.carrier import Medium
from messagehub.media import Fitted, Limits, MediaError, fit

AT_ONCE = 2
"""Messages whose media are worked on. Each may cost some 400 MB."""
REMEMBERED = 64 << 20
"""Octets of media that are made already."""
STEP = 256
"""Octets by which texts differ in length, so that personal texts of a campaign have the same media."""
_ENTRY = 1024
"""Octets that each thing remembered counts at least: failures have none."""

Key = tuple[tuple[tuple[str, str], ...], Limits, int, bool]
Made = list[Fitted] | MediaError | Missing
"""What came of it. Failures are values, as several may wait for one."""


class Fitter:
    """One per process. `remembered` in octets."""

    def __init__(self, blobs: Blobs, remembered: int = REMEMBERED) -> None:
        self._blobs, self._most = blobs, remembered
        self._known: OrderedDict[Key, list[Fitted] | MediaError] = OrderedDict()
        self._octets = 0
        self._making: dict[Key, asyncio.Task[Made]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def fit(
        self, media: Sequence[Medium], limits: Limits, text: str = "", is_base64: bool = False
    ) -> list[Fitted]:
        """The media in their order, beside this text. Raises MediaError, which names the medium, or blobs.Missing."""
        octets = -(-len(text.encode(errors="replace")) // STEP) * STEP
        key = tuple((medium.type, medium.digest) for medium in media), limits, octets, is_base64
        made: Made | None = self._recalled(key)
        if made is None:
            making = self._making.get(key)
            if making is None:
                making = self._making[key] = asyncio.create_task(self._make(key))
            made = await asyncio.shield(making)  # others may wait for it, too
        if isinstance(made, MediaError):
            raise _bare(made)
        if isinstance(made, Missing):
            raise Missing(*made.args)
        return made

    def _recalled(self, key: Key) -> list[Fitted] | MediaError | None:
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
        return known

    async def _make(self, key: Key) -> Made:
        try:
            async with self._turns:
                made = await self._made(key)
        finally:
            del self._making[key]
        if not isinstance(made, Missing):  # it may be brought again
            self._remember(key, made)
        return made

    async def _made(self, key: Key) -> Made:
        media, limits, text, is_base64 = key
        try:
            octets = [(kind, await self._blobs.read(digest)) for kind, digest in media]
            return await asyncio.to_thread(fit, octets, limits, text, is_base64=is_base64)
        except MediaError as error:
            return _bare(error)
        except Missing as error:
            return Missing(*error.args)

    def _remember(self, key: Key, made: list[Fitted] | MediaError) -> None:
        if _size(made) > self._most:
            return
        self._known[key] = made
        self._octets += _size(made)
        while self._octets > self._most:
            _, oldest = self._known.popitem(last=False)
            self._octets -= _size(oldest)


def _bare(error: MediaError) -> MediaError:
    """Without its traceback, whose frames have the media in memory."""
    return MediaError(error.reason, error.message)


def _size(made: list[Fitted] | MediaError) -> int:
    return _ENTRY + (sum(len(each.octets) for each in made) if isinstance(made, list) else 0)
