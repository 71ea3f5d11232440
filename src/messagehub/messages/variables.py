"""A text with places for variables, `{{name}}`, which says something else to each recipient. Pure.

It is read once and filled for each: what is put in is never read again, so nothing in a value can be a place. Where no
recipient has variables a text is no template, and says what it says.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from messagehub import text
from messagehub.errors import Refusal

OPEN = "{{"
MOST_PLACES = 100
SHOWN = 20
"""Characters of a wrong place that the refusal quotes."""

# Four braces stand for two. Two that begin neither are a slip, and nobody's handset is to show it.
_PLACE = re.compile(r"(?P<braces>\{\{\{\{)|\{\{ ?(?P<name>[A-Za-z_][A-Za-z0-9_]{0,63}) ?\}\}|\{\{")

Value = str | int | float


class Own(Struct, frozen=True):
    """What one recipient is told. `sent_text`: what is sent, where smart encoding writes it otherwise; else empty.

    `kind`: `sms` for who gets an SMS in the place of an MMS; else empty.
    """

    text: str
    sent_text: str = ""
    kind: str = ""


class Template:
    """The pieces of a text, those at odd places being names of variables."""

    def __init__(self, words: str) -> None:
        """Refusal for what is no template."""
        self._pieces: list[str] = [""]
        end = 0
        for match in _PLACE.finditer(words):
            self._pieces[-1] += words[end : match.start()]
            end = match.end()
            if match["name"]:
                self._pieces += [match["name"], ""]
            elif match["braces"]:
                self._pieces[-1] += OPEN
            else:
                raise _no_place(words, match.start())
        self._pieces[-1] += words[end:]
        self.names, self.rest = self._pieces[1::2], "".join(self._pieces[::2])
        if len(self.names) > MOST_PLACES:
            raise Refusal("INVALID_TEXT", f"text: {len(self.names)} variables, where {MOST_PLACES} are allowed")

    def fill(self, values: Mapping[str, Value]) -> str:
        """KeyError for a variable that is not given."""
        filled = list(self._pieces)
        filled[1::2] = [str(values[name]) for name in self.names]
        return "".join(filled)


def _no_place(words: str, at: int) -> Refusal:
    return Refusal(
        "INVALID_TEXT",
        f"text: {words[at : at + SHOWN]!r} at character {at + 1} is no variable; write {{{{name}}}}, "
        "or {{{{ for two braces that are to stay",
    )


def field(n: int) -> str:
    """What a refusal calls the text of a recipient."""
    return f"destinations[{n}].variables: the text"


def own_texts(
    words: str, recipients: Sequence[Any], is_smart: bool, check: Callable[[str, str], None]
) -> list[Own] | None:
    """What each recipient is told; None where none has variables. Refusal names the variable that is missing.

    `check` refuses what is too long, so that it is not made for all: a text, and what a refusal calls it.
    """
    given: list[Mapping[str, Value] | UnsetType] = [getattr(recipient, "variables", UNSET) for recipient in recipients]
    if OPEN not in words or all(values is UNSET for values in given):
        return None
    template, own = Template(words), list[Own]()
    check(template.rest, "text: it")
    for n, values in enumerate(given):
        try:
            filled = template.fill(values or {})
        except KeyError as missing:
            name = missing.args[0]
            raise Refusal(
                "MISSING_VARIABLE",
                f"destinations[{n}].variables.{name}: it is not given, and the text has {{{{{name}}}}}",
            ) from None
        check(filled, field(n))
        sent = text.smart(filled).text if is_smart else filled
        own.append(Own(filled, sent if sent != filled else ""))
    return own
