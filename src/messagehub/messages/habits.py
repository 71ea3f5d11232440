"""Habits: what each carrier makes of its ids between response and receipt, as its config says or its receipts taught;
and what is done with those that tell of a failure that passes.

`auto` begins with ids as they are. It learns from receipts that match: by their ids as they are, or, of those that
nobody knows, by what a rule makes of them and by their destination. What is learnt stands on the carrier's row, so that
all nodes go by it and a restart does not forget it. Nothing that is learnt keeps anything else from being learnt later.
"""

import logging
from collections.abc import Sequence

from msgspec import Struct

from messagehub.carriers import kinds
from messagehub.carriers.book import park_anew
from messagehub.clock import SECOND
from messagehub.logs import about
from messagehub.smpp.receipt_ids import RULES, Rule, is_enough, learn
from messagehub.store import Store, Tx
from messagehub.store.recent import CHANGED, Recent

log = logging.getLogger(__name__)

AS_IS = RULES["as_is"]
AUTO = "auto"

VALIDITY = 48 * 3600 * SECOND
"""How long after it was to go a target is sent again, where the carrier's config has no validity_period."""

WITNESSES = 4
"""Matches of a batch that are asked what the carrier makes of ids."""


class Habit(Struct, frozen=True):
    """What to do with its receipts.

    `rule`: by which they are matched. `is_auto`: it may be learnt; `is_open`: it was not yet. `retry_after`: seconds
    between the tries of a target that fails for a cause that passes, up to `validity` microseconds after it was to go.
    """

    rule: Rule = AS_IS
    is_auto: bool = True
    is_open: bool = True
    retry_after: Sequence[float] = ()
    validity: int = VALIDITY


class Witness(Struct, frozen=True):
    """A receipt whose segment is known: the ids of both."""

    response_id: str
    receipt_id: str


class Habits:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[str, Habit] = Recent(_read)
        self._recent.follow(store)

    async def of(self, tx: Tx, carrier_id: str) -> Habit:
        return await self._recent.get(tx, carrier_id) or Habit()

    async def learn(self, tx: Tx, carrier_id: str, witnesses: Sequence[Witness], now: int) -> Rule | None:
        """The rule that explains all of them, if there is one, and it is no chance; written down, but not made known.

        What had been given up is looked for anew.
        """
        pairs = [(witness.response_id, witness.receipt_id) for witness in witnesses]
        rule = learn(pairs) if is_enough(pairs) else None
        if rule:
            await tx.run("learn_receipt_id", id=carrier_id, receipt_id_learnt=rule.name)
        if rule and rule is not AS_IS:
            await park_anew(tx, carrier_id, now)
        return rule

    def make_known(self, carrier_id: str, rule: Rule) -> None:
        """After the commit."""
        log.info("what a carrier makes of its ids was learnt", extra=about(carrier_id=carrier_id, receipt_id=rule.name))
        self._store.notify(CHANGED)


async def _read(tx: Tx, carrier_id: str) -> Habit | None:
    row = await tx.one("receipt_terms", id=carrier_id)
    if row is None:
        return None
    wanted = kinds.stored(row.type, row.config)
    is_auto = wanted.receipt_id == AUTO
    name = row.receipt_id_learnt if is_auto else wanted.receipt_id
    return Habit(
        rule=RULES.get(name, AS_IS),
        is_auto=is_auto,
        is_open=not name,
        retry_after=wanted.retry_temporary,
        validity=wanted.validity_period * SECOND or VALIDITY,
    )
