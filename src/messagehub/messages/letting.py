"""The targets of a message whose media are here go on: by the carrier that takes them, or as an SMS with links."""

import random

from msgspec import Struct, field

from messagehub import text
from messagehub.clock import NEVER
from messagehub.messages import options, timing
from messagehub.messages.ledger import Ledger
from messagehub.messages.options import Options
from messagehub.messages.recorder import ROUTED
from messagehub.messages.rows import address, detail_of, kind_of, own_of
from messagehub.messages.status import Happening, Status
from messagehub.messages.target import Target
from messagehub.messages.variables import Own
from messagehub.messages.ways import Way
from messagehub.published import Links
from messagehub.routing import Table
from messagehub.store import Insert, Tx

MEDIA = "media"
"""Why a target waits."""


class Going(Struct):
    """What the targets of one message share that go on."""

    asked: Options
    """With its media as they are kept."""
    links: Links
    max_segments: int
    column: str | None = None
    """The same as it is stored."""
    _urls: list[str] = field(default_factory=list)
    _inserts: list[Insert] = field(default_factory=list)
    _changed: list[Target] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.column = options.write(self.asked)

    def urls(self, target: Target) -> list[str]:
        """Where the media can be looked at, the same for all targets."""
        if not self._urls:
            until = timing.wanted_until(self.asked, target.target_count, target.tm_create)
            for one in self.asked.medias:
                url, insert = self.links.make(one.digest, until)
                self._urls.append(url)
                self._inserts.append(insert)
        return self._urls

    def changed(self, target: Target) -> None:
        """It is told something of its own from now on."""
        self._changed.append(target)

    async def write(self, tx: Tx) -> None:
        for query, rows in self._inserts:
            await tx.many(query, rows)
        await tx.many("change_detail", self._changed)


class Linking(Struct, frozen=True):
    """How an MMS becomes an SMS with links."""

    links: Links
    max_segments: int

    def going(self, ledger: Ledger, asked: Options) -> Going:
        """What the targets share that go on in this transaction."""
        going = Going(asked, self.links, self.max_segments)
        ledger.besides.append(going.write)
        return going

    def fall_back(self, ledger: Ledger, target: Target, table: Table) -> bool:
        """It goes on as an SMS where its message says so, since no carrier takes it as it is. False: it does not."""
        asked = options.read(target.options)
        if not asked.fallback or kind_of(target) == "sms" or target.status not in (Status.QUEUED, Status.HANDED):
            return False
        route = table.first(target.destination, target.customer_id, random.random)
        if not route or _become_sms(target, self.going(ledger, asked)):
            return False
        if target.status is Status.HANDED:
            return ledger.reroute(target, route.carrier_id)
        target.carrier_id = route.carrier_id
        target.steps.append((ledger.now, ROUTED, route.carrier_id))
        ledger.rerouted.add((route.carrier_id, target.lane))
        return ledger.happen(target, Happening.READY, due_at=ledger.now)


def hold(target: Target) -> None:
    """It waits for its media, and is nobody's to send meanwhile."""
    target.due_at, target.error_code, target.error_message = NEVER, MEDIA, ""


def let_go(ledger: Ledger, target: Target, way: Way, going: Going) -> None:
    """It is due when it would have been, or has failed."""
    target.options = going.column
    if not way.code and way.kind == "sms" and (failure := _become_sms(target, going)):
        way = failure
    if way.code:
        ledger.happen(target, Happening.REFUSE, error_code=way.code, error_message=way.words)
        return
    at = max(ledger.now, timing.start_of(target))
    why = timing.why_it_waits(going.asked, target.n) if at > ledger.now else ""
    target.carrier_id = way.carrier_id
    ledger.happen(target, Happening.READY, due_at=at, error_code=why)


def _become_sms(target: Target, going: Going) -> Way | None:
    """An SMS that says where the media are; or why not, where that is too long."""
    own = own_of(target.destination_detail)
    words = "\n".join(filter(None, [going.asked.subject, own.text or target.text, *going.urls(target)]))
    sent = text.smart(words).text if going.asked.smart else words
    parts = text.count_parts(sent)
    if parts > going.max_segments:
        most = going.max_segments
        return Way(code="media_too_large", words=f"as an SMS with links it needs {parts} segments, {most} are allowed")
    said = Own(words, sent if sent != words else "", "sms")
    target.destination_detail = detail_of(address(target.destination, target.destination_detail), said)
    target.parts = parts
    going.changed(target)
    return None
