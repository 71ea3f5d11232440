"""What carriers make of an id between submit_sm_resp and the receipt, and how to find out which it is.

A rule gives a key for the id of the response and one for the id of the receipt; they are of the same message where the
keys are equal. A rule is for one carrier, which was configured so or from whose traffic it was learnt. To try all rules
on every receipt would sooner or later give a message the receipt of another: 10 is 0x10, or 16, or 00000010.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Form = Callable[[str], str]
"""Gives an id in another form, or as it is where it has no such form. Never raises."""

_ANY = re.compile(r".*", re.DOTALL)
_DECIMAL = re.compile(r"[0-9]{1,64}")
_HEX = re.compile(r"(?:0x)?([0-9a-f]{1,64})", re.IGNORECASE | re.ASCII)


def as_is(message_id: str) -> str:
    return message_id


def lower(message_id: str) -> str:
    return message_id.lower()


def without_zeros(message_id: str) -> str:
    """Lower case, without leading zeros; of nothing but zeros one stays."""
    return message_id.lower().lstrip("0") or message_id[-1:]


def hex_to_decimal(message_id: str) -> str:
    """SMPP 3.3 ids are hex of up to 8 characters; SMSCs that were made for it still give them so."""
    match = _HEX.fullmatch(message_id)
    return str(int(match[1], 16)) if match else message_id


def decimal_to_hex(message_id: str) -> str:
    """Lower case, without leading zeros."""
    return f"{int(message_id):x}" if _DECIMAL.fullmatch(message_id) else message_id


def _decimal(message_id: str) -> str:
    return without_zeros(message_id) if _DECIMAL.fullmatch(message_id) else message_id


@dataclass(frozen=True, slots=True)
class Rule:
    """`response` and `receipt` give equal keys for ids of the same message.

    Rules of one `family` only differ in how strict they are. `about` are the looks of ids of both sides from which
    the rule can be learnt; ids of other looks it leaves as they are.
    """

    name: str
    family: str
    response: Form
    receipt: Form
    about: tuple[re.Pattern[str], re.Pattern[str]] = (_ANY, _ANY)

    def match(self, response_id: str, receipt_id: str) -> bool:
        return self.response(response_id) == self.receipt(receipt_id)


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (  # in each family the strictest first
        Rule("as_is", "same", as_is, as_is),
        Rule("any_case", "same", lower, lower),
        Rule("without_zeros", "same", without_zeros, without_zeros),
        Rule("hex_in_response", "hex_in_response", hex_to_decimal, _decimal, (_HEX, _DECIMAL)),
        Rule("hex_in_receipt", "hex_in_receipt", _decimal, hex_to_decimal, (_DECIMAL, _HEX)),
    )
}


def learn(pairs: Iterable[tuple[str, str]]) -> Rule | None:
    """The strictest rule by which every receipt finds its own response and no other.

    `pairs` are ids of response and receipt that are known to be of one message, by its addresses and time for example.
    None where no rule explains them all, or where two families do (`5` may be anything): more pairs may tell.
    """
    known = [*dict.fromkeys(pairs)]
    fitting = [rule for rule in RULES.values() if known and _explains(rule, known)]
    return fitting[0] if len({rule.family for rule in fitting}) == 1 else None


def _explains(rule: Rule, pairs: list[tuple[str, str]]) -> bool:
    responses = {response for response, _ in pairs}
    keys = {rule.response(response) for response in responses}
    of_response, of_receipt = rule.about
    told_apart = len(keys) == len(responses)
    return told_apart and all(
        rule.match(response, receipt) and of_response.fullmatch(response) and of_receipt.fullmatch(receipt)
        for response, receipt in pairs
    )
