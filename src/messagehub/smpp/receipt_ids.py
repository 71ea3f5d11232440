"""What carriers make of an id between submit_sm_resp and the receipt, and how to find out which it is.

A rule gives a key for the id of the response and one for the id of the receipt; they are of the same message where the
keys are equal. A rule is for one carrier, which was configured so or from whose traffic it was learnt. To try all rules
on every receipt would sooner or later give a message the receipt of another: 10 is 0x10, or 16, or 00000010.

Who looks ids up cannot compare keys, so a rule also spells out by which ids the other side may have gone.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

Form = Callable[[str], str]
"""Gives an id in another form, or as it is where it has no such form. Never raises."""

Spell = Callable[[str], Iterable[str]]
"""Gives the ids by which the other side may know this one, the likeliest first. Never raises."""

# 32 digits are a UUID without its hyphens, which is no number.
_ANY = re.compile(r".*", re.DOTALL)
_DECIMAL = re.compile(r"[0-9]{1,31}")
_HEX = re.compile(r"(?:0x)?([0-9a-f]{1,31})", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"[0-9a-f]{1,31}", re.IGNORECASE | re.ASCII)

WIDTHS = (8, 10, 16, 20)
"""Digits to which SMSCs are known to fill their numbers with zeros."""

LONG = 6
"""Characters of an id that no other id is like by chance."""


def as_is(message_id: str) -> str:
    return message_id


def lower(message_id: str) -> str:
    return message_id.lower()


def without_zeros(message_id: str) -> str:
    """Lower case, and a number without leading zeros; of nothing but zeros one stays."""
    folded = message_id.lower()
    return folded.lstrip("0") or "0" if _DIGITS.fullmatch(folded) else folded


def hex_to_decimal(message_id: str) -> str:
    """SMPP 3.3 ids are hex of up to 8 characters; SMSCs that were made for it still give them so."""
    match = _HEX.fullmatch(message_id)
    return str(int(match[1], 16)) if match else message_id


def decimal_to_hex(message_id: str) -> str:
    """Lower case, without leading zeros."""
    return f"{int(message_id):x}" if _DECIMAL.fullmatch(message_id) else message_id


def _decimal(message_id: str) -> str:
    return without_zeros(message_id) if _DECIMAL.fullmatch(message_id) else message_id


def _alone(message_id: str) -> Iterable[str]:
    return (message_id,)


def _cases(message_id: str) -> Iterable[str]:
    return message_id, message_id.lower(), message_id.upper()


def _filled(message_id: str) -> Iterable[str]:
    """In either case, without zeros in front and with as many as SMSCs put there."""
    bare = without_zeros(message_id)
    widths = (0, *WIDTHS) if _DIGITS.fullmatch(bare) else (0,)
    return message_id, *(each for width in widths for each in _cases(bare.zfill(width)))


def _in_hex(message_id: str) -> Iterable[str]:
    if not _DECIMAL.fullmatch(message_id):
        return (message_id,)
    digits = decimal_to_hex(message_id)
    return *_filled(digits), f"0x{digits}", f"0x{digits.upper()}"


def _in_decimal(message_id: str) -> Iterable[str]:
    return _filled(hex_to_decimal(message_id)) if _HEX.fullmatch(message_id) else (message_id,)


class Rule(Struct, frozen=True):
    """`response` and `receipt` give equal keys for ids of the same message.

    Rules of one `family` only differ in how strict they are. `about` are the looks of ids of both sides from which
    the rule can be learnt; ids of other looks it leaves as they are. `to_response` spells ids of receipts as the
    response may have had them, and `to_receipt` the other way round.
    """

    name: str
    family: str
    response: Form
    receipt: Form
    to_response: Spell = _alone
    to_receipt: Spell = _alone
    about: tuple[re.Pattern[str], re.Pattern[str]] = (_ANY, _ANY)

    def match(self, response_id: str, receipt_id: str) -> bool:
        return self.response(response_id) == self.receipt(receipt_id)

    def responses(self, receipt_id: str) -> list[str]:
        """The ids that the response to the same message may have had."""
        return [one for one in dict.fromkeys(self.to_response(receipt_id)) if self.match(one, receipt_id)]

    def receipts(self, response_id: str) -> list[str]:
        """The ids that receipts of the same message may have."""
        return [one for one in dict.fromkeys(self.to_receipt(response_id)) if self.match(response_id, one)]


SAME = "same"
"""The family of rules by which an id that is equal to another is always of the same message."""

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (  # in each family the strictest first
        Rule("as_is", SAME, as_is, as_is),
        Rule("any_case", SAME, lower, lower, _cases, _cases),
        Rule("without_zeros", SAME, without_zeros, without_zeros, _filled, _filled),
        Rule("hex_to_dec", "hex_to_dec", hex_to_decimal, _decimal, _in_hex, _in_decimal, (_HEX, _DECIMAL)),
        Rule("dec_to_hex", "dec_to_hex", _decimal, hex_to_decimal, _in_decimal, _in_hex, (_DECIMAL, _HEX)),
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


def is_enough(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether what fits these pairs does not do so by chance: there are two, or the ids are long."""
    known = {*pairs}
    return len(known) > 1 or all(min(map(len, pair)) >= LONG for pair in known)


def _explains(rule: Rule, pairs: list[tuple[str, str]]) -> bool:
    responses = {response for response, _ in pairs}
    keys = {rule.response(response) for response in responses}
    of_response, of_receipt = rule.about
    told_apart = len(keys) == len(responses)
    return told_apart and all(
        rule.match(response, receipt) and of_response.fullmatch(response) and of_receipt.fullmatch(receipt)
        for response, receipt in pairs
    )
