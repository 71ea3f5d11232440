"""Who may call what, printed from the table of endpoints: docs/rights.md."""

from collections.abc import Iterator
from itertools import groupby

from messagehub.api.asgi import ENDPOINTS
from messagehub.api.endpoint import Endpoint, Who

NOBODY = {Who.ANYBODY: "yes", Who.CUSTOMER: "401", Who.OPERATOR: "401"}
CUSTOMER = {Who.ANYBODY: "yes", Who.CUSTOMER: "its own", Who.OPERATOR: "403"}
HEAD = "| method | path | nobody | a customer | the operator | |\n| --- | --- | --- | --- | --- | --- |"


def as_markdown() -> str:
    """A table per noun, which is the first word of a path."""
    placed = sorted(ENDPOINTS, key=_noun)
    parts = (f"## {noun}\n\n{HEAD}\n" + "\n".join(_rows(places)) for noun, places in groupby(placed, _noun))
    return "\n\n".join(parts)


def _rows(places: Iterator[tuple[str, Endpoint]]) -> Iterator[str]:
    for base, row in places:
        path = f"`{row.method}` | `{base}{row.path}`"
        yield f"| {path} | {NOBODY[row.who]} | {CUSTOMER[row.who]} | yes | {row.summary} |"


def _noun(place: tuple[str, Endpoint]) -> str:
    return place[1].path.split("/")[1]
