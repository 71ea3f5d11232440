"""A store with many rows, written by the shortest way: as an installation looks that has worked for a month."""

from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from messagehub import clock, ids
from messagehub.clock import NEVER, SECOND
from messagehub.store.sides import Side, side_of

MONTH = 30 * 24 * 3600 * SECOND
PIECE = 5000
SOURCE = "+15551234567"


def id_of(n: int, count: int, now: int, kind: int = 0) -> str:
    """The ids of `count` things, made evenly over the last month, in order; `kind` tells them from others."""
    return f"{ids.first_of(now - MONTH + n * MONTH // count)[:14]}7000-8{kind:03x}-{n:012x}"


def destination(n: int, count: int) -> str:
    """Of the nth of `count` messages: each number has ten of them."""
    return f"+4479{n % max(count // 10, 1):08d}"


@asynccontextmanager
async def _side(url: str) -> Any:
    side = await side_of(url)
    try:
        yield side
    finally:
        await side.close()


async def fill(
    url: str,
    count: int,
    customer_id: str,
    carrier_id: str,
    waiting: int = 0,
    is_told: bool = True,
    now: int = 0,
    is_kept: bool = True,
) -> None:
    """`count` messages of a customer, settled but for the last `waiting`, which are queued for a time that is far.

    Unless `is_told`, one of five events is still to be told. They are of the month before `now`. `is_kept`: there are
    things as well that do not go with the messages.
    """
    now = now or clock.now()
    async with _side(url) as side:
        for first in range(0, count, PIECE):
            numbers = range(first, min(first + PIECE, count))
            is_queued = [n >= count - waiting for n in numbers]
            made = [id_of(n, count, now) for n in numbers]
            await _write(side, _messages(made, numbers, customer_id, is_queued))
            await _write(side, _targets(made, numbers, count, customer_id, carrier_id, is_queued, now))
            await _write(side, _of_settled(made, numbers, customer_id, carrier_id, is_queued, is_told))
            await _write(side, _of_some(made))
            if is_kept:
                await _write(side, _of_nobody(made, first, carrier_id))
                await _write(side, _threads(made, numbers, customer_id))
                await _write(side, _flows(made, first, customer_id))
                await _write(side, _people(made, first, customer_id))


Rows = tuple[str, list[dict[str, Any]]]


def _messages(made: Sequence[str], numbers: range, customer_id: str, is_queued: Sequence[bool]) -> Iterator[Rows]:
    of = {"customer_id": customer_id, "direction": "outbound", "source": SOURCE, "source_detail": "", "destination": ""}
    text = {
        "text": "Your code is 123456. It is good for ten minutes.",
        "octets": None,
        "on_doubt": "",
        "target_count": 1,
    }
    counts = {"sent_count": 0, "sequence": 2, "tm_delete": NEVER}
    rows = []
    for id, waits in zip(made, is_queued, strict=True):
        times = {"tm_create": ids.moment_of(id), "tm_update": ids.moment_of(id)}
        rows.append(
            {"id": id, **of, **text, **counts, **times, "waiting_count": int(waits), "delivered_count": 1 - waits}
        )
    yield "messages", rows


def _targets(
    made: Sequence[str],
    numbers: range,
    count: int,
    customer_id: str,
    carrier_id: str,
    is_queued: Sequence[bool],
    now: int,
) -> Iterator[Rows]:
    of = {
        "n": 0,
        "customer_id": customer_id,
        "destination_detail": "",
        "error_code": "",
        "error_message": "",
        "parts": 1,
    }
    rest = {"receipts": "", "carrier_id": carrier_id, "lane": 0, "holder": "", "attempts": 1, "doubts": 0}
    more = {"possible_duplicate": 0, "sequence": 2}
    rows = []
    for id, n, waits in zip(made, numbers, is_queued, strict=True):
        state = {"status": "queued", "due_at": now + MONTH + n} if waits else {"status": "delivered", "due_at": None}
        names = {"message_id": id, "destination": destination(n, count), "tm_update": ids.moment_of(id)}
        rows.append({**names, **of, **rest, **more, **state})
    yield "targets", rows


def _of_settled(
    made: Sequence[str],
    numbers: range,
    customer_id: str,
    carrier_id: str,
    is_queued: Sequence[bool],
    is_told: bool,
) -> Iterator[Rows]:
    settled = [(id, n) for id, n, waits in zip(made, numbers, is_queued, strict=True) if not waits]
    yield (
        "segments",
        [
            {"carrier_id": carrier_id, "carrier_message_id": f"{n:016x}", "message_id": id, "n": 0, "part": 0}
            for id, n in settled
        ],
    )
    event = {"customer_id": customer_id, "type": "message_updated", "attempts": 1, "attempts_before": 0, "leased": 0}
    yield "events", [{"id": id, "message_id": id, **event, **_times(id), **_end(id, n, is_told)} for id, n in settled]
    body = b'{"type":"message_updated","data":{"status":"delivered"}}' * 8
    yield "event_bodies", [{"event_id": id, "message_id": id, "body": body} for id, _ in settled]


def _of_some(made: Sequence[str]) -> Iterator[Rows]:
    """What few messages have."""
    failed = {"attempt": 1, "response_status": 500, "error": "status"}
    yield "event_attempts", [{"event_id": id, **failed, "tm_create": ids.moment_of(id)} for id in made]
    yield "traces", [{"id": id, "message_id": id, "n": 0, "body": b"trace" * 40} for id in made]


def _of_nobody(made: Sequence[str], first: int, carrier_id: str) -> Iterator[Rows]:
    """When messages expire; receipts too early, most often of other carriers; and parts of inbound messages."""
    yield "expiries", [{"message_id": id, "due_at": ids.moment_of(id) + MONTH} for id in made]
    yield "parked_receipts", [_parked(id, n, carrier_id) for n, id in enumerate(made)]
    seen = {"node_id": "n", "session": "s", "late": 0}
    yield (
        "inbound_seen",
        [
            {"carrier_id": f"{carrier_id}{n % 20}", "fingerprint": id.encode(), **seen, "tm_create": ids.moment_of(id)}
            for n, id in enumerate(made)
        ],
    )
    part = {"reference": 1, "width": 8, "total": 3, "part": 1, "text": "part", "octets": None, "source": SOURCE}
    yield (
        "inbound_parts",
        [
            {"carrier_id": carrier_id, "destination": f"{first + n}", **part, "tm_create": ids.moment_of(id)}
            for n, id in enumerate(made)
        ],
    )


def _flows(made: Sequence[str], first: int, customer_id: str) -> Iterator[Rows]:
    """Flows that ran, one of ten of which waits for a reply; and as many that were written."""
    times = {"tm_update": NEVER, "tm_delete": NEVER}
    of = {"customer_id": customer_id, "name": "", "detail": "", "actions": "[]", "on_complete_flow_id": ids.UNSET}
    yield "flows", [{"id": id, **of, "tm_create": ids.moment_of(id), **times} for id in made]
    ran = {"customer_id": customer_id, "reference_type": "message", "number": SOURCE, "state": "{}", "version": 1}
    ended = {"status": "ended", "due_at": None, "leased": 0, "is_waiting": 0}
    rows = []
    for n, id in enumerate(made, first):
        end = {"status": "running", "due_at": NEVER, "leased": 0, "is_waiting": 1} if n % 10 == 0 else ended
        names = {"id": id, "flow_id": made[n % 50], "reference_id": id, "person": f"+4479{n:08d}"}
        rows.append(
            {**names, **ran, **end, "end_reason": "", "end_detail": "", "tm_create": ids.moment_of(id), **times}
        )
    yield "activeflows", rows
    yield (
        "flow_answers",
        [{"number": SOURCE, "person": f"{n}", "count": 1, "tm_begin": n} for n in range(first, first + len(made))],
    )


def _people(made: Sequence[str], first: int, customer_id: str) -> Iterator[Rows]:
    """Who said STOP, one of ten of whom came back, who agreed before, and who is known; and as many limits."""
    numbered = [(id, ids.moment_of(id), f"+4477{n:08d}") for n, id in enumerate(made, first)]
    of, said = {"customer_id": customer_id}, {"source": "keyword"}
    stands = ["opted_out"] * 9 + ["opted_in"]
    outs, events, notices, consents, contacts = [], [], [], [], []
    agreed = {"scope": "customer", "method": "web", "words": "", "evidence": "", "ip": "", "actor": ""}
    kept = {"tm_withdraw": NEVER, "withdrawn_by": "", "withdrawn_words": ""}
    for n, (id, at, address) in enumerate(numbered):
        person, status = {**of, "address": address}, {"status": stands[n % 10]}
        outs.append(
            {**person, **said, **status, "scope": "customer", "id": id, "tm_said": at, "tm_create": at, "tm_update": at}
        )
        told = {"message_id": id, "words": "STOP", "actor": "", "tm_said": at, "tm_create": at}
        events.append({"opt_out_id": id, "id": id, **said, **status, **told})
        notices.append({**person, "number": SOURCE, "kind": "opt_out", "tm_create": at, "tm_again": at + MONTH})
        consents.append({**person, **agreed, **kept, "id": id, "tm_given": at, "tm_create": at})
        contacts.append({**person, "id": id, "time_zone": "Europe/London", "tm_create": at, "tm_update": NEVER})
    yield "opt_outs", outs
    yield "opt_out_events", events
    yield "notices", notices
    yield "consents", consents
    yield "contacts", contacts
    used = {"free_at": 0, "again_at": 0, "day_ends": 0, "used": 0, "lanes": ""}
    yield (
        "limit_uses",
        [{"limit_id": id, **used, "last_at": NEVER if n % 100 == 0 else at} for n, (id, at, _) in enumerate(numbered)],
    )


def _threads(made: Sequence[str], numbers: range, customer_id: str) -> Iterator[Rows]:
    """As if each message had gone to somebody who has answered since, unread."""
    of = {"own": SOURCE, "owner_type": "", "owner_id": ids.UNSET, "name": "", "detail": "", "unread_count": 1}
    rows = []
    for id, n in zip(made, numbers, strict=True):
        times = {"tm_last_message": ids.moment_of(id), "tm_create": ids.moment_of(id), "tm_update": NEVER}
        rows.append({"id": id, "customer_id": customer_id, "peer": f"+4478{n:08d}", **of, "last_id": id, **times})
    yield "conversations", rows
    answer = {"customer_id": customer_id, "fingerprint": b"f" * 32, "body": b"{}" * 300}
    yield "idempotency_keys", [{"key": id, **answer, "tm_create": ids.moment_of(id)} for id in made]
    medium = {"type": "image/jpeg", "size": 1000, "name": "cat.jpg"}
    digests = [f"{n:064x}" for n in numbers]
    yield (
        "uploads",
        [
            {"id": id, "customer_id": customer_id, "digest": digest, **medium, "tm_create": ids.moment_of(id)}
            for id, digest in zip(made, digests, strict=True)
        ],
    )
    waiting = {"customer_id": customer_id, "attempts": 1}
    yield (
        "preparations",
        [
            {"message_id": id, **waiting, "due_at": NEVER - n, "holder": "" if n % 100 else "n"}
            for id, n in zip(made, numbers, strict=True)
        ],
    )
    linked = zip(made, digests, strict=True)
    yield "media_links", [{"code": id, "digest": digest, "tm_expire": ids.moment_of(id)} for id, digest in linked]


def _parked(id: str, n: int, carrier_id: str) -> dict[str, Any]:
    """One of a hundred is still looked for."""
    due = {"sweeps": 4, "due_at": None if n % 100 else ids.moment_of(id)}
    names = {"carrier_id": f"{carrier_id}{n % 20}", "carrier_message_id": f"parked {id}"}
    return {"id": id, **names, "body": "{}", **due, "tm_create": ids.moment_of(id)}


def _times(id: str) -> dict[str, int]:
    return {"tm_create": ids.moment_of(id), "tm_update": ids.moment_of(id)}


def _end(id: str, n: int, is_told: bool) -> dict[str, Any]:
    """Of a hundred events one failed for good."""
    if n % 5 == 1 and not is_told:
        return {"status": "pending", "due_at": ids.moment_of(id), "response_status": 0, "error": ""}
    if n % 100:
        return {"status": "delivered", "due_at": None, "response_status": 200, "error": ""}
    return {"status": "failed", "due_at": None, "response_status": 500, "error": "status"}


async def _write(side: Side, given: Iterator[Rows]) -> None:
    tables = await side.tables()
    for name, rows in given:
        if rows:
            table = tables[name]._replace(columns=tuple(rows[0]))
            await side.replace(table, [], [tuple(row.values()) for row in rows])
