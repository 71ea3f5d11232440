"""Whether a name or a short code may write to a country: the table, and what the operator says instead.

Senders that are E.164 numbers are not asked about: this costs them nothing.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from messagehub.errors import Refusal
from messagehub.numbers import SHORT_CODE, Number
from messagehub.senders.countries import COUNTRIES, NO, REGISTERED, Country, country_of
from messagehub.store import Store, Tx
from messagehub.store.recent import CHANGED, Recent

DEFAULT = "default"
"""What the table says."""

EVERYBODY = ""
MOST_NAMED = 100
"""Destinations that one refusal names."""

Overruled = Mapping[tuple[str, str], str]
"""By country and customer."""


class Rule(Struct, frozen=True):
    country: Country
    is_overruled: bool


class SenderRules:
    def __init__(self, store: Store, is_enforced: bool = True) -> None:
        self._store, self._is_enforced = store, is_enforced
        self._recent: Recent[str, Overruled] = Recent(_read, seconds=30)
        self._recent.follow(store)

    async def check(self, tx: Tx, source: Number, destinations: Sequence[str]) -> None:
        """Refusal for a sender that may not write to one of the destinations. It says to which, and why."""
        if not self._is_enforced:
            return
        overruled = await self._recent.get(tx, "") or {}
        refused = [
            (n, to, why) for n, to in enumerate(destinations) if (why := _why_not(source, country_of(to), overruled))
        ]
        if refused:
            n, to, why = refused[0]
            details: list[dict[str, object]] = [
                {"field": f"destinations[{n}]", "destination": to, "why": why} for n, to, why in refused[:MOST_NAMED]
            ]
            words = f"source: {source.number!r} cannot write to destinations[{n}] ({to}): {why}"
            raise Refusal("INVALID_SOURCE", words, tuple(details))

    async def allowed(self, tx: Tx, sources: Sequence[Number], destination: str) -> list[Number]:
        """Those that may write there."""
        if not self._is_enforced:
            return list(sources)
        overruled, country = await self._recent.get(tx, "") or {}, country_of(destination)
        return [one for one in sources if one.number[0] == "+" or not _why_not(one, country, overruled)]

    async def all(self, customer_id: str = EVERYBODY) -> list[Rule]:
        """What is so for a customer, or for all, by the countries' codes."""
        overruled = await self._recent.get(self._store, "") or {}
        return [_rule(country, customer_id, overruled) for country in COUNTRIES.values()]

    async def set(self, code: str, customer_id: str, alphanumeric: str) -> Rule:
        """Refusal for a country that the table does not have."""
        if (country := COUNTRIES.get(code)) is None:
            raise Refusal("RESOURCE_NOT_FOUND", f"country: the table has no {code!r}; GET /sender_rules shows it")
        whose = {"country": code, "customer_id": customer_id}
        if alphanumeric == DEFAULT:
            await self._store.run("drop_sender_rule", **whose)
        else:
            await self._store.run("keep_sender_rule", **whose, alphanumeric=alphanumeric)
        self._store.notify(CHANGED)
        return _rule(country, customer_id, await _read(self._store, ""))

    async def release(self, tx: Tx, owner_id: str) -> None:
        """Forgets what was said for a customer. Notify CHANGED after the commit."""
        await tx.run("drop_sender_rules_of", customer_id=owner_id)


def _rule(country: Country, customer_id: str, overruled: Overruled) -> Rule:
    for whose in (customer_id, EVERYBODY):
        if said := overruled.get((country.code, whose)):
            return Rule(replace(country, alphanumeric=said), True)
    return Rule(country, False)


def _why_not(source: Number, country: Country | None, overruled: Overruled) -> str:
    """Empty where it may. Of a short code of which nobody said where it is at home, nothing is known."""
    if country is None:
        return ""
    registered = source.registered_in.split()
    place = f"{country.name} ({f'+{country.prefixes[0]}' if len(country.prefixes) == 1 else country.code})"
    if SHORT_CODE.fullmatch(source.number):
        if not registered or country.code in registered:
            return ""
        return f"it is a short code of {', '.join(registered)}, and there is no such number in {place}; use another"
    allowed = _rule(country, source.customer_id, overruled).country.alphanumeric
    if allowed == NO:
        return f"alphanumeric senders are not allowed in {place}; use a number"
    if allowed == REGISTERED and country.code not in registered:
        return (
            f"alphanumeric senders have to be registered in {place}; once it is, the operator adds {country.code} to "
            "its registered_in"
        )
    return ""


async def _read(tx: Tx, _: str) -> Overruled:
    return {(row.country, row.customer_id): row.alphanumeric for row in await tx.all("sender_rules")}
