"""Consents over HTTP."""

from functools import partial
from typing import Any

from messagehub import numbers, shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, WHOSE, Call, Endpoint, Page, Parameter
from messagehub.clock import plain
from messagehub.people import lists, scopes
from messagehub.people.consents import Consent


async def add(call: Call) -> shapes.Consent:
    given: shapes.ConsentGiven = call.body
    customer = await call.services.customers.living(call.caller.acting_for(given.customer_id.lower()))
    numbers.checked_e164(given.address)
    same = {name: getattr(given, name) for name in ("address", "method", "words", "evidence", "ip")}
    return _shape(
        await call.services.consents.add(
            call.now,
            **same,
            customer_id=customer.id,
            scope=scopes.checked(given.scope),
            actor=call.customer_id,
            tm_given=lists.moment(given.tm_given, "tm_given") if given.tm_given else call.now,
        )
    )


async def page(call: Call) -> Page[shapes.Consent]:
    read = partial(call.services.consents.page, call.whose, call.address("address"))
    return await paging.newest_first(call, read, _shape)


async def one(call: Call) -> shapes.Consent:
    return _shape(await call.services.consents.get(call.id, call.owner))


async def withdraw(call: Call) -> shapes.Consent:
    consents, words = call.services.consents, call.body.words
    return _shape(await consents.withdraw(call.id, call.owner, call.customer_id, words, call.now))


SAME = (
    "id", "customer_id", "address", "scope", "method", "words", "evidence", "ip", "actor", "withdrawn_by",
    "withdrawn_words",
)  # fmt: skip


def _shape(consent: Consent) -> shapes.Consent:
    same: dict[str, Any] = {name: getattr(consent, name) for name in SAME}
    times = {name: plain(getattr(consent, name)) for name in ("tm_given", "tm_withdraw", "tm_create")}
    return shapes.Consent(**same, **times)


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
ADDRESS = Parameter("address", "Only this person's.")

ENDPOINTS = [
    Endpoint(
        method="POST", path="/consents", summary="Write down that somebody has agreed to get marketing",
        takes=shapes.ConsentGiven, gives=shapes.Consent,
        reasons=("INVALID_NUMBER", "INVALID_SCOPE", "PERMISSION_DENIED", "RESOURCE_NOT_FOUND"),
        example={"address": "+15559876543", "method": "web_form", "words": "Yes, send me offers by SMS"}, handler=add,
    ),
    Endpoint(
        method="GET", path="/consents", summary="List consents, newest first", gives=Page[shapes.Consent],
        parameters=(*PAGING, ADDRESS, WHOSE), reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/consents/{id}", summary="Get a consent", gives=shapes.Consent, reasons=ID, handler=one,
    ),
    Endpoint(
        method="POST", path="/consents/{id}/withdraw", summary="Write down that it was withdrawn",
        takes=shapes.WithdrawalGiven, gives=shapes.Consent, reasons=(*ID, "STATE_INVALID"), example={},
        handler=withdraw,
    ),
]  # fmt: skip
