"""MIME header fields: a value and its parameters, in the forms that peers really write.

RFC 2045 (section 5.1) for the grammar, RFC 2231 for parameters in other charsets and in pieces, RFC 2047 for words
that stand where they should not and are understood all the same.
"""

import binascii
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

from messagehub.mms import charsets
from messagehub.mms.errors import DecodeError, EncodeError

MAX_OCTETS = 16 * 1024
"""Of all header fields of one part."""

_FOLD = re.compile(rb"\r?\n[ \t]+")
_PARAMETER = re.compile(r""";\s*(?:([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*)))?""", re.DOTALL)
_PIECE = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")
_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z-]*)?\?([BbQq])\?([^?\s]*)\?=(?:\s+(?==\?))?")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~/-]+")
_UNSAFE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_MAX_PARAMETERS = 64


def split(block: bytes) -> dict[str, str]:
    """The header fields of a block, by their names in lower case; of those that come twice, the first.

    A line that is no field is passed over.
    """
    if len(block) > MAX_OCTETS:
        raise DecodeError(f"a part with more than {MAX_OCTETS} octets of header fields")
    fields: dict[str, str] = {}
    for line in _FOLD.sub(b" ", block).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(charsets.plain(name, "").strip().lower(), charsets.plain(value, "").strip())
    return fields


def parse(value: str) -> tuple[str, dict[str, str]]:
    """A value such as a content type's in lower case, and its parameters by their names in lower case."""
    head, _, _ = value.partition(";")
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    plain: dict[str, str] = {}
    for count, match in enumerate(_PARAMETER.finditer(value, len(head))):
        if count >= _MAX_PARAMETERS:
            break
        if match[1]:
            _sort_in(match, plain, pieces)
    for name, parts in pieces.items():
        plain[name] = _joined(parts)
    return head.strip().lower(), plain


def _sort_in(match: re.Match[str], plain: dict[str, str], pieces: dict[str, dict[int, tuple[str, bool]]]) -> None:
    name = match[1].lower()
    value = re.sub(r"\\(.)", r"\1", match[2], flags=re.DOTALL) if match[2] is not None else match[3].strip()
    piece = _PIECE.fullmatch(name)
    if piece and (piece[2] or piece[3]):
        pieces.setdefault(piece[1], {}).setdefault(int(piece[2] or 0), (value, bool(piece[3])))
    else:
        plain.setdefault(name, unworded(value))


def _joined(parts: Mapping[int, tuple[str, bool]]) -> str:
    """RFC 2231, sections 3 and 4: pieces in order, of which some are in percent signs; the first says the charset."""
    charset = charsets.DEFAULT
    octets = b""
    for number in sorted(parts):
        value, extended = parts[number]
        if extended and number == min(parts) and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        octets += unquote_to_bytes(value) if extended else value.encode(errors="replace")
    return charsets.plain(octets, charset)


def unworded(value: str) -> str:
    """A value in which encoded words (RFC 2047) are read."""
    return _WORD.sub(_read_word, value) if "=?" in value else value


def _read_word(match: re.Match[str]) -> str:
    charset, way, text = match.groups()
    octets = text.encode(errors="replace")
    try:
        octets = a2b_base64(octets) if way in "Bb" else binascii.a2b_qp(octets, header=True)
    except binascii.Error:
        return match[0]
    return charsets.plain(octets, charset)


def a2b_base64(octets: bytes) -> bytes:
    """Base64 with whatever else in it, and with its padding or without."""
    try:
        return binascii.a2b_base64(octets)
    except binascii.Error:
        return binascii.a2b_base64(octets.rstrip(b"\r\n \t=") + b"==")


def format_value(value: str, parameters: Mapping[str, str]) -> str:
    """A value with its parameters. Raises EncodeError for what cannot stand in a header field."""
    return "; ".join([checked(value, "a header field"), *(_parameter(name, text) for name, text in parameters.items())])


def _parameter(name: str, text: str) -> str:
    if not _TOKEN.fullmatch(name) or "*" in name:
        raise EncodeError(f"{name!r} is no name of a parameter")
    _no_control_characters(text, name)
    if not text.isascii():
        return f"{name}*=utf-8''{quote(text, safe='')}"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def checked(text: str, what: str) -> str:
    """A text that can be a header field as it stands."""
    _no_control_characters(text, what)
    if text != text.strip():
        raise EncodeError(f"{what}: {text!r} has space around it")
    return text


def _no_control_characters(text: str, what: str) -> None:
    if _UNSAFE.search(text):
        raise EncodeError(f"{what}: {text!r} has control characters")
