"""What the simulator remembers of an MMS: what a person would see of it, and its parts as they came."""

import hashlib
from dataclasses import dataclass
from typing import Any

from messagehub.media import MediaError, check
from messagehub.mms import PDU, Part, take_apart


@dataclass(slots=True)
class KeptMMS:
    """An MMS that was accepted as number `n` of all submits. `shown` is for people and tests to read.

    `parts` are those that are no multiparts; None where it is so long ago that they were forgotten.
    """

    n: int
    shown: dict[str, Any]
    parts: tuple[Part, ...] | None
    mark: int
    """Equal for the same content to the same number."""

    @property
    def octets(self) -> int:
        return sum(len(part.body) for part in self.parts or ())


def kept(n: int, message_id: str, source: str, destination: str, request: PDU, size: int) -> KeptMMS:
    """`size`: octets of the request that brought it."""
    assert request.content  # nothing is accepted without
    parts = tuple(request.content.leaves())
    described = [_described(part) for part in parts]
    fields, text = request.fields, take_apart(request.content).text
    identity = fields["SenderIdentification"]
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
        "size": size,
        "parts": described,
        "oddities": request.oddities,
    }
    digests = (part["sha256"] for part in described)
    return KeptMMS(n, shown, parts, hash((destination, text, shown["subject"], *digests)))


def _described(part: Part) -> dict[str, Any]:
    digest = hashlib.sha256(part.body).hexdigest()
    shown = {"type": part.type, "name": part.name or part.location, "size": len(part.body), "sha256": digest}
    try:
        _, shape = check(part.body, part.type)
    except MediaError:
        return shown
    return shown | ({"width": shape.width, "height": shape.height} if shape.pixels else {})
