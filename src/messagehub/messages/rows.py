"""The rows of a message and of its targets, as they are written, and how they look from outside."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from messagehub import shapes
from messagehub.clock import NEVER
from messagehub.messages import options, status
from messagehub.messages.status import GROUPS, Status, Tally
from messagehub.messages.variables import Own
from messagehub.shapes import Address
from messagehub.shapes.members import MessageKind

_details = msgspec.json.Decoder(list[str]).decode

SHOWN = 100
"""Targets of a message that a list, and a webhook, shows."""


class MessageRow(msgspec.Struct, kw_only=True):
    id: str
    customer_id: str
    direction: str
    source: str
    source_detail: str = ""
    destination: str = ""
    text: str
    octets: bytes | None = None
    options: str | None = None
    """What it asks for besides its text: see options.py."""
    on_doubt: str = ""
    target_count: int
    waiting_count: int = 0
    sent_count: int = 0
    delivered_count: int = 0
    sequence: int = 0
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER


class TargetRow(Struct, kw_only=True):
    message_id: str
    n: int
    customer_id: str
    destination: str
    destination_detail: str = ""
    status: Status
    error_code: str = ""
    error_message: str = ""
    parts: int
    receipts: str = ""
    carrier_id: str = ""
    lane: int = 0
    due_at: int | None = None
    holder: str = ""
    attempts: int = 0
    doubts: int = 0
    possible_duplicate: int = 0
    sequence: int = 0
    tm_update: int = NEVER
    own_source: str | None = None


# --- addresses --------------------------------------------------------------------------


NO_TEXTS = Own("")


def detail_of(given: shapes.AddressGiven | Address, own: Own = NO_TEXTS) -> str:
    """What an address says besides its target, and what it is told of its own, as JSON; empty where that is nothing."""
    if not (given.target_name or given.name or given.detail or own.text):
        return ""
    texts = [own.text, own.sent_text, *([own.kind] if own.kind else [])] if own.text else []
    return msgspec.json.encode([given.target_name, given.name, given.detail, *texts]).decode()


def address(target: str, detail: str) -> Address:
    if not detail:
        return Address("tel", target)
    return Address("tel", target, *_details(detail)[:3])


def kind_of(row: Any) -> MessageKind:
    """Of a target with what is needed of its message: an MMS may be an SMS to who cannot get it otherwise."""
    if options.kind_of(row.options) == "sms":
        return "sms"
    return "sms" if own_of(row.destination_detail).kind == "sms" else "mms"


def own_of(detail: str) -> Own:
    """What a target is told of its own: no text where it is told what the message says."""
    return Own(*_details(detail)[3:]) if detail and len(_details(detail)) > 3 else NO_TEXTS


# --- from outside -----------------------------------------------------------------------

WriteTime = Callable[[int], str]
"""clock.plain for resources, clock.iso for webhooks."""


def target_shape(row: Any, write: WriteTime) -> shapes.Target:
    detail = row.destination_detail
    shape = shapes.Target(
        destination=address(row.destination, detail),
        status=status.PUBLIC[row.status],
        parts=row.parts,
        error_code=row.error_code,
        error_message=row.error_message,
        possible_duplicate=bool(row.possible_duplicate),
        tm_update=write(row.tm_update),
    )
    if row.error_code and row.status == Status.QUEUED:  # the columns say why it waits, while it does
        shape.hold_reason, shape.error_code = row.error_code, ""
    if detail and (own := own_of(detail)).text:
        shape.text, shape.sent_text = own.text, own.sent_text or UNSET
    if row.own_source:
        shape.source = address(row.own_source, "")
    return shape


def message_shape(row: Any, targets: Sequence[Any], write: WriteTime) -> shapes.Message:
    """`targets`: the first SHOWN of the message, which for a message with one target hold its status and time."""
    standing, changed = _standing(row, targets)
    shape = shapes.Message(
        id=row.id,
        customer_id=row.customer_id,
        type="sms",
        status=standing,
        source=address(row.source, row.source_detail),
        targets=[target_shape(target, write) for target in targets],
        target_count=row.target_count,
        text=row.text,
        direction=row.direction,
        tm_create=write(row.tm_create),
        tm_update=write(changed),
        tm_delete=write(row.tm_delete),
    )
    if row.options:
        options.show(shape, row.options, write)
    if row.direction == "inbound":
        shape.destination = address(row.destination, "")
    return shape


def _standing(row: Any, targets: Sequence[Any]) -> tuple[shapes.MessageStatus, int]:
    """The status, and when the message changed last. One with one target is not written again when that moves."""
    changed: int = row.tm_update
    if row.target_count > 1:
        tally = Tally(row.target_count, row.waiting_count, row.sent_count, row.delivered_count)
        return status.of_message(tally), changed
    target = targets[0]
    if changed == NEVER or changed < target.tm_update < NEVER:
        changed = target.tm_update
    return "received" if row.direction == "inbound" else OF_ONE[target.status], changed


def _tally_of_one(target_status: Status) -> Tally:
    tally = Tally(1)
    if group := GROUPS.get(target_status):
        setattr(tally, group, 1)
    return tally


OF_ONE: dict[str, shapes.MessageStatus] = {one: status.of_message(_tally_of_one(one)) for one in Status}
"""The status of a message with one target, from the status of that."""
