"""What all commands that speak to a running server share: where it is, whose key, and how answers are shown."""

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Literal, ParamSpec, Self

import typer

from messagehub.cli import showing, state
from messagehub.cli.exits import WrongUsage
from messagehub.errors import HubError

if TYPE_CHECKING:
    from messagehub.cli.client import Api, Json
    from messagehub.cli.showing import Columns

P = ParamSpec("P")

Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="MESSAGEHUB_URL", help="The server, such as http://127.0.0.1:8080; default: the running dev."
    ),
]
AccessKey = Annotated[
    str,
    typer.Option("--accesskey", envvar="MESSAGEHUB_ACCESSKEY", help="Whose it is to be; default: the running dev's."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the JSON of the API.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many at most, the newest first.")]
All = Annotated[bool, typer.Option("--all", help="All of them, however many.")]
Traced = Annotated[
    Literal["default", "all"] | None,
    typer.Option("--trace", help="Keep the traces of all its messages, or of those that fail and a sample."),
]
Smart = Annotated[
    bool | None,
    typer.Option(
        "--smart-encoding/--no-smart-encoding", help="Replace typographic characters that cost more segments, or not."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to.")]

SHOWN = 20
"""How many things a list shows unless told otherwise."""


class Role(StrEnum):
    """Who may do it; the value is the name of his key in the state file of `dev`."""

    CUSTOMER = "accesskey"
    OPERATOR = "admin_accesskey"


class Session:
    """One command's talk with a server. The server is looked for when it is first asked something."""

    def __init__(self, url: str, accesskey: str, as_json: bool, role: Role) -> None:
        self._url, self._accesskey = url, accesskey
        self.as_json, self.role = as_json, role

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "api" in self.__dict__:
            self.api.close()

    @functools.cached_property
    def api(self) -> "Api":
        from messagehub.cli.client import Api

        return Api(*_reached(self._url, self._accesskey, self.role))

    def show(self, thing: "Json", **tables: "Columns") -> None:
        """One thing. Its lists that `tables` names are tables of their own."""
        if self.as_json:
            showing.as_json(thing)
        else:
            showing.print_details(thing, tables)

    def list(self, columns: "Columns", limit: int | None, /, *path: str, **query: object) -> None:
        """The first `limit` things of a list; all of them where it is None."""
        rows, more = self.api.rows(*path, limit=limit, **query)
        if self.as_json:
            showing.as_json(rows)
        else:
            showing.print_table(rows, columns, more)

    def remove(self, verb: str, yes: bool, *path: str, name: Callable[["Json"], str]) -> "Json":
        """Deletes what is at `path`, once somebody has said yes. `name` gives the words for it."""
        if not yes:
            showing.require_terminal("--yes")
            showing.confirm(f"{verb} {name(self.api.get(*path))}?")
        return self.api.delete(*path)


def _reached(url: str, key: str, role: Role) -> tuple[str, str]:
    """The address and the key. A key of the running dev goes to no other server than that."""
    from messagehub.cli.client import base

    if url and key:
        return url, key
    try:
        running = state.read("api", role)
    except state.NotRunning as error:
        missing = "no access key" if url else "no server"
        raise HubError(f"{missing}: give {_ways(url)}, or start `messagehub dev` ({error})") from None
    if url and base(url) != base(running["api"]):
        raise HubError(f"no access key for {base(url)}: give {_ways(url)}; `messagehub dev` runs elsewhere")
    return url or running["api"], key or running[role]


def _ways(url: str) -> str:
    name = "accesskey" if url else "url"
    return f"--{name} or MESSAGEHUB_{name.upper()}"


COMMON = [
    Parameter("url", Parameter.KEYWORD_ONLY, default="", annotation=Url),
    Parameter("accesskey", Parameter.KEYWORD_ONLY, default="", annotation=AccessKey),
    Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
]


def speaks_as(role: Role) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[..., None]]:
    """Makes a command of a function that takes a session first: with the options that lead to the server."""

    def decorate(run: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
        @functools.wraps(run)
        def command(*, url: str, accesskey: str, as_json: bool, **given: Any) -> None:
            with Session(url, accesskey, as_json, role) as session:
                run(session, **given)  # type: ignore[call-arg]

        signature = inspect.signature(run)
        own = list(signature.parameters.values())[1:]
        command.__signature__ = signature.replace(parameters=[*own, *COMMON])  # type: ignore[attr-defined]
        return command

    return decorate


operator = speaks_as(Role.OPERATOR)
customer = speaks_as(Role.CUSTOMER)


def group(meaning: str) -> typer.Typer:
    """The commands of one noun."""
    return typer.Typer(help=meaning, no_args_is_help=True, rich_markup_mode="rich")


def given(**members: Any) -> dict[str, Any]:
    """What was said on the command line; None is what was not."""
    return {name: value for name, value in members.items() if value is not None}


def changes(**members: Any) -> dict[str, Any]:
    """The same of a change, which must change something."""
    if not (said := given(**members)):
        raise WrongUsage("nothing to change was given; see --help")
    return said
