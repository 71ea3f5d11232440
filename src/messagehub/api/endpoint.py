"""An endpoint is a row: method, path, who may call it, what goes in, what comes out, and the verb behind it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec

from messagehub import ids
from messagehub.accounts.keys import Caller
from messagehub.api.services import Services
from messagehub.errors import Refusal

T = TypeVar("T")


class Who(Enum):
    """Who may call an endpoint. An operator may call what a customer may, for itself."""

    ANYBODY = "anybody"
    CUSTOMER = "a customer"
    OPERATOR = "the operator"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter, as openapi.json tells of it."""

    name: str
    meaning: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    is_required: bool = False


PAGING = (
    Parameter("page_size", "How many at most: 1 to 100, default 100.", {"type": "integer"}),
    Parameter("page_token", "The `next_page_token` of the page before."),
)


class Page(msgspec.Struct, Generic[T]):
    result: list[T]
    next_page_token: str = ""
    """Empty on the last page."""


class Call:
    """One request, as a handler sees it."""

    __slots__ = ("_query", "body", "caller", "now", "path", "query_string", "services")

    def __init__(self, services: Services, caller: Caller, path: dict[str, str], query_string: bytes, now: int) -> None:
        self.services, self.caller, self.path, self.query_string, self.now = services, caller, path, query_string, now
        self.body: Any = None
        self._query: dict[str, str] | None = None

    @property
    def query(self) -> dict[str, str]:
        if self._query is None:
            self._query = read_query(self.query_string)
        return self._query

    def address(self, name: str) -> str:
        """A query parameter that is a number. A plus that was not written as %2B comes as a space."""
        given = self.query.get(name, "")
        return f"+{given[1:]}" if given.startswith(" ") else given

    @property
    def id(self) -> str:
        """The id in the path."""
        given = self.path["id"].lower()
        if not ids.is_id(given):
            raise Refusal("INVALID_ID", f"{self.path['id']!r} is no UUID")
        return given

    @property
    def customer_id(self) -> str:
        return self.caller.customer_id

    @property
    def page_size(self) -> int:
        text = self.query.get("page_size", "100")
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()):
            raise Refusal("INVALID_REQUEST_PARAMETER", f"page_size: {text!r} is no integer; give 1 to 100")
        return max(1, min(100, int(text[:9])))


def read_query(query_string: bytes) -> dict[str, str]:
    """The first value of each parameter. Refusal where it is not UTF-8."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Refusal("INVALID_REQUEST_PARAMETER", f"the query string cannot be read: {error}") from None
    if any("\0" in value for _, value in pairs):
        raise Refusal("INVALID_REQUEST_PARAMETER", "the query string holds a NUL")
    return dict(reversed(pairs))


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    method: str
    path: str
    """Below the base path, with `{id}` where an id stands."""
    summary: str
    who: Who = Who.CUSTOMER
    takes: type | None = None
    gives: Any
    reasons: tuple[str, ...] = ()
    """Those of its own, besides the ones that every endpoint has."""
    parameters: tuple[Parameter, ...] = ()
    detail: str = ""
    """What else there is to know, for the page of the API: Markdown."""
    example: dict[str, Any] | None = None
    """A body that works, or would with ids of the reader's own."""
    is_plain: bool = False
    """Its answer is sent as it is, neither compressed nor tagged: what is asked most has no time for that."""
    handler: Handler
