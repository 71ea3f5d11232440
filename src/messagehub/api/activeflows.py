"""Activeflows over HTTP: starting flows, looking at them, stopping them."""

from functools import partial
from typing import get_args

from messagehub import ids, shapes
from messagehub.api import customers, paging, repeating
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter, Text
from messagehub.api.heads import KEY
from messagehub.errors import Refusal
from messagehub.flows.active import shape

STATUSES = get_args(shapes.Activeflow.__annotations__["status"])
FILTERS = (
    Parameter("status", "`running` or `ended`.", {"type": "string", "enum": list(STATUSES)}),
    Parameter("flow_id", "Only those of this flow.", {"type": "string", "format": "uuid"}),
)


async def create(call: Call) -> shapes.Activeflow | Text:
    given: shapes.ActiveflowGiven = call.body
    if given.webhook_uri:
        customers.check_webhook_uri(given.webhook_uri, call.services.webhook_allow_private)
    start = partial(call.services.activeflows.start, call.customer_id, given)
    return await repeating.once(call, start, shape) if KEY in call.headers else shape(await start())


async def page(call: Call) -> Page[shapes.Activeflow]:
    status, flow_id = call.query.get("status", ""), call.query.get("flow_id", "").lower()
    if status and status not in STATUSES:
        raise Refusal("INVALID_REQUEST_PARAMETER", f"status: {status!r} is none of {', '.join(STATUSES)}")
    if flow_id and not ids.is_id(flow_id):
        raise Refusal("INVALID_REQUEST_PARAMETER", f"flow_id: {flow_id!r} is no UUID")
    read = partial(call.services.activeflows.page, call.customer_id, status, flow_id)
    return await paging.as_far_as_read(call, read, shape)


async def one(call: Call) -> shapes.Activeflow:
    return shape(await call.services.activeflows.get(call.id, call.customer_id))


async def stop(call: Call) -> shapes.Activeflow:
    return shape(await call.services.activeflows.stop(call.id, call.customer_id, call.now))


async def go_on(call: Call) -> shapes.Activeflow:
    return shape(await call.services.activeflows.go_on(call.id, call.customer_id, call.now))


async def delete(call: Call) -> shapes.Activeflow:
    return shape(await call.services.activeflows.stop(call.id, call.customer_id, call.now, delete=True))


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
ACTION = {"source": "+15551234567", "destinations": ["+15559876543"], "text": "Your code is ${code}"}

ENDPOINTS = [
    Endpoint(
        method="POST", path="/activeflows", summary="Start a flow", takes=shapes.ActiveflowGiven,
        gives=shapes.Activeflow,
        reasons=("INVALID_ACTION_TYPE", "INVALID_WEBHOOK_URI", "RESOURCE_NOT_FOUND"),
        example={"actions": [{"type": "message_send", "option": ACTION}], "variables": {"code": "1234"}},
        takes_key=True, handler=create,
    ),
    Endpoint(
        method="GET", path="/activeflows", summary="List flows that run or have run, newest first",
        gives=Page[shapes.Activeflow], parameters=(*PAGING, *FILTERS), reasons=("INVALID_REQUEST_PARAMETER",),
        handler=page,
    ),
    Endpoint(
        method="GET", path="/activeflows/{id}", summary="See where a flow is, and what it did",
        gives=shapes.Activeflow, reasons=ID, handler=one,
    ),
    Endpoint(
        method="DELETE", path="/activeflows/{id}", summary="Stop a flow, and show it no more",
        gives=shapes.Activeflow, reasons=ID, handler=delete,
    ),
    Endpoint(
        method="POST", path="/activeflows/{id}/stop", summary="Stop a flow", gives=shapes.Activeflow, reasons=ID,
        handler=stop,
    ),
    Endpoint(
        method="POST", path="/activeflows/{id}/continue", summary="Go on with what stands behind a `block`",
        gives=shapes.Activeflow, reasons=(*ID, "STATE_INVALID"), handler=go_on,
    ),
]  # fmt: skip
