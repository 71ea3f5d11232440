"""Flows, and those that run."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from messagehub.shapes.members import Detail, Name, Request

ActionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{0,64}\Z")]


class ActionGiven(Request):
    type: str
    id: ActionId = ""
    """By which other actions go on here; left out, it gets one."""
    next_id: ActionId = ""
    """Where it goes on; left out: at the next in the list."""
    option: dict[str, Any] = {}
    """Of its type: docs/actions.md."""
    tm_execute: str = ""
    """Passed over: flows that were read can be written back as they are."""


class FlowGiven(Request):
    actions: Annotated[list[ActionGiven], Meta(extra_json_schema={"minItems": 1, "maxItems": 100})]
    name: Name = ""
    detail: Detail = ""
    on_complete_flow_id: str = ""
    """The flow that follows when this one has come to its end."""


class FlowChange(Request):
    actions: Annotated[list[ActionGiven], Meta(extra_json_schema={"minItems": 1, "maxItems": 100})] | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    on_complete_flow_id: str | UnsetType = UNSET


class Action(Struct):
    id: ActionId
    next_id: ActionId
    type: str
    option: dict[str, Any]
    tm_execute: str
    """When it was done; in a flow, never."""


class Flow(Struct, kw_only=True):
    id: str
    customer_id: str
    type: Literal["flow"] = "flow"
    name: str
    detail: str
    actions: list[Action]
    on_complete_flow_id: str
    tm_create: str
    tm_update: str
    tm_delete: str


class ActiveflowGiven(Request):
    flow_id: str = ""
    """One of your flows; without one, `actions` are needed."""
    actions: list[ActionGiven] = []
    variables: dict[str, str] = {}
    """At most 100, and 64 KiB in all; names that begin with `voipbin.` are the program's."""
    on_complete_flow_id: str = ""
    webhook_uri: str = ""
    """Is told when it has ended."""
    webhook_method: Literal["", "POST", "GET", "PUT", "DELETE"] = ""


class ExecutedAction(Action):
    """An action that was done; its options are as they were then, with variables in their places."""

    result: str


class Activeflow(Struct, kw_only=True):
    id: str
    customer_id: str
    flow_id: str
    status: Literal["running", "ended"]
    reference_type: Literal["message", "api"]
    """What began it."""
    reference_id: str
    """The message that began it."""
    number: str
    """The number of yours, and the person, between whom it speaks; empty while there are none."""
    person: str
    current_action: Action
    executed_actions: list[ExecutedAction]
    """The last 100 of them."""
    executed_count: int
    forward_action_id: ActionId
    on_complete_flow_id: str
    variables: dict[str, str]
    end_reason: str
    """Why it has ended, in one word; empty while it runs."""
    end_detail: str
    """The same in words."""
    tm_wake: str
    """When it goes on by itself: after a sleep, when a reply is waited for no longer, or to try again to send."""
    tm_create: str
    tm_update: str
    tm_delete: str


class ActiveflowEvent(Struct):
    """What its `webhook_uri` is told."""

    type: str
    data: Activeflow
