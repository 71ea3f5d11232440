"""What the simulator remembers of an MMS: what a person would see of it, and the request that brought it."""

import hashlib
from typing import Any, NamedTuple

from msgspec import Struct

from messagehub.media import MediaError, check
from messagehub.mms import PDU, Part, read, take_apart


class Raw(NamedTuple):
    """A request as it came."""

    content_type: str
    body: bytes


class KeptMMS(Struct):
    """An MMS that was accepted as number `n` of all submits. `shown` is for people and tests to read.

    `raw` is None where it is so long ago that it was forgotten.
    """

    n: int
    shown: dict[str, Any]
    raw: Raw | None
    mark: int
    """Equal for the same content to the same number."""

    @property
    def octets(self) -> int:
        return len(self.raw.body) if self.raw else 0


def kept(n: int, message_id: str, source: str, destination: str, request: PDU, raw: Raw) -> KeptMMS:
    described = [_described(part) for part in parts_of(request)]
    fields, identity = request.fields, request.fields["SenderIdentification"]
    assert request.content  # nothing is accepted without
    text = take_apart(request.content).text
    shown = {
        "n": n,
        "kind": "mms",
        "source": source,
        "destination": destination,
        "text": text,
        "subject": fields.get("Subject", ""),
        "message_id": message_id,
        "transaction_id": request.transaction_id,
        "namespace": request.namespace,
        "vasp_id": identity.get("VASPID", ""),
        "vas_id": identity.get("VASID", ""),
        "delivery_report": fields.get("DeliveryReport", False),
        "priority": fields.get("Priority", ""),
        "expires": str(fields.get("ExpiryDate", "")),
        "size": len(raw.body),
        "parts": described,
        "oddities": request.oddities,
    }
    digests = (part["sha256"] for part in described)
    return KeptMMS(n, shown, raw, hash((destination, text, shown["subject"], *digests)))


def parts_of(request: PDU) -> tuple[Part, ...]:
    """Those that are no multiparts, in order."""
    return tuple(request.content.leaves()) if request.content else ()


def read_parts(raw: Raw) -> tuple[Part, ...]:
    return parts_of(read(*raw))


def _described(part: Part) -> dict[str, Any]:
    digest = hashlib.sha256(part.body).hexdigest()
    shown = {"type": part.type, "name": part.name or part.location, "size": len(part.body), "sha256": digest}
    try:
        _, shape = check(part.body, part.type)
    except MediaError:
        return shown
    return shown | ({"width": shape.width, "height": shape.height} if shape.pixels else {})
