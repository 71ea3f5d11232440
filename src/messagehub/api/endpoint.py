"""An endpoint is a row: method, path, who may call it, what goes in, what comes out, and the verb behind it."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Struct, field
from starlette.types import Scope

from messagehub import clock, ids
from messagehub.accounts.callers import Caller
from messagehub.api.callers import caller_address
from messagehub.api.representation import Header
from messagehub.api.services import Services
from messagehub.errors import Refusal

T = TypeVar("T")


class Who(Enum):
    """Who may call an endpoint. An operator may call what a customer may, for itself."""

    ANYBODY = "anybody"
    CUSTOMER = "a customer"
    OPERATOR = "the operator"


class Parameter(Struct, frozen=True):
    """A query parameter, as openapi.json tells of it."""

    name: str
    meaning: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    is_required: bool = False


PAGING = (
    Parameter("page_size", "How many at most: 1 to 100, default 100.", {"type": "integer"}),
    Parameter("page_token", "The `next_page_token` of the page before."),
)
CUSTOMER = Parameter("customer_id", "Only those of this customer; for the operator, who else sees those of all.")
WHOSE = Parameter("customer_id", "Whose; for the operator, for whom else it is itself.")


class Page(msgspec.Struct, Generic[T]):
    result: list[T]
    next_page_token: str = ""
    """Empty on the last page."""


class Text(Struct, frozen=True):
    """An answer that is octets already. `kind`: its Content-Type; `more`: headers of its own."""

    body: bytes
    kind: bytes
    more: list[Header] = field(default_factory=list)


class CSV(str):
    """A body that is text/csv; as what an endpoint takes."""


class File:
    """A form with a file; as what an endpoint takes. Its handler reads it in pieces (uploading.Pieces)."""


class Call:
    """One request, as a handler sees it."""

    __slots__ = ("_query", "_scope", "body", "caller", "headers", "now", "octets", "services")

    def __init__(self, services: Services, caller: Caller, scope: Scope, headers: dict[bytes, bytes], now: int) -> None:
        self.services, self.caller, self.headers, self.now = services, caller, headers, now
        self._scope = scope
        self.body: Any = None
        self.octets = b""
        """The body as it came."""
        self._query: dict[str, str] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The members of the body that were sent, of a shape whose members may be left out."""
        members = {name: getattr(self.body, name) for name in self.body.__struct_fields__}
        return {name: value for name, value in members.items() if value is not UNSET}

    @property
    def origin(self) -> str:
        """The address that the request comes from."""
        return caller_address(self._scope, self.headers)

    @property
    def place(self) -> str:
        """Method and path."""
        return f"{self._scope['method']} {self._scope['path']}"

    @property
    def query(self) -> dict[str, str]:
        if self._query is None:
            self._query = read_query(self._scope["query_string"])
        return self._query

    def address(self, name: str) -> str:
        """A query parameter that is a number. A plus that was not written as %2B comes as a space."""
        given = self.query.get(name, "")
        return f"+{given[1:]}" if given.startswith(" ") else given

    def moment(self, name: str, default: int) -> int:
        """A query parameter that is a time, in microseconds; `default` where it is not given."""
        if not (given := self.query.get(name)):
            return default
        try:
            return clock.parse(given)
        except ValueError:
            raise Refusal(
                "INVALID_REQUEST_PARAMETER", f"{name}: {given!r} is no time; write 2026-01-31T10:30:00Z"
            ) from None

    @property
    def id(self) -> str:
        """The id in the path."""
        given: str = self._scope["path_params"]["id"]
        if not ids.is_id(given.lower()):
            raise Refusal("INVALID_ID", f"{given!r} is no UUID")
        return given.lower()

    @property
    def owner(self) -> str | None:
        """Whose things are asked for; None for those of all, as the operator does that names no customer."""
        asked = self.query.get("customer_id", "").lower()
        if asked and not ids.is_id(asked):
            raise Refusal("INVALID_REQUEST_PARAMETER", f"customer_id: {asked!r} is no UUID")
        return (asked or None) if self.caller.is_operator else self.customer_id

    @property
    def whose(self) -> str:
        """As `owner`, but the operator's own where it names nobody."""
        return self.owner or self.customer_id

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


class Endpoint(Struct, frozen=True, kw_only=True):
    method: str
    path: str
    """Below the base path, with `{id}` where an id stands."""
    summary: str
    who: Who = Who.CUSTOMER
    logs_in: bool = False
    """It asks for a password, so it is counted with the logins of an address, and not with its requests."""
    takes: type | None = None
    gives: Any
    content: tuple[str, ...] = ("application/json",)
    """The media types of what it gives; where it is no JSON, the handler returns a Text."""
    reasons: tuple[str, ...] = ()
    """Those of its own, besides the ones that every endpoint has."""
    parameters: tuple[Parameter, ...] = ()
    detail: str = ""
    """What else there is to know, for the page of the API: Markdown."""
    example: dict[str, Any] | None = None
    """A body that works, or would with ids of the reader's own."""
    takes_key: bool = False
    """With an Idempotency-Key it is done once."""
    is_plain: bool = False
    """Its answer is sent as it is, neither compressed nor tagged: what is asked most has no time for that."""
    handler: Handler
