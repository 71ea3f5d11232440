"""Scopes: which messages of a customer an opt-out or a consent is about. Pure."""

from messagehub.errors import Refusal
from messagehub.numbers import Number, can_be_owned
from messagehub.shapes import OptOutScope

CUSTOMER = "customer"
_GROUP, _NUMBER = "group:", "number:"


def of_number(number: str) -> str:
    return _NUMBER + number


def of(number: Number, wish: OptOutScope) -> str:
    """What an opt-out in answer to a number is about. One without a group stands alone."""
    if wish == "customer":
        return CUSTOMER
    return _GROUP + number.sender_group if wish == "group" and number.sender_group else of_number(number.number)


def around(source: str, number: Number | None) -> tuple[str, ...]:
    """All scopes that a message from `source` is in; `number`: that, where it is known."""
    group = number.sender_group if number else ""
    return (CUSTOMER, of_number(source), _GROUP + group) if group else (CUSTOMER, of_number(source))


def checked(given: str, field: str = "scope") -> str:
    """Refusal for what is no scope."""
    kind, _, name = given.partition(":")
    is_known = given == CUSTOMER or (kind == "number" and can_be_owned(name)) or (kind == "group" and _is_group(name))
    if not is_known:
        words = "give customer, group:NAME or number:+15551234567"
        raise Refusal("INVALID_SCOPE", f"{field}: {given[:80]!r} is no scope; {words}")
    return given


def _is_group(name: str) -> bool:
    return 0 < len(name) <= 64 and name.isascii() and all(each.isalnum() or each in "._-" for each in name)
