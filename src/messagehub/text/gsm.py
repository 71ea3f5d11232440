"""The GSM 7-bit default alphabet and its extension table: 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1.

On the wire it is unpacked here, one septet per octet, as SMPP carries data_coding 0.
"""

import codecs
import re

ESCAPE = 0x1B

# A character's place is its code. 0x1B is the escape and stands for no character.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# What a code means after an escape. 0x0D and 0x1B are reserved: for a control and for one more table.
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

ONE_SEPTET = BASIC.replace(chr(ESCAPE), "")
TWO_SEPTETS = "".join(EXTENSION.values())
NOT_GSM = re.compile(f"[^{re.escape(ONE_SEPTET + TWO_SEPTETS)}]")

_OCTETS = {ord(character): bytes([code]) for code, character in enumerate(BASIC) if code != ESCAPE} | {
    ord(character): bytes([ESCAPE, code]) for code, character in EXTENSION.items()
}
# ASCII goes by bytes.translate, five to ten times as fast; 0xFF marks what has no single septet.
_FROM_ASCII = bytes(BASIC.index(chr(n)) if chr(n) in ONE_SEPTET else 0xFF for n in range(256))

_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)
# By the character that the code has in the basic table. An escape with nothing known behind it is shown as a space.
_AFTER_ESCAPE = {BASIC[code]: character for code, character in EXTENSION.items()} | {chr(ESCAPE): " ", "": " "}


def is_gsm(text: str) -> bool:
    """Whether each character of `text` is in the default alphabet or its extension table."""
    return NOT_GSM.search(text) is None


def encode_gsm(text: str) -> bytes:
    """The septets of `text`, one per octet; a character of the extension table takes two (TS 23.038, 6.2.1.1).

    Raises UnicodeEncodeError, which says where, at a character that has no code.
    """
    if text.isascii():
        octets = text.encode().translate(_FROM_ASCII)
        if octets.isascii():
            return octets
    return codecs.charmap_encode(text, "strict", _OCTETS)[0]


def decode_gsm(octets: bytes) -> str:
    """The text of unpacked septets. Never raises (TS 23.038, 6.2.1 and 6.2.1.1).

    An unknown code behind an escape is shown as in the basic table; two escapes, or one at the very end, as a space;
    an octet above 0x7F as U+FFFD.
    """
    text = codecs.charmap_decode(octets, "replace", BASIC)[0]
    return _ESCAPED.sub(_unescape, text) if "\x1b" in text else text


def _unescape(pair: re.Match[str]) -> str:
    return _AFTER_ESCAPE.get(pair[1], pair[1])
