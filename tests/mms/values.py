"""Parts, and PDUs of any row of the table, made from the row."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from messagehub.mms.elements import (
    Address,
    Addresses,
    Attributes,
    Flag,
    Group,
    Integer,
    Kind,
    Moment,
    OneAddress,
    Text,
    Word,
)
from messagehub.mms.mm7 import NAMESPACES, PDU, PDUS, RELEASE_6_ONLY, REQUIRED, WITH_CONTENT, is_release_5
from messagehub.mms.parts import Part, bare

Values = st.SearchStrategy[Any]

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)
TEXTS = WORDS.map(lambda text: " ".join(text.split()))
NAMES = TEXTS.filter(lambda text: "=?" not in text and bare(text) == text)
FLAT = st.sampled_from(["image/jpeg", "text/plain", "application/smil", "text/x-vcard", "video/3gpp"])
BODIES = st.binary(max_size=60) | st.sampled_from([b"", b"\r\n", b"--", b"\n--mh-", b"a\r\n\r\nb", b"\r"])

flat_parts = st.builds(
    Part,
    FLAT,
    BODIES,
    parameters=st.dictionaries(st.sampled_from(["charset", "x-extra"]), NAMES),
    id=NAMES,
    location=NAMES,
    name=NAMES,
)


def multiparts(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    return st.builds(
        Part,
        st.sampled_from(["multipart/related", "multipart/mixed", "multipart/alternative"]),
        parts=st.lists(parts, min_size=1, max_size=4).map(tuple),
        parameters=st.dictionaries(st.sampled_from(["start", "type"]), NAMES),
        id=NAMES,
    )


any_parts = st.recursive(flat_parts, multiparts, max_leaves=8)

addresses = st.builds(
    Address,
    st.sampled_from(["Number", "ShortCode", "RFC2822Address"]),
    TEXTS.filter(lambda text: text and not text.upper().endswith("/TYPE=PLMN")),
    st.booleans(),
    st.sampled_from(["", "encrypted", "obfuscated"]),
    TEXTS,
)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda moment: moment.replace(tzinfo=UTC))
spans = st.timedeltas(timedelta(), timedelta(days=999_999_998))


def values(kind: Kind) -> Values:
    match kind:
        case Text():
            return TEXTS
        case Integer():
            return st.integers(0, 10**9 - 1)
        case Flag():
            return st.booleans()
        case Word(words=words):
            return st.sampled_from(words)
        case Moment(may_be_span=may_be_span):
            return moments | spans if may_be_span else moments
        case Attributes(names=names, flags=flags):
            texts = {name: TEXTS for name in names if name != "href"}
            return st.fixed_dictionaries({}, optional={**texts, **dict.fromkeys(flags, st.booleans())})
        case OneAddress():
            return addresses
        case Addresses():
            return st.lists(addresses, min_size=1, max_size=3)
        case Group(fields=fields):
            required = {name: values(fields[name]) for name in fields if name in ("To", "StatusCode")}
            others = {name: values(fields[name]) for name in fields if name not in required}
            return st.fixed_dictionaries(required, optional=others)
    raise AssertionError(kind)


def row_values(name: str, namespace: str, is_full: bool) -> st.SearchStrategy[Mapping[str, Any]]:
    """Of a PDU without its Content; those that the reader needs have something in them."""
    fields = {
        key: values(kind).filter(bool) if key in REQUIRED[name] else values(kind)
        for key, kind in PDUS[name].items()
        if key != "Content" and not (is_release_5(namespace) and key in RELEASE_6_ONLY)
    }
    if is_full:
        return st.fixed_dictionaries(fields)
    required = {key: fields.pop(key) for key in REQUIRED[name]}
    return st.fixed_dictionaries(required, optional=fields)


def pdus(name: str, namespace: str, is_full: bool = False) -> st.SearchStrategy[PDU]:
    """Where it `is_full`, with every element that the operation can have."""
    return row_values(name, namespace, is_full).flatmap(lambda fields: _with_content(name, namespace, fields))


def _with_content(name: str, namespace: str, fields: Mapping[str, Any]) -> st.SearchStrategy[PDU]:
    contents: st.SearchStrategy[Part | None] = any_parts.map(_with_id)
    if "Content" not in PDUS[name]:
        contents = st.none()
    elif name not in WITH_CONTENT:
        contents |= st.none()
    return st.builds(
        _pdu,
        st.just(name),
        TEXTS,
        st.just(fields),
        contents,
        st.just(namespace),
        st.sampled_from(["5.3.0", "6.8.0"]),
        st.sampled_from([None, True, False]),
    )


def _with_id(part: Part) -> Part:
    return Part(part.type, part.body, part.parts, part.parameters, "the-content", part.location, part.name)


def _pdu(
    name: str,
    transaction_id: str,
    fields: Mapping[str, Any],
    content: Part | None,
    namespace: str,
    version: str,
    adaptations: bool | None,
) -> PDU:
    if content is not None and adaptations is not None:
        fields = {**fields, "Content": {"allowAdaptations": adaptations}}
    return PDU(name, transaction_id, fields, content, namespace, version)


any_pdu = st.tuples(st.sampled_from(sorted(PDUS)), st.sampled_from(sorted(NAMESPACES.values()))).flatmap(
    lambda pair: pdus(*pair)
)
