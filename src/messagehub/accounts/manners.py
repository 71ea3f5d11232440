"""Manners: how a customer wishes to deal with people who want no messages, or not at this hour. Kept as JSON."""

import msgspec
from msgspec import Struct

from messagehub.shapes import NoticeKind, OptOutScope, ProbableOptOuts, QuietHours


class Manners(Struct, frozen=True, omit_defaults=True):
    opt_out_scope: OptOutScope = "customer"
    """What a STOP in answer to a number ends: its messages, those of its group, or all of the customer's."""
    probable_opt_outs: ProbableOptOuts = "honour"
    opt_out_replies: dict[NoticeKind, dict[str, str]] = {}
    """Texts of the customer's own, by what they answer and by language."""
    require_consent: bool = False
    """What is of the class marketing goes only to those who have agreed."""
    quiet_hours: QuietHours = QuietHours()


NAMES = Manners.__struct_fields__
PLAIN = Manners()

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Manners).decode


def read(column: str) -> Manners:
    return PLAIN if column == "{}" else _decode(column)


def write(manners: Manners) -> str:
    return _encode(manners).decode()
