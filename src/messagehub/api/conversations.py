"""Conversations over HTTP."""

from functools import partial

from messagehub import conversations, ids, shapes
from messagehub.api import paging, repeating
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter, Text
from messagehub.conversations import Conversation
from messagehub.errors import Refusal
from messagehub.messages.accept import Accepted
from messagehub.shapes import AddressGiven


async def create(call: Call) -> shapes.Conversation:
    own, peer = _number(call.body.self_, "self"), _number(call.body.peer, "peer")
    return conversations.shape(await call.services.conversations.open(call.customer_id, own, peer, call.now))


async def page(call: Call) -> Page[shapes.Conversation]:
    own, peer = call.address("self"), call.address("peer")
    read = partial(call.services.conversations.page, call.customer_id, own, peer)
    return await paging.as_far_as_read(call, read, conversations.shape)


async def one(call: Call) -> shapes.Conversation:
    return conversations.shape(await _find(call))


async def change(call: Call) -> shapes.Conversation:
    changes = call.given
    if (owner_id := changes.get("owner_id")) is not None:
        changes["owner_id"] = _id(owner_id, "owner_id", "no owner") or ids.UNSET
    return conversations.shape(await call.services.conversations.change(call.customer_id, call.id, call.now, **changes))


async def read(call: Call) -> shapes.Conversation:
    message_id = _id(call.body.message_id, "message_id", "all messages")
    return conversations.shape(await call.services.conversations.read(call.customer_id, call.id, message_id))


async def messages(call: Call) -> Page[shapes.ConversationMessage]:
    thread = await _find(call)
    known = call.services.conversations
    return await paging.as_far_as_read(call, partial(known.messages, thread), lambda row: known.shown(thread, row, row))


async def send(call: Call) -> shapes.ConversationMessage | Text:
    services, thread = call.services, await _find(call)

    def shape(accepted: Accepted) -> shapes.ConversationMessage:
        return services.conversations.shown(thread, accepted.message, accepted.targets[0])

    return await repeating.accept(
        call, partial(services.conversations.prepare, services.store, thread, call.body), shape
    )


async def _find(call: Call) -> Conversation:
    return await call.services.conversations.get(call.services.store, call.customer_id, call.id)


def _number(given: str | AddressGiven, field: str) -> str:
    address = AddressGiven(target=given) if isinstance(given, str) else given
    if address.type != "tel":
        raise Refusal("INVALID_ARGUMENT", f"{field}.type: {address.type!r} is not carried here; only 'tel' is")
    return address.target


def _id(given: str, field: str, none: str) -> str:
    if given and not ids.is_id(given.lower()):
        raise Refusal("INVALID_ARGUMENT", f"{field}: {given!r} is no UUID; for {none} leave it empty")
    return given.lower()


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
QUERY = ("INVALID_REQUEST_PARAMETER",)
SENDING = (
    "INVALID_SOURCE",
    "INVALID_DESTINATION",
    "INVALID_TEXT",
    "TOO_MANY_SEGMENTS",
    "MEDIA_NOT_SUPPORTED",
    "INVALID_MEDIA",
)
FILTERS = (
    Parameter("self", "Only those of this number of yours."),
    Parameter("peer", "Only those with this address."),
)

ENDPOINTS = [
    Endpoint(
        method="POST", path="/conversations", summary="Open a conversation, or find the one that is there",
        takes=shapes.ConversationGiven, gives=shapes.Conversation, reasons=("INVALID_SOURCE", "INVALID_DESTINATION"),
        example={"self": "+15551234567", "peer": "+15559876543"}, handler=create,
    ),
    Endpoint(
        method="GET", path="/conversations", summary="List conversations, the one with the newest message first",
        gives=Page[shapes.Conversation], parameters=(*PAGING, *FILTERS), reasons=QUERY, handler=page,
    ),
    Endpoint(
        method="GET", path="/conversations/{id}", summary="Get a conversation", gives=shapes.Conversation, reasons=ID,
        handler=one,
    ),
    Endpoint(
        method="PUT", path="/conversations/{id}", summary="Change a conversation; what is left out stays",
        takes=shapes.ConversationChange, gives=shapes.Conversation, reasons=ID, example={"name": "Anne"},
        handler=change,
    ),
    Endpoint(
        method="POST", path="/conversations/{id}/read", summary="Say that its messages have been read",
        detail="With a `message_id` those up to that message; what came after it stays unread.",
        takes=shapes.ConversationRead, gives=shapes.Conversation, reasons=ID, example={}, handler=read,
    ),
    Endpoint(
        method="GET", path="/conversations/{id}/messages", summary="List what was said in it, newest first",
        gives=Page[shapes.ConversationMessage], parameters=PAGING, reasons=(*ID, *QUERY), handler=messages,
    ),
    Endpoint(
        method="POST", path="/conversations/{id}/messages", summary="Say something in a conversation",
        detail="A message from its number to its peer; `GET /messages/{id}` has it by the same id.",
        takes=shapes.ConversationMessageGiven, gives=shapes.ConversationMessage, reasons=(*ID, *SENDING),
        example={"text": "Hello"}, takes_key=True, handler=send,
    ),
]  # fmt: skip
