"""Text on the wire: alphabets, segmentation, user data headers, and what came in decoded. Pure."""

from messagehub.text.gsm import decode_gsm, encode_gsm, is_gsm
from messagehub.text.inbound import Decoded, decode
from messagehub.text.segments import Encoding, Segment, Segmentation, TooManyParts, count_parts, cut, segment
from messagehub.text.typography import Forcing, forced_by
from messagehub.text.ucs2 import decode_ucs2, encode_ucs2
from messagehub.text.udh import Concatenation, Element, UserData, concatenation_header, parse_user_data

__all__ = [
    "Concatenation",
    "Decoded",
    "Element",
    "Encoding",
    "Forcing",
    "Segment",
    "Segmentation",
    "TooManyParts",
    "UserData",
    "concatenation_header",
    "count_parts",
    "cut",
    "decode",
    "decode_gsm",
    "decode_ucs2",
    "encode_gsm",
    "encode_ucs2",
    "forced_by",
    "is_gsm",
    "parse_user_data",
    "segment",
]
