"""Flows over HTTP."""

from functools import partial

from messagehub import shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page
from messagehub.clock import plain
from messagehub.flows.active import listed_shape
from messagehub.flows.flow import Flow


async def create(call: Call) -> shapes.Flow:
    given: shapes.FlowGiven = call.body
    words = {"name": given.name, "detail": given.detail, "on_complete": given.on_complete_flow_id}
    return _shape(await call.services.flows.add(call.customer_id, call.now, given.actions, **words))


async def page(call: Call) -> Page[shapes.Flow]:
    return await paging.newest_first(call, partial(call.services.flows.page, call.customer_id), _shape)


async def one(call: Call) -> shapes.Flow:
    return _shape(await call.services.flows.get(call.id, call.customer_id))


async def change(call: Call) -> shapes.Flow:
    changes = call.given
    actions, on_complete = changes.pop("actions", None), changes.pop("on_complete_flow_id", None)
    changed = await call.services.flows.change(call.id, call.customer_id, call.now, actions, on_complete, **changes)
    return _shape(changed)


async def delete(call: Call) -> shapes.Flow:
    return _shape(await call.services.flows.remove(call.id, call.customer_id, call.now))


def _shape(flow: Flow) -> shapes.Flow:
    return shapes.Flow(
        id=flow.id,
        customer_id=flow.customer_id,
        name=flow.name,
        detail=flow.detail,
        actions=[listed_shape(action) for action in flow.listed],
        on_complete_flow_id=flow.on_complete_flow_id,
        tm_create=plain(flow.tm_create),
        tm_update=plain(flow.tm_update),
        tm_delete=plain(flow.tm_delete),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
ACTIONS = ("INVALID_ACTION_TYPE",)
EXAMPLE = {
    "name": "Confirmation",
    "actions": [{"type": "message_send", "option": {"text": "Thanks for '${voipbin.message.text}'."}}],
}

ENDPOINTS = [
    Endpoint(
        method="POST", path="/flows", summary="Make a flow", takes=shapes.FlowGiven, gives=shapes.Flow,
        reasons=(*ACTIONS, "RESOURCE_NOT_FOUND"), example=EXAMPLE, handler=create,
    ),
    Endpoint(
        method="GET", path="/flows", summary="List your flows, newest first", gives=Page[shapes.Flow],
        parameters=PAGING, reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(method="GET", path="/flows/{id}", summary="Get a flow", gives=shapes.Flow, reasons=ID, handler=one),
    Endpoint(
        method="PUT", path="/flows/{id}", summary="Change a flow; what runs goes on as it was",
        takes=shapes.FlowChange, gives=shapes.Flow, reasons=(*ID, *ACTIONS), example={"name": "Thanks"},
        handler=change,
    ),
    Endpoint(
        method="DELETE", path="/flows/{id}", summary="Delete a flow that answers no number", gives=shapes.Flow,
        reasons=(*ID, "STATE_INVALID"), handler=delete,
    ),
]  # fmt: skip
