"""Routes over HTTP, for the operator."""

import random
from collections.abc import Mapping
from typing import Any, cast, get_args

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from messagehub import ids, numbers, routing, shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter, Who
from messagehub.clock import plain
from messagehub.errors import Refusal
from messagehub.routing import Route, Table
from messagehub.shapes.members import MessageKind


async def create(call: Call) -> shapes.Route:
    given = await _checked(call, msgspec.to_builtins(call.body))
    return _shape(await call.services.routes.add(call.now, **given))


async def page(call: Call) -> Page[shapes.Route]:
    return await paging.newest_first(call, call.services.routes.page, _shape)


async def one(call: Call) -> shapes.Route:
    return _shape(await call.services.routes.get(call.id))


async def change(call: Call) -> shapes.Route:
    members = {name: getattr(call.body, name) for name in call.body.__struct_fields__}
    changes = await _checked(call, {name: value for name, value in members.items() if value is not UNSET})
    return _shape(await call.services.routes.change(call.id, call.now, **changes))


async def delete(call: Call) -> shapes.Route:
    route = await call.services.routes.get(call.id)
    await call.services.routes.remove(route.id, call.now)
    return _shape(replace(route, tm_delete=call.now, tm_update=call.now))


async def choose(call: Call) -> shapes.Choices:
    """The routes for a destination in their order, the first choice first."""
    services = call.services
    destination, source = call.address("destination"), call.address("source")
    if not numbers.is_e164(destination):
        raise Refusal("INVALID_REQUEST_PARAMETER", f"destination: {destination!r} is not E.164, such as +15559876543")
    owner = await services.numbers.find(services.store, source) if source else None
    if source and owner is None:
        raise Refusal("INVALID_SOURCE", f"source: {source!r} is a number of nobody's")
    customer_id = owner.customer_id if owner else ""
    kind = _kind(call.query.get("kind", "sms"))
    usable, whole = await services.routes.table(services.store), await services.routes.table_of_all()
    table = usable.of(kind)
    chosen = table.choose(destination, customer_id, random.random)
    others = [route for route in whole.choose(destination, customer_id, random.random) if route not in chosen]
    names = {row.id: row.name for row in await services.carriers.live()}
    return shapes.Choices(
        destination,
        [_choice(route, names, routing.why(route, table.down)) for route in chosen],
        [_choice(route, names, _why_not(route, usable, names, kind)) for route in others],
    )


def _kind(given: str) -> MessageKind:
    if given not in get_args(MessageKind):
        raise Refusal("INVALID_REQUEST_PARAMETER", f"kind: {given!r} is neither sms nor mms")
    return cast(MessageKind, given)


def _why_not(route: Route, usable: Table, names: Mapping[str, str], kind: MessageKind) -> str:
    if route.carrier_id in usable.configs:
        return f"passed over: its carrier takes no {kind.upper()}"
    return f"passed over: its carrier is {'disabled' if route.carrier_id in names else 'no longer there'}"


def _choice(route: Route, names: Mapping[str, str], why: str) -> shapes.Choice:
    carrier_name = names.get(route.carrier_id, "")
    return shapes.Choice(route_id=route.id, carrier_id=route.carrier_id, carrier_name=carrier_name, why=why)


async def _checked(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """The carrier and the customer of a route must be there."""
    if "carrier_id" in given:
        await call.services.carriers.get(given["carrier_id"])
    if given.get("customer_id"):
        await call.services.customers.living(given["customer_id"])
    if "prefix" in given:
        given["prefix"] = given["prefix"].removeprefix("+")
    return given


def _shape(route: Route) -> shapes.Route:
    return shapes.Route(
        id=route.id,
        name=route.name,
        prefix=route.prefix,
        carrier_id=route.carrier_id,
        priority=route.priority,
        weight=route.weight,
        customer_id=route.customer_id,
        tm_create=plain(route.tm_create),
        tm_update=plain(route.tm_update),
        tm_delete=plain(route.tm_delete),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
QUERY = ("INVALID_REQUEST_PARAMETER",)
KINDS = {"type": "string", "enum": list(get_args(MessageKind)), "default": "sms"}
E164 = {"type": "string", "pattern": r"^\+[1-9][0-9]{1,14}$", "examples": ["+15559876543"]}
CHOICE = (
    Parameter("destination", "The E.164 number that a message would go to.", E164, is_required=True),
    Parameter("source", "A number of the customer whose own routes count; without it only general ones do."),
    Parameter("kind", "Of the message: `sms` or `mms`, for which there may be other carriers.", KINDS),
)

ENDPOINTS = [
    Endpoint(
        method="POST", path="/routes", summary="Make a route", who=Who.OPERATOR, takes=shapes.RouteGiven,
        gives=shapes.Route, reasons=("RESOURCE_NOT_FOUND",), example={"carrier_id": ids.UNSET, "prefix": "+44"},
        handler=create,
    ),
    Endpoint(
        method="GET", path="/routes", summary="List routes, newest first", who=Who.OPERATOR,
        gives=Page[shapes.Route], parameters=PAGING, reasons=QUERY, handler=page,
    ),
    Endpoint(
        method="GET", path="/routes/choose", summary="Explain which carriers a message would go to",
        who=Who.OPERATOR, gives=shapes.Choices, parameters=CHOICE, reasons=(*QUERY, "INVALID_SOURCE"),
        handler=choose,
    ),
    Endpoint(
        method="GET", path="/routes/{id}", summary="Get a route", who=Who.OPERATOR, gives=shapes.Route,
        reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/routes/{id}", summary="Change a route; what is left out stays", who=Who.OPERATOR,
        takes=shapes.RouteChange, gives=shapes.Route, reasons=ID, example={"priority": 2}, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/routes/{id}", summary="Remove a route", who=Who.OPERATOR, gives=shapes.Route,
        reasons=ID, handler=delete,
    ),
]  # fmt: skip
