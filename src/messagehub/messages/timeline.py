"""A trace as people read it: the steps of the recorder in the order of time, each with words, and PDUs taken apart."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

from messagehub import shapes, text
from messagehub.carriers.masking import masked
from messagehub.carriers.wire import (
    AGAIN,
    ANSWER,
    LOST,
    NO_ANSWER,
    OURS,
    PAUSED,
    QUERY,
    QUERY_RESPONSE,
    REQUEST,
    RESPONSE_TO,
    SUBMIT,
    UNSENT,
    Link,
    Step,
)
from messagehub.clock import SECOND, plain
from messagehub.messages import options
from messagehub.messages.recorder import (
    ACCEPTED,
    CLAIMED,
    DROPPED,
    ELSEWHERE,
    MOVED,
    OCTETS,
    RECEIPT,
    REFUSED,
    ROUTED,
    WITH_OCTETS,
)
from messagehub.messages.status import PUBLIC
from messagehub.shapes.members import MessageKind
from messagehub.smpp import PDU, DecodeError, decode, deviations, read_tlv, status
from messagehub.smpp.receipts import UDHI
from messagehub.smpp.tlvs import NAMES

GAP = "gap"
GAPS = {
    ELSEWHERE: "what was before is not known here: another process saw it, or one that has ended",
    DROPPED: "what was before had to be forgotten: too much was under way to keep it in memory",
}

Told = tuple[str, dict[str, Any]]
"""The words for a step, and its details."""


def in_order(steps: Sequence[Step], message: Any, is_redacted: bool) -> list[shapes.TraceStep]:
    """`message`: its row. Where `is_redacted`, texts are masked."""
    made, before = [], 0
    for step in sorted(steps, key=lambda step: step[0]):
        words, detail = TELL[step[1]](step, message)
        pdu = _pdu(step, is_redacted) if step[1] in WITH_OCTETS and step[OCTETS] else None
        elapsed = step[0] - before if before else 0
        said: dict[str, Any] = {"step": step[1], "words": words, "pdu": pdu, "detail": detail}
        made.append(shapes.TraceStep(tm=plain(step[0]), elapsed_us=elapsed, **said))
        before = step[0]
    return made


def gap(moment: int, why: str, dropped: int) -> list[Step]:
    """Steps that say what a trace lacks."""
    words = [GAPS[why]] if why else []
    if dropped:
        words.append(f"{dropped} steps had to be forgotten: one target had too many")
    return [(moment, GAP, each) for each in words]


# --- in words ---------------------------------------------------------------------------


CHECKS = ["the source is a number of the customer's", "the destination is E.164", "the parts are not too many"]
"""What every message has passed that was accepted."""


def _accepted(step: Step, message: Any) -> Told:
    _, _, request_id, carrier_id, routes = step
    what, size = SIZE_OF[options.kind_of(message.options)](message)
    goes = f"goes to carrier {carrier_id}" if carrier_id else "no route leads to it"
    detail = {
        "request_id": request_id,
        "checks": CHECKS,
        **size,
        "carrier_id": carrier_id,
        "routes": [{"carrier_id": id, "why": why, "is_chosen": id == carrier_id} for id, why in routes],
    }
    return f"accepted in request {request_id or '-'}: {what}; {goes}", detail


def _size_of_sms(message: Any) -> Told:
    cut = text.segment(options.sent_text(message))
    words = f"{cut.parts} part{'s' * (cut.parts > 1)} in {cut.encoding}"
    return words, {"encoding": cut.encoding, "parts": cut.parts, "units": cut.units}


def _size_of_mms(message: Any) -> Told:
    medias = options.read(message.options).medias
    with_them = f" with {len(medias)} {'media' if len(medias) > 1 else 'medium'}" if medias else ""
    return f"an MMS{with_them}", {"parts": 1, "medias": len(medias)}


SIZE_OF: dict[MessageKind, Callable[[Any], Told]] = {"sms": _size_of_sms, "mms": _size_of_mms}


def _claimed(step: Step, _: Any) -> Told:
    _, _, node_id, carrier_id, attempt = step
    detail = {"node_id": node_id, "carrier_id": carrier_id, "attempt": attempt}
    return f"taken for carrier {carrier_id}, attempt {attempt}", detail


def _submit(step: Step, _: Any) -> Told:
    return f"part {step[2] + 1} was sent to the carrier", {"part": step[2] + 1}


def _response(step: Step, _: Any) -> Told:
    number = int.from_bytes(step[OCTETS][8:12], "big")
    row = status(number)
    return f"the carrier answered for part {step[2] + 1}: {row.name}: {row.words}", {"part": step[2] + 1}


def _no_answer(step: Step, _: Any) -> Told:
    if len(step) == 2:
        return "the carrier did not answer in time", {}
    return f"the carrier did not answer for part {step[2] + 1} in time", {"part": step[2] + 1}


def _paused(step: Step, _: Any) -> Told:
    return f"the carrier throttles: nothing goes to it for {step[2] / SECOND:.3g} s", {"pause_us": step[2]}


def _again(step: Step, _: Any) -> Told:
    parts = [part + 1 for part in step[2]]
    return f"parts {', '.join(map(str, parts))} go again, as others were taken", {"parts": parts}


def _lost(step: Step, _: Any) -> Told:
    return f"the connection was lost before the answer: {step[2]}", {}


def _unsent(step: Step, _: Any) -> Told:
    return f"given back before it left: {step[2]}", {}


def _refused(step: Step, _: Any) -> Told:
    return f"refused as {step[2]}: {step[3]}", {"reason": step[2], "carrier_words": step[3]}


def _routed(step: Step, _: Any) -> Told:
    return f"its carrier is down or gone: carrier {step[2]} is to have it", {"carrier_id": step[2]}


def _moved(step: Step, _: Any) -> Told:
    _, _, before, after, happening, code, error_message, due_at = step
    detail = {"before": PUBLIC[before], "after": PUBLIC[after], "happening": happening}
    words = f"{before} → {after}: {happening}"
    if code:
        words += f"; {code}: {error_message}"
        detail |= {"error_code": code, "error_message": error_message}
    if due_at and (until := UNTIL.get(after)):
        words += f"; {until} {plain(due_at)}"
        detail["due_at"] = plain(due_at)
    return words, detail


UNTIL = {"queued": "due at", "sent": "a receipt is waited for until"}


def _receipt(step: Step, _: Any) -> Told:
    _, _, part, _, _, name, state, words, rule, is_parked = step
    parked = "; it had overtaken the response, and was parked" if is_parked else ""
    detail = {
        "carrier_message_id": name,
        "state": state,
        "carrier_words": words,
        "part": part + 1,
        "rule": rule,
        "was_parked": is_parked,
    }
    return f"a receipt for part {part + 1} says {state} ({words}); matched by {rule}{parked}", detail


def _query(step: Step, _: Any) -> Told:
    return f"no receipt came in time; the carrier was asked for part {step[2] + 1}", {"part": step[2] + 1}


def _query_response(step: Step, _: Any) -> Told:
    row = status(int.from_bytes(step[OCTETS][8:12], "big"))
    said = step[5] or f"{row.name}: {row.words}"
    return f"the carrier says of part {step[2] + 1}: {said}", {"part": step[2] + 1, "carrier_words": said}


def _request(step: Step, _: Any) -> Told:
    _, _, method, url, size = step
    return f"{method} {url} was sent to the carrier", {"method": method, "url": url, "octets": size}


def _answer(step: Step, _: Any) -> Told:
    _, _, code, size, took = step
    detail = {"status": code, "octets": size, "elapsed_us": took}
    return f"the carrier answered with {code} after {took / 1000:.3g} ms", detail


def _gap(step: Step, _: Any) -> Told:
    return step[2], {}


TELL: dict[str, Callable[[Step, Any], Told]] = {
    ACCEPTED: _accepted,
    CLAIMED: _claimed,
    SUBMIT: _submit,
    RESPONSE_TO: _response,
    NO_ANSWER: _no_answer,
    PAUSED: _paused,
    AGAIN: _again,
    LOST: _lost,
    UNSENT: _unsent,
    REFUSED: _refused,
    MOVED: _moved,
    ROUTED: _routed,
    RECEIPT: _receipt,
    QUERY: _query,
    QUERY_RESPONSE: _query_response,
    REQUEST: _request,
    ANSWER: _answer,
    GAP: _gap,
}
assert TELL.keys() == set(get_args(shapes.TraceStepName))


# --- PDUs -------------------------------------------------------------------------------


def _pdu(step: Step, is_redacted: bool) -> shapes.TracePDU:
    _, kind, part, link, octets, *_ = step
    octets = masked(octets) if is_redacted else octets
    pdu, note = _decoded(octets)
    return shapes.TracePDU(
        name=pdu.name,
        direction="sent" if kind in OURS else "received",
        part=part + 1,
        connection=_connection(link),
        sequence=pdu.sequence,
        command_status=status(pdu.status).name,
        fields={name: _shown(value) for name, value in pdu.fields.items()},
        tlvs={NAMES.get(tag, f"{tag:#06x}"): value.hex() for tag, value in pdu.tlvs.items()},
        text=_text(pdu),
        note=note,
        hex=octets.hex(),
    )


def _decoded(octets: bytes) -> tuple[PDU, str]:
    """The PDU, and what is odd about it; or why it makes no sense."""
    try:
        pdu = decode(octets)
        return pdu, "; ".join(deviations(pdu))
    except DecodeError as error:
        return PDU("unknown"), str(error)


def _connection(link: Link) -> str:
    return f"{link[0]}:{link[1]} – {link[2]}:{link[3]}"


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _text(pdu: PDU) -> str:
    octets = pdu.fields.get("short_message") or read_tlv(pdu.tlvs, "message_payload") or b""
    if not octets:
        return ""
    return text.decode(pdu.fields["data_coding"], octets, bool(pdu.fields["esm_class"] & UDHI)).text
