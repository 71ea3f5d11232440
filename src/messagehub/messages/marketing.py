"""Marketing on the way of messages: only to those who have agreed, where their customer wants that, and at no hour at
which people sleep. All else is shown to this check, and passes."""

from collections.abc import Mapping, Sequence

from messagehub.accounts.customers import Customer, Customers
from messagehub.carriers.carrier import TargetKey
from messagehub.messages import options
from messagehub.messages.gate import Stop
from messagehub.messages.target import Target
from messagehub.numbers import Numbers
from messagehub.people import quiet, scopes, zones
from messagehub.people.quiet import Quiet
from messagehub.shapes import QuietHours
from messagehub.store import Tx

NONE: dict[TargetKey, Stop] = {}
MARKETING = "marketing"
NO_CONSENT = Stop("no_consent")
NO_HOUR = Stop("quiet_hours")

Person = tuple[str, str]
"""The ids of a customer, and an address."""


def is_marketing(target: Target) -> bool:
    """Whether its message is of the class marketing."""
    return options.read(target.options).traffic_class == MARKETING


class Marketing:
    def __init__(self, customers: Customers, numbers: Numbers) -> None:
        self._customers, self._numbers = customers, numbers

    async def stops(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        marketing = [target for target in targets if target.options and is_marketing(target)]
        if not marketing:
            return NONE
        owners = {id: await self._customers.get(tx, id) for id in {one.customer_id for one in marketing}}
        stopped = await self._without_consent(tx, marketing, owners, now)
        awake = [
            one
            for one in marketing
            if (one.message_id, one.n) not in stopped and owners[one.customer_id].manners.quiet_hours.enabled
        ]
        return stopped | await self._asleep(tx, awake, owners, now)

    async def _without_consent(
        self, tx: Tx, targets: Sequence[Target], owners: Mapping[str, Customer], now: int
    ) -> dict[TargetKey, Stop]:
        asked = [target for target in targets if owners[target.customer_id].manners.require_consent]
        agreed: dict[Person, set[str]] = {}
        for row in await tx.many("consents_of", [{**key, "now": now} for key in _people(asked)]):
            agreed.setdefault((row.customer_id, row.address), set()).add(row.scope)
        stopped = {}
        for target in asked:
            number = await self._numbers.find(tx, target.source)
            scopes_of_person = agreed.get((target.customer_id, target.destination), set())
            if scopes_of_person.isdisjoint(scopes.around(target.source, number)):
                stopped[target.message_id, target.n] = NO_CONSENT
        return stopped

    async def _asleep(
        self, tx: Tx, targets: Sequence[Target], owners: Mapping[str, Customer], now: int
    ) -> dict[TargetKey, Stop]:
        rows = await tx.many("contact_at", _people(targets))
        known = {(row.customer_id, row.address): (row.time_zone,) for row in rows}
        stopped = {}
        for target in targets:
            places = known.get((target.customer_id, target.destination)) or zones.of_number(target.destination)
            hours = _hours(owners[target.customer_id].manners.quiet_hours, target.destination)
            until = quiet.until(now, places, hours)
            if until is None:
                stopped[target.message_id, target.n] = NO_HOUR
            elif until > now:
                words = f"quiet hours in {places[0]}" + (f" and {len(places) - 1} more" if places[1:] else "")
                stopped[target.message_id, target.n] = Stop("quiet_hours", words, until)
        return stopped


def _people(targets: Sequence[Target]) -> list[dict[str, str]]:
    people = {(target.customer_id, target.destination) for target in targets}
    return [{"customer_id": customer_id, "address": address} for customer_id, address in sorted(people)]


def _hours(wished: QuietHours, address: str) -> Quiet:
    if not wished.from_:
        return quiet.of_country(address)
    return Quiet(quiet.at(wished.from_), quiet.at(wished.to))
