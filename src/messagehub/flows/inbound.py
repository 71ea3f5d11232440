"""What comes in, and flows: one that waits for this person goes on; else a keyword of the number, or the number, begins
one. It is written in the transaction that stores the message, so a flow begins exactly once for it.
"""

import logging
from collections.abc import Sequence

import msgspec

from messagehub import ids, text
from messagehub.conversations import conversation_id
from messagehub.flows import active, flow, keywords, run, state
from messagehub.flows.active import FLOWS, MESSAGE, Activeflow
from messagehub.flows.answers import Answers
from messagehub.flows.flow import Flow
from messagehub.flows.state import End, Replied, State
from messagehub.logs import Seldom, about
from messagehub.messages import options
from messagehub.messages.receive import Heard
from messagehub.messages.rows import MessageRow
from messagehub.numbers import Number, Numbers
from messagehub.store import Store, Tx

log = logging.getLogger(__name__)

TOLD_S = 10.0
TOO_MANY = "too_many_answers"

FAMILIES = ("voipbin.message", "voipbin.conversation_message")
MOST_MEDIAS = 10
"""Of which there are variables: as many as one message can send on."""


class Answering:
    """The listener of flows."""

    def __init__(self, store: Store, numbers: Numbers, answers: Answers) -> None:
        self._store, self._numbers, self._answers = store, numbers, answers
        self._missing_told, self._loop_told = Seldom(TOLD_S), Seldom(TOLD_S)

    async def hear(self, tx: Tx, messages: Sequence[MessageRow], now: int) -> Heard:
        pairs = [{"person": message.source, "number": message.destination} for message in messages]
        waited_for = {(row.person, row.number) for row in await tx.many("persons_waited_for", pairs)}
        heard = Heard()
        for message in messages:
            is_reply = (message.source, message.destination) in waited_for
            if (is_reply and await self._reply(tx, message, now)) or await self._begin(tx, message, now):
                heard.answered.add(message.id)
        if heard.answered:
            heard.told.after.append(self._ring)
        return heard

    def _ring(self) -> None:
        self._store.notify(FLOWS)

    async def _reply(self, tx: Tx, message: MessageRow, now: int) -> bool:
        """Whether a flow waits for it; that goes on then, or ends where it looks as if two machines spoke."""
        who = {"customer_id": message.customer_id, "person": message.source, "number": message.destination}
        row = await tx.one("waiting_activeflow", **who)
        if row is None:
            return False
        waiting = active.from_row(row)
        try:
            where = active.state_of(waiting)
        except msgspec.DecodeError:  # whatever is wrong with it, the message is taken
            log.exception("a flow that waits cannot be read", extra=about(activeflow_id=waiting.id))
            waiting.end(State(), End("internal", run.END_REASONS["internal"]), now)
            await active.write(tx, [waiting])
            return True
        if await self._excess(tx, message, now):
            waiting.end(where, End(TOO_MANY, run.END_REASONS[TOO_MANY]), now)
        else:
            where.event = Replied(options.said(message), variables_of(message))
            waiting.state = state.write(where)
            waiting.due_at, waiting.is_waiting, waiting.tm_update = now, 0, now
        await active.write(tx, [waiting])
        return True

    async def _begin(self, tx: Tx, message: MessageRow, now: int) -> bool:
        """Whether there is a flow for it, which begins."""
        number = await self._numbers.find(tx, message.destination)
        flow_id = _flow_for(number, message) if number else ""
        if flow_id in ("", ids.UNSET):
            return False
        found = await flow.find(tx, flow_id, message.customer_id)
        if found is None:
            if self._missing_told.due():
                fields = about(flow_id=flow_id, number=message.destination, customer_id=message.customer_id)
                log.warning("a number is to be answered by a flow that is not there", extra=fields)
            return False
        begun, excess = _begun(found, message), await self._excess(tx, message, now)
        if excess:
            begun.end(active.state_of(begun), End(TOO_MANY, run.END_REASONS[TOO_MANY]), now)
        if excess <= 1:  # the first that is too much is kept, to be seen
            await tx.many("insert_activeflow", [begun])
        return True

    async def _excess(self, tx: Tx, message: MessageRow, now: int) -> int:
        """By how many messages more than are answered the person has written."""
        excess = await self._answers.excess(tx, message.destination, message.source, now)
        if excess and self._loop_told.due():
            fields = about(customer_id=message.customer_id, number=message.destination, person=message.source)
            log.warning("a person writes so often that flows do not answer: perhaps two machines speak", extra=fields)
        return excess


def _flow_for(number: Number, message: MessageRow) -> str:
    return (number.keywords and keywords.flow_for(number.keywords, options.said(message))) or number.message_flow_id


def _begun(found: Flow, message: MessageRow) -> Activeflow:
    return active.begin(
        customer_id=message.customer_id,
        flow_id=found.id,
        linked=found.linked,
        reference_type=MESSAGE,
        reference_id=message.id,
        own=variables_of(message),
        on_complete_flow_id=found.on_complete_flow_id,
        number=message.destination,
        person=message.source,
    )


def variables_of(message: MessageRow) -> dict[str, str]:
    """What is known of an inbound message, by both families of names of the reference API."""
    asked = options.read(message.options)
    own = {
        "id": message.id,
        "type": options.kind_of(message.options),
        "text": message.text,
        "subject": asked.subject,
        "medias.count": str(len(asked.medias)),
    }
    for n, media in enumerate(asked.medias[:MOST_MEDIAS]):
        own |= {f"medias.{n}.type": media.type, f"medias.{n}.url": media.url}
    return {
        **{f"{family}.{name}": value for family in FAMILIES for name, value in own.items()},
        "voipbin.message.word": text.plain_words(options.said(message)),
        "voipbin.message.direction": "inbound",
        "voipbin.message.source.target": message.source,
        "voipbin.message.source.target_name": "",
        "voipbin.message.target.destination.target": message.destination,
        "voipbin.conversation.id": conversation_id(message.customer_id, message.destination, message.source),
        "voipbin.conversation.self.target": message.destination,
        "voipbin.conversation.peer.target": message.source,
        "voipbin.conversation_message.direction": "incoming",
    }
