"""Conversations: what was said between a number of ours and somebody, both ways, as one thread.

A thread is opened by the first message that comes in, or by its customer. What is sent to one person joins the thread
that is there, in the commit that accepts it, and opens none: whoever only sends has no threads and pays for none. The
messages of a thread are not kept a second time. They are found by their addresses, so those from before are in it, too,
and so is what went to many at once.
"""

from collections.abc import Iterable, Sequence
from heapq import merge
from typing import Any

from msgspec import UNSET, Struct

from messagehub import clock, ids, numbers, shapes
from messagehub.clock import NEVER, plain
from messagehub.errors import Refusal
from messagehub.messages import options, rows
from messagehub.messages.accept import Accepted, Acceptor
from messagehub.messages.receive import Heard
from messagehub.messages.rows import MessageRow
from messagehub.messages.target import Target
from messagehub.numbers import Numbers
from messagehub.published import Published
from messagehub.shapes import MessageGiven
from messagehub.store import Insert, Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent

SEEN_AT_ONCE = 10_000
"""Threads or messages that one page looks at where few of them may be wanted; what is further back is another's."""

MOST_UNREAD = 10_000
"""Unread messages are counted up to here where some of them have been read."""

BEFORE_ALL = ""


def conversation_id(customer_id: str, own: str, peer: str) -> str:
    """The id of the thread between a customer's number and somebody, whether it was opened yet or not."""
    return ids.of(customer_id, f"{own}\0{peer}")


class Conversation(Struct, kw_only=True):
    id: str
    customer_id: str
    own: str
    """The number of ours."""
    peer: str
    """Who is at the other end, as the carrier names them."""
    owner_type: str = ""
    owner_id: str = ids.UNSET
    name: str = ""
    detail: str = ""
    unread_count: int = 0
    last_id: str
    """Of its last message; before the first, an id of the moment when it was opened. Lists go by it."""
    tm_last_message: int = NEVER
    tm_create: int
    tm_update: int = NEVER


def between(customer_id: str, own: str, peer: str, now: int, **more: Any) -> Conversation:
    made = conversation_id(customer_id, own, peer)
    return Conversation(id=made, customer_id=customer_id, own=own, peer=peer, tm_create=now, **more)


def from_row(row: Row) -> Conversation:
    return Conversation(**row._asdict())


class Conversations:
    """The threads of all customers. It listens to what comes in (`hear`) and follows what is sent (`follow`)."""

    def __init__(self, store: Store, owned: Numbers, acceptor: Acceptor, published: Published) -> None:
        self._store, self._numbers, self._acceptor, self._published = store, owned, acceptor, published
        self._some: Recent[str, bool] = Recent(_has_some)
        """Which customers have threads."""
        self._some.follow(store)

    # --- as messages come and go --------------------------------------------------------

    async def hear(self, tx: Tx, messages: Sequence[MessageRow], now: int) -> Heard:
        """Each message is in its thread as soon as it is stored, and unread."""
        heard, threads = Heard(), dict[str, Conversation]()
        for message in messages:
            thread = between(
                message.customer_id, message.destination, message.source, now, unread_count=1, last_id=message.id,
                tm_last_message=message.tm_create,
            )  # fmt: skip
            thread.unread_count += threads[thread.id].unread_count if thread.id in threads else 0
            threads[thread.id] = thread
        first = [one for one in threads.values() if not await self._some.get(tx, one.customer_id)]
        await tx.many("hear_conversation", [threads[id] for id in sorted(threads)])
        if first:
            self._some.clear()
            heard.told.after.append(self._tell)
        return heard

    async def follow(self, tx: Tx, message: MessageRow, targets: Sequence[Target]) -> Iterable[Insert]:
        """What is sent to one person is the last message of their thread, if there is one."""
        if len(targets) != 1 or not await self._some.get(tx, message.customer_id):
            return ()
        thread_id = conversation_id(message.customer_id, message.source, targets[0].destination)
        joined = {"id": thread_id, "last_id": message.id, "tm_last_message": message.tm_create}
        return (Insert("join_conversation", [joined]),)

    async def forget(self, tx: Tx, message: Row) -> None:
        """A message that is deleted before it was read is unread no more, and is the last of no thread."""
        await self._put_back(tx, message)
        if message.direction != "inbound":
            return
        thread_id = conversation_id(message.customer_id, message.destination, message.source)
        row = await tx.one("conversation_for_change", id=thread_id, customer_id=message.customer_id)
        if row is None or not row.unread_count:
            return
        thread = from_row(row)
        if await self._newer(tx, thread, message.id) < thread.unread_count:
            thread.unread_count -= 1
            await tx.many("read_conversation", [thread])

    async def _put_back(self, tx: Tx, message: Row) -> None:
        """A thread whose last message is deleted is where the one before has put it.

        What is left of it is older, so those that were deleted before are not looked at again.
        """
        if not await self._some.get(tx, message.customer_id):
            return
        row = await tx.one("conversation_by_last", customer_id=message.customer_id, last_id=message.id)
        row = row and await tx.one("conversation_for_change", id=row.id, customer_id=message.customer_id)
        if row is None or row.last_id != message.id:
            return
        thread = from_row(row)
        args = {"customer_id": thread.customer_id, "own": thread.own, "peer": thread.peer, "before": message.id}
        after = await self._message_floor(tx, args)
        found = [await tx.one(query, after=after, **args) for query in ("last_sent_in", "last_received_in")]
        if left := [one for one in found if one]:
            last = max(left, key=lambda one: one.id)
            thread.last_id, thread.tm_last_message = last.id, last.tm_create
            await tx.many("put_back_conversation", [thread])

    async def _newer(self, tx: Tx, thread: Conversation, message_id: str) -> int:
        """How many messages came in after one."""
        since = {"customer_id": thread.customer_id, "own": thread.own, "peer": thread.peer, "message_id": message_id}
        newer = await tx.one("messages_received_since", **since, count=MOST_UNREAD)
        return newer.count if newer else 0

    def _tell(self) -> None:
        self._store.notify(CHANGED)

    # --- threads ------------------------------------------------------------------------

    async def page(
        self, customer_id: str, own: str, peer: str, before: str, count: int
    ) -> tuple[list[Conversation], str]:
        """The threads with the newest messages, at most `count`; and the `last_id` before which to go on.

        Empty `own` and `peer` want all.
        """
        args: dict[str, Any] = {"customer_id": customer_id, "before": before}
        if own and peer:
            row = await self._row(self._store, customer_id, conversation_id(customer_id, own, peer))
            return ([from_row(row)] if row and row.last_id < before else []), ""
        if own:
            after = await self._floor(self._store, "conversations_floor", args)
            found = await self._store.all("conversations_page_of_number", own=own, after=after, count=count + 1, **args)
            return _cut([from_row(row) for row in found], count, after)
        query, which = ("conversations_page_with", {"peer": peer}) if peer else ("conversations_page", {})
        found = await self._store.all(query, count=count + 1, **args, **which)
        return _cut([from_row(row) for row in found], count)

    async def get(self, tx: Tx, customer_id: str, conversation_id: str) -> Conversation:
        """Refusal when there is none, or it is another customer's."""
        return _found(await self._row(tx, customer_id, conversation_id), conversation_id)

    async def _row(self, tx: Tx, customer_id: str, conversation_id: str) -> Row | None:
        return await tx.one("conversation_by_id", id=conversation_id, customer_id=customer_id)

    async def open(self, customer_id: str, own: str, peer: str, now: int) -> Conversation:
        """The thread between a number and somebody, which may be there already. Refusal names what cannot be."""
        number = await self._numbers.find(self._store, own)
        if number is None or number.customer_id != customer_id:
            raise Refusal("INVALID_SOURCE", f"self: {own!r} is no number of yours; GET /numbers lists them")
        _check_peer(peer)
        opened = between(customer_id, own, peer, now, last_id=ids.new())
        await self._store.write([Insert("open_conversation", [opened])])
        if not await self._some.get(self._store, customer_id):
            self._tell()
        return await self.get(self._store, customer_id, opened.id)

    async def change(self, customer_id: str, conversation_id: str, now: int, **changes: Any) -> Conversation:
        """Refusal as with `get`."""

        async def unit(tx: Tx) -> Conversation:
            thread = await self._for_change(tx, customer_id, conversation_id)
            for name, value in changes.items():
                setattr(thread, name, value)
            thread.tm_update = now
            await tx.many("change_conversation", [thread])
            return thread

        return await self._store.transaction(unit)

    async def read(self, customer_id: str, conversation_id: str, message_id: str = "") -> Conversation:
        """Its messages have been read, up to one of them or all. Refusal as with `get`."""

        async def unit(tx: Tx) -> Conversation:
            thread = await self._for_change(tx, customer_id, conversation_id)
            newer = await self._newer(tx, thread, message_id) if message_id else 0
            thread.unread_count = min(newer, thread.unread_count)
            await tx.many("read_conversation", [thread])
            return thread

        return await self._store.transaction(unit)

    async def _for_change(self, tx: Tx, customer_id: str, conversation_id: str) -> Conversation:
        row = await tx.one("conversation_for_change", id=conversation_id, customer_id=customer_id)
        return _found(row, conversation_id)

    # --- their messages -----------------------------------------------------------------

    async def messages(self, thread: Conversation, before: str, count: int) -> tuple[list[Any], str]:
        """The newest rows of a thread's messages, at most `count`; and the id before which to go on."""
        args = {"customer_id": thread.customer_id, "own": thread.own, "peer": thread.peer, "before": before}
        after = await self._message_floor(self._store, args)
        queries = ("messages_sent_in", "messages_received_in")
        pages = [await self._store.all(query, after=after, count=count + 1, **args) for query in queries]
        found = list(merge(*pages, key=lambda row: row.id, reverse=True))
        return (found[:count], found[count - 1].id) if len(found) > count else (found, after)

    async def _message_floor(self, tx: Tx, args: dict[str, Any]) -> str:
        return max([await self._floor(tx, query, args) for query in ("messages_sent_floor", "messages_received_floor")])

    async def _floor(self, tx: Tx, query: str, args: dict[str, Any]) -> str:
        """The id down to which one page looks; BEFORE_ALL where that is all there is."""
        floor = await tx.one(query, count=SEEN_AT_ONCE, **args)
        return floor.id if floor and floor.seen == SEEN_AT_ONCE else BEFORE_ALL

    def shown(self, thread: Conversation, message: Any, target: Any) -> shapes.ConversationMessage:
        """A message of a thread and its target; a row of `messages` is both."""
        shape = message_shape(thread, message, target)
        if shape.medias:
            options.renew(shape.medias, message, self._published, clock.now())
        return shape

    async def prepare(self, tx: Tx, thread: Conversation, given: shapes.ConversationMessageGiven) -> Accepted:
        """A message of a thread, prepared as by `Acceptor.prepare`: to be entered in `tx`, or committed alone."""
        _check_peer(thread.peer)
        said = {name: getattr(given, name) for name in given.__struct_fields__}
        message = MessageGiven(source=thread.own, destinations=[thread.peer], **said)
        return await self._acceptor.prepare(tx, thread.customer_id, message)


async def _has_some(tx: Tx, customer_id: str) -> bool | None:
    return await tx.one("any_conversation", customer_id=customer_id) is not None or None


def _check_peer(peer: str) -> None:
    if not numbers.is_e164(peer):
        raise Refusal(
            "INVALID_DESTINATION", f"peer: {peer!r} cannot be written to, as it is not E.164, such as +15559876543"
        )


def _found(row: Row | None, conversation_id: str) -> Conversation:
    if row is None:
        raise Refusal("RESOURCE_NOT_FOUND", f"there is no conversation {conversation_id}")
    return from_row(row)


def _cut(found: list[Conversation], count: int, floor: str = BEFORE_ALL) -> tuple[list[Conversation], str]:
    """A page of what was found, and where the next one begins."""
    return (found[:count], found[count - 1].last_id) if len(found) > count else (found, floor)


# --- from outside -----------------------------------------------------------------------

DIRECTIONS: dict[str, shapes.ConversationDirection] = {"outbound": "outgoing", "inbound": "incoming"}
STATUSES: dict[str, shapes.ConversationStatus] = {
    "sending": "progressing",
    "sent": "progressing",
    "delivered": "done",
    "received": "done",
    "failed": "failed",
}
"""By the status of the message."""


def shape(thread: Conversation) -> shapes.Conversation:
    return shapes.Conversation(
        id=thread.id,
        customer_id=thread.customer_id,
        owner_type=thread.owner_type,
        owner_id=thread.owner_id,
        name=thread.name,
        detail=thread.detail,
        self_=rows.address(thread.own, ""),
        peer=rows.address(thread.peer, ""),
        unread_count=thread.unread_count,
        tm_last_message=plain(thread.tm_last_message),
        tm_create=plain(thread.tm_create),
        tm_update=plain(thread.tm_update),
        tm_delete=plain(NEVER),
    )


def message_shape(thread: Conversation, message: Any, target: Any) -> shapes.ConversationMessage:
    status = "received" if message.direction == "inbound" else rows.OF_ONE[target.status]
    shape = shapes.ConversationMessage(
        id=message.id,
        customer_id=thread.customer_id,
        conversation_id=thread.id,
        direction=DIRECTIONS[message.direction],
        status=STATUSES[status],
        reference_id=message.id,
        source=rows.address(message.source, message.source_detail),
        destination=rows.address(target.destination, target.destination_detail),
        text=rows.own_of(target.destination_detail).text or message.text,
        tm_create=plain(message.tm_create),
        tm_update=plain(target.tm_update),
        tm_delete=plain(NEVER),
    )
    if options.kind_of(message.options) == "mms":
        asked = options.read(message.options)
        shape.subject, shape.medias = asked.subject or UNSET, options.media_shapes(asked)
    return shape
