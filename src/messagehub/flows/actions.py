"""Actions: one table says which there are, what each wants to know and what it means; lists of them are checked."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from messagehub import ids
from messagehub.errors import Refusal
from messagehub.flows import options
from messagehub.flows.options import Option
from messagehub.flows.variables import has_variables
from messagehub.shapes import ActionGiven, words

START = "00000000-0000-0000-0000-000000000001"
FINISH = "00000000-0000-0000-0000-000000000002"
"""Reserved ids: the first action of a list, and its end."""

MOST_ACTIONS = 100
MOST_OCTETS = 64 * 1024
"""Of all actions of a flow, as JSON."""


class Kind(Struct, frozen=True):
    option: type[Option]
    meaning: str
    targets: tuple[str, ...] = ()
    """Members that name an action, or hold names of actions as their values."""
    raw: tuple[str, ...] = ()
    """Members whose variables are not put in before the action runs."""


KINDS = {
    "message_send": Kind(options.MessageSend, "Sends a message, as `POST /messages` does."),
    "conversation_send": Kind(options.ConversationSend, "Sends a message in a conversation."),
    "variable_set": Kind(options.VariableSet, "Sets a variable."),
    "condition_variable": Kind(
        options.ConditionVariable, "Goes on at the next action, or elsewhere, by what a variable holds.",
        targets=("false_target_id",), raw=("variable",),
    ),
    "condition_datetime": Kind(
        options.ConditionDatetime, "Likewise, by the time of day, the date or the weekday.",
        targets=("false_target_id",),
    ),
    "branch": Kind(
        options.Branch, "Goes on where the value of a variable says, exactly as it is written.",
        targets=("target_ids", "default_target_id"), raw=("variable",),
    ),
    "goto": Kind(options.Goto, "Goes on elsewhere, so many times.", targets=("target_id",)),
    "wait_reply": Kind(
        options.WaitReply, "Waits for the person's next message to the number.", targets=("timeout_target_id",)
    ),
    "sleep": Kind(options.Sleep, "Waits. A restart of the server does not matter."),
    "webhook_send": Kind(options.WebhookSend, "Sends a request to any public address.", raw=("uri", "data")),
    "fetch": Kind(
        options.Fetch,
        "Asks your server for actions, a JSON array of them; they are done before the next action.",
        raw=("event_url",),
    ),
    "fetch_flow": Kind(options.FetchFlow, "Does the actions of another flow of yours before the next action."),
    "block": Kind(options.Nothing, "Waits for `POST /activeflows/{id}/continue`."),
    "stop": Kind(options.Nothing, "Ends the flow."),
}  # fmt: skip
"""Every type of action."""

MAY_BE_LEFT_OUT = ("next_id", "option.default_target_id", "option.timeout_target_id")
"""Of the members that name an action."""

VOICE = {
    "ai_summary", "ai_talk", "ai_task", "amd", "answer", "beep", "call", "conference_join", "confbridge_join",
    "connect", "condition_call_digits", "condition_call_status", "digits_receive", "digits_send", "echo",
    "email_send", "empty", "external_media_start", "external_media_stop", "hangup", "mute", "play", "queue_join",
    "recording_start", "recording_stop", "stream_echo", "talk", "team_talk", "transcribe_recording",
    "transcribe_start", "transcribe_stop",
}  # fmt: skip
"""Actions of the reference API that are about calls, e-mail or chat."""


class Action(Struct, frozen=True):
    """One step. `next_id` names the one after it, also where that is the next in the list; FINISH ends the list."""

    id: str
    type: str
    option: dict[str, Any] = {}
    next_id: str = FINISH


class Listed(Struct, frozen=True):
    """An action as a flow keeps it: `next_id` is unset where the next in the list follows."""

    id: str
    type: str
    option: dict[str, Any] = {}
    next_id: str = ids.UNSET


_decode = msgspec.json.Decoder(list[Listed]).decode
_encode = msgspec.json.Encoder().encode


def read(stored: str) -> list[Listed]:
    return _decode(stored)


def write(actions: Sequence[Listed]) -> str:
    return _encode(actions).decode()


def linked(actions: Sequence[Listed]) -> dict[str, Action]:
    """By their ids, in their order, each with the id of the one that follows it."""
    following = [*(action.id for action in actions[1:]), FINISH]
    first = actions[0].id if actions else FINISH
    named = {"": "", ids.UNSET: "", START: first}
    return {
        action.id: Action(action.id, action.type, action.option, named.get(action.next_id, action.next_id) or after)
        for action, after in zip(actions, following, strict=True)
    }


# --- checking ---------------------------------------------------------------------------


def checked(given: Sequence[ActionGiven]) -> list[Listed]:
    """Refusal names the action, by its place and id, and the member that is wrong."""
    if not 1 <= len(given) <= MOST_ACTIONS:
        raise Refusal("INVALID_ARGUMENT", f"actions: {len(given)} are given; a flow has 1 to {MOST_ACTIONS}")
    listed = [_listed(action, place(n, action)) for n, action in enumerate(given)]
    known = {START, FINISH}
    for n, action in enumerate(listed):
        if action.id in known:
            why = "is reserved" if action.id in (START, FINISH) else "stands twice"
            raise Refusal("INVALID_ARGUMENT", f"{place(n, given[n])}.id: {action.id} {why}")
        known.add(action.id)
    for n, action in enumerate(listed):
        _check_targets(action, place(n, given[n]), known)
    if (size := len(_encode(listed))) > MOST_OCTETS:
        raise Refusal("INVALID_ARGUMENT", f"actions: {size} octets of JSON, where {MOST_OCTETS} are allowed")
    return listed


def place(n: int, action: ActionGiven) -> str:
    return f"actions[{n}]" + (f" ({action.id})" if action.id not in ("", ids.UNSET) else "")


def _listed(given: ActionGiven, where: str) -> Listed:
    kind = KINDS.get(given.type)
    if kind is None:
        what = "is of calls, e-mail or chat, which are not carried here" if given.type in VOICE else "is not known"
        known = ", ".join(KINDS)
        raise Refusal("INVALID_ACTION_TYPE", f"{where}.type: {given.type!r} {what}; there are {known}")
    try:
        option = msgspec.convert(given.option, kind.option)
    except msgspec.ValidationError as error:
        raise Refusal("INVALID_ARGUMENT", f"{where}.option{_member(error, kind.option)}") from None
    for member, why in option.wrong():
        raise Refusal("INVALID_ARGUMENT", f"{where}.option.{member}: {why}")
    id = ids.new() if given.id in ("", ids.UNSET) else given.id
    return Listed(id, given.type, given.option, given.next_id or ids.UNSET)


def _member(error: msgspec.ValidationError, kind: type) -> str:
    said = words(str(error), kind=kind)
    return f": {said.removeprefix('the body: ')}" if said.startswith("the body: ") else f".{said}"


def _check_targets(action: Listed, where: str, known: set[str]) -> None:
    for member, target in _targets(action):
        is_left_out = target in ("", ids.UNSET) and member in MAY_BE_LEFT_OUT
        if not (is_left_out or target in known or has_variables(target)):
            raise Refusal("INVALID_ARGUMENT", f"{where}.{member}: there is no action {target!r} in this flow")


def _targets(action: Listed) -> Iterator[tuple[str, str]]:
    yield "next_id", action.next_id
    for member in KINDS[action.type].targets:
        value = action.option.get(member, "")
        if isinstance(value, dict):
            yield from ((f"option.{member}.{key}", target) for key, target in value.items())
        else:
            yield f"option.{member}", value


# --- documents --------------------------------------------------------------------------


def as_markdown() -> str:
    """The table of actions as docs/actions.md shows it."""
    return "\n\n".join(_section(name, kind) for name, kind in KINDS.items())


def _section(name: str, kind: Kind) -> str:
    members = options.members(kind.option)
    rows = [f"| `{member}` | {_default(schema)} | {_meaning(schema)} |" for member, schema in members.items()]
    table = ["", "| option | default | meaning |", "| --- | --- | --- |", *rows] if rows else []
    return "\n".join([f"## {name}", "", kind.meaning, *table])


def _default(schema: dict[str, Any]) -> str:
    if "default" not in schema:
        return "required"
    return "" if schema["default"] in ("", []) else f"`{msgspec.json.encode(schema['default']).decode()}`"


def _meaning(schema: dict[str, Any]) -> str:
    choices = " or ".join(f"`{value}`" for value in schema.get("enum", ()))
    return ". ".join(filter(None, (choices, schema["description"])))
