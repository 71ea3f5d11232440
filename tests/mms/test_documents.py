import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from messagehub.mms import documents
from messagehub.mms.errors import DecodeError, EncodeError
from tests.mms.values import WORDS


@given(WORDS, WORDS)
def test_reading_what_was_written_gives_it_back(text: str, attribute: str) -> None:
    xml = documents.element("a", documents.text(text), {"b": attribute}).encode()
    found = documents.read(xml)
    assert (found.name, found.text, found.attributes) == ("a", text, {"b": attribute})
    theirs = etree.fromstring(xml)
    assert (theirs.text or "", theirs.get("b")) == (text, attribute)


@pytest.mark.parametrize("text", ["\r\n", "a\rb", "\t<&>\"'", " ]]> "])
def test_no_character_is_lost(text: str) -> None:
    found = documents.read(documents.element("a", documents.text(text), {"b": text}).encode())
    assert (found.text, found.attributes["b"]) == (text, text)


@given(st.text(st.characters(categories=["Cc", "Cs"], exclude_characters="\t\n\r\x7f-\x9f"), min_size=1))
def test_what_xml_cannot_have_is_refused(text: str) -> None:
    if any(character < " " or "\ud800" <= character <= "\udfff" for character in text):
        with pytest.raises(EncodeError, match=r"U\+[0-9A-F]{4} cannot stand in XML"):
            documents.text(text)


def test_names_are_local_and_namespaces_beside_them() -> None:
    found = documents.read(b'<e:a xmlns:e="urn:e" e:b="1" c="2"><d xmlns="urn:d">x</d><!-- y -->z</e:a>')
    assert (found.name, found.namespace, found.attributes, found.text) == ("a", "urn:e", {"b": "1", "c": "2"}, "z")
    assert [(child.name, child.namespace, child.text) for child in found.children] == [("d", "urn:d", "x")]


@pytest.mark.parametrize(
    ("octets", "charset"),
    [
        ("<a>안녕</a>".encode(), ""),
        ("<a>안녕</a>".encode("utf-16"), ""),
        ('<?xml version="1.0" encoding="euc-kr"?><a>안녕</a>'.encode("euc-kr"), ""),
        ("<a>안녕</a>".encode("euc-kr"), "EUC-KR"),
        ('<?xml version="1.0" encoding="utf-8"?><a>안녕</a>'.encode("euc-kr"), "euc-kr"),
        (b"\xef\xbb\xbf" + "<a>안녕</a>".encode(), "utf-8"),
    ],
)
def test_documents_in_other_charsets(octets: bytes, charset: str) -> None:
    assert documents.read(octets, charset).text == "안녕"


LAUGHS = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
HOSTILE = {
    "billion laughs": b'<!DOCTYPE a [<!ENTITY e0 "ha">' + LAUGHS + b"]><a>&e9;</a>",
    "an external entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
    "an external subset": b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
    "parameter entities": b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1/"> %e;]><a/>',
    "an entity that nobody declared": b"<a>&e;</a>",
    "depth": b"<a>" * 10_000 + b"</a>" * 10_000,
    "many elements": b"<a>" + b"<b/>" * 30_000 + b"</a>",
    "many attributes": b"<a " + b" ".join(b'b%d=""' % n for n in range(100)) + b"/>",
    "size": b"<a>" + b" " * documents.MAX_OCTETS + b"</a>",
    "not closed": b"<a><b></a>",
    "two roots": b"<a/><b/>",
    "nothing": b"",
    "no XML": b"HTTP/1.1 200 OK",
    "a prefix without a namespace": b"<e:a/>",
    "a strange charset": b'<?xml version="1.0" encoding="unicode_escape"?><a/>',
    "no charset at all": b'<?xml version="1.0" encoding="nonsense-1"?><a/>',
    "no UTF-8": b"<a>\xff</a>",
    "a control character": b"<a>&#1;</a>",
}


@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_could_do_harm_or_makes_no_sense_is_refused(octets: bytes) -> None:
    before = time.process_time()
    with pytest.raises(DecodeError):
        documents.read(octets)
    assert time.process_time() - before < 1


def test_long_texts_in_pieces_do_not_take_long() -> None:
    before = time.process_time()
    octets = b"<a>" + b"x" * 800_000 + b"<b/>&amp;" * 15_000 + b"</a>"
    assert len(documents.read(octets).text) == 815_000
    assert time.process_time() - before < 1
