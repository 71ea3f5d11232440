"""Contacts over HTTP."""

from functools import partial
from typing import Any

from messagehub import numbers, shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, WHOSE, Call, Endpoint, Page, Parameter
from messagehub.clock import plain


async def keep(call: Call) -> shapes.Contact:
    given: shapes.ContactGiven = call.body
    customer = await call.services.customers.living(call.caller.acting_for(given.customer_id.lower()))
    address = numbers.checked_e164(given.address)
    return _shape(await call.services.contacts.keep(customer.id, address, given.time_zone, call.now))


async def page(call: Call) -> Page[shapes.Contact]:
    read = partial(call.services.contacts.page, call.whose, call.address("address"))
    return await paging.newest_first(call, read, _shape)


async def one(call: Call) -> shapes.Contact:
    return _shape(await call.services.contacts.get(call.id, call.owner))


async def delete(call: Call) -> shapes.Contact:
    row = await call.services.contacts.get(call.id, call.owner)
    await call.services.contacts.remove(row.id)
    return _shape(row)


def _shape(row: Any) -> shapes.Contact:
    same = {name: getattr(row, name) for name in ("id", "customer_id", "address", "time_zone")}
    return shapes.Contact(**same, tm_create=plain(row.tm_create), tm_update=plain(row.tm_update))


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
ADDRESS = Parameter("address", "Only this one.")

ENDPOINTS = [
    Endpoint(
        method="POST", path="/contacts", summary="Say in which time zone somebody lives; the last word counts",
        takes=shapes.ContactGiven, gives=shapes.Contact,
        reasons=("INVALID_NUMBER", "INVALID_TIME_ZONE", "PERMISSION_DENIED", "RESOURCE_NOT_FOUND"),
        example={"address": "+15559876543", "time_zone": "America/Chicago"}, handler=keep,
    ),
    Endpoint(
        method="GET", path="/contacts", summary="List contacts, newest first", gives=Page[shapes.Contact],
        parameters=(*PAGING, ADDRESS, WHOSE), reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/contacts/{id}", summary="Get a contact", gives=shapes.Contact, reasons=ID, handler=one,
    ),
    Endpoint(
        method="DELETE", path="/contacts/{id}", summary="Forget a contact", gives=shapes.Contact, reasons=ID,
        handler=delete,
    ),
]  # fmt: skip
