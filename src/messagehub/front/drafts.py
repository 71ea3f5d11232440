"""Requests for messages that the front can draft, so that only what takes a store is left to the engine.

All that is not as most requests are goes to the engine as it came: it answers as if there were no drafts, and has the
words for what is wrong.
"""

import time
from typing import Any

import msgspec
from starlette.types import Message, Scope

from messagehub import clock
from messagehub.api import heads, replies
from messagehub.api.callers import bearer
from messagehub.api.cycle import ANSWER, BODY
from messagehub.errors import Refusal
from messagehub.front.frames import Drafted, Taken
from messagehub.messages.drafting import Draft, Drafting
from messagehub.messages.rows import SHOWN, message_shape
from messagehub.messages.status import Status
from messagehub.messages.target import Target
from messagehub.shapes import MessageGiven, check_nul

LARGEST = 64 * 1024
"""Octets of a body that is read here: the others' answers must not wait long for it."""

AVOIDED_S = 5.0
"""For how long one whose draft was returned gets none."""
MOST_AVOIDED = 10_000

QUEUED = Status.QUEUED

_decode = msgspec.json.Decoder(MessageGiven).decode
_encode = msgspec.json.Encoder().encode


class Drafts:
    """`path`: where messages are posted; empty where none is to be drafted."""

    def __init__(self, path: str, max_segments: int) -> None:
        self._path, self._drafting = path, Drafting(max_segments)
        self._tidied = 0.0
        self._avoided: dict[int, float] = {}
        """By a hash of credential and source, which may be long; until when."""

    def of(self, number: int, scope: Scope) -> Drafted | None:
        """The request with this number as a draft. None where it is none, or is wrong, or not all here."""
        body: bytes | None = scope.get(BODY)
        if scope["path"] != self._path or scope["method"] != "POST" or scope["query_string"] or not body:
            return None
        headers = dict(scope["headers"])
        credential = bearer(headers)
        if not credential or len(body) > LARGEST or not heads.is_json(headers) or heads.KEY in headers:
            return None
        draft = self._draft(body)
        if draft is None or (self._avoided and self._is_avoided(credential, draft.source)):
            return None
        return Drafted(number, credential, replies.request_id_of(headers), draft)

    def _draft(self, body: bytes) -> Draft | None:
        try:
            given = _decode(body)
            check_nul(body, given)
            return self._drafting.draft(given)
        except (Refusal, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _is_avoided(self, credential: str, source: str) -> bool:
        return self._avoided.get(hash((credential, source)), 0) > time.monotonic()

    def avoid(self, returned: Drafted) -> None:
        """The engine did not take it: the next of its kind are not drafted."""
        now = time.monotonic()
        if len(self._avoided) >= MOST_AVOIDED and now > self._tidied + 1:
            self._avoided, self._tidied = {which: until for which, until in self._avoided.items() if until > now}, now
        if len(self._avoided) < MOST_AVOIDED:
            self._avoided[hash((returned.credential, returned.draft.source))] = now + AVOIDED_S


def answer_to(drafted: Drafted, taken: Taken) -> Message:
    """What the engine's own answer would be."""
    body = taken.body or _encode(_shape(drafted.draft, taken.customer_id))
    request_id = drafted.request_id
    lines = replies.head(replies.JSON, request_id, replies.NONE, body)
    return {"type": ANSWER, "status": 200, "lines": lines, "body": body, "request_id": request_id, "closes": False}


def _shape(draft: Draft, customer_id: str) -> Any:
    row = draft.row(customer_id)
    row.waiting_count = row.target_count
    targets = [
        Target(
            row.id, n, customer_id, to, detail, QUEUED, draft.parts, "", 0, None, row.source, row.source_detail,
            row.text, "", row.target_count, row.tm_create,
        )
        for n, (to, detail) in enumerate(draft.destinations[:SHOWN])
    ]  # fmt: skip
    return message_shape(row, targets, clock.plain)
