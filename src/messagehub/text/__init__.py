"""Text on the wire: alphabets, segmentation, user data headers, and what came in decoded. Pure; docs/text.md."""

from messagehub.text.alphabets import Encoding
from messagehub.text.codings import DataCoding, Waiting, data_coding_of, read_data_coding
from messagehub.text.gsm import decode_gsm, encode_gsm, is_gsm
from messagehub.text.inbound import Decoded, DefaultAlphabet, Piece, decode, join
from messagehub.text.packing import pack, unpack
from messagehub.text.profile import STANDARD, Profile, Way, with_class
from messagehub.text.segments import Segment, Segmentation, TooManyParts, count_parts, cut, segment
from messagehub.text.smart import Smart, smart
from messagehub.text.typography import Forcing, forced_by
from messagehub.text.ucs2 import decode_ucs2, encode_ucs2
from messagehub.text.udh import (
    Concatenation,
    Element,
    Ports,
    UserData,
    build_header,
    concatenation_header,
    parse_user_data,
)
from messagehub.text.words import plain_words

__all__ = [
    "STANDARD",
    "Concatenation",
    "DataCoding",
    "Decoded",
    "DefaultAlphabet",
    "Element",
    "Encoding",
    "Forcing",
    "Piece",
    "Ports",
    "Profile",
    "Segment",
    "Segmentation",
    "Smart",
    "TooManyParts",
    "UserData",
    "Waiting",
    "Way",
    "build_header",
    "concatenation_header",
    "count_parts",
    "cut",
    "data_coding_of",
    "decode",
    "decode_gsm",
    "decode_ucs2",
    "encode_gsm",
    "encode_ucs2",
    "forced_by",
    "is_gsm",
    "join",
    "pack",
    "parse_user_data",
    "plain_words",
    "read_data_coding",
    "segment",
    "smart",
    "unpack",
    "with_class",
]
