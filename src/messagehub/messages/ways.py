"""By which carrier a message with media gets to a target, and as what: for each that it could go to it is tried whether
the media can be made to fit what that takes.
"""

import random
from collections.abc import Sequence

from msgspec import Struct

from messagehub.blobs import Missing
from messagehub.carriers.carrier import REASONS, Medium
from messagehub.carriers.fitting import Fitter
from messagehub.carriers.kinds import Config
from messagehub.media import Limits, MediaError
from messagehub.messages.options import Options
from messagehub.routing import Table
from messagehub.shapes.members import MessageKind

NO_ROUTE = "No route leads to a carrier that takes MMS to the destination."


class Way(Struct, frozen=True):
    """The carrier that a target goes to, and as what; or, where `code` says so, why it does not."""

    carrier_id: str = ""
    kind: MessageKind = "mms"
    code: str = ""
    words: str = ""


class Ways:
    """Of the targets of one message."""

    def __init__(self, fitter: Fitter, table: Table, customer_id: str, asked: Options, text: str) -> None:
        self._fitter, self._table, self._customer_id, self._asked = fitter, table, customer_id, asked
        self._media: Sequence[Medium] = [Medium(one.type, one.digest, one.size, one.name) for one in asked.medias]
        self._text = text
        self._tried: dict[tuple[Limits | None, bool], Way | None] = {}

    async def to(self, destination: str, source: str) -> Way:
        """The first carrier in the order of routes that takes it; Missing where the media are gone."""
        failure: Way | None = None
        for route in self._table.of("mms").choose(destination, self._customer_id, random.random):
            why = await self._misfit(self._table.configs[route.carrier_id], source)
            if why is None:
                return Way(route.carrier_id)
            failure = failure or why
        if self._asked.fallback and (other := self._table.first(destination, self._customer_id, random.random)):
            return Way(other.carrier_id, "sms")
        return failure or Way(code="no_route", words=NO_ROUTE)

    async def _misfit(self, config: Config, source: str) -> Way | None:
        """Why a carrier cannot take it; None where it can."""
        limits, is_base64 = config.limits(source), config.is_base64
        if (limits, is_base64) not in self._tried:
            self._tried[limits, is_base64] = await self._try(limits, is_base64)
        return self._tried[limits, is_base64]

    async def _try(self, limits: Limits | None, is_base64: bool) -> Way | None:
        if limits is None:
            return Way(code="media_refused", words=REASONS["media_refused"].meaning)
        try:
            await self._fitter.fit(self._media, limits, self._text, is_base64)
        except MediaError as error:
            return Way(code=error.reason, words=error.message)
        except Missing:
            return Way(code="media_gone", words=REASONS["media_gone"].meaning)
        return None
