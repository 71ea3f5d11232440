"""What we write, read by a parser and a schema that know nothing of us."""

import email
import email.policy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from messagehub.mms import soap
from messagehub.mms.mm7 import FAULTS, NAMESPACES, PDU, PDUS
from tests.mms.values import any_pdu, pdus

ENV = "{http://schemas.xmlsoap.org/soap/envelope/}"
XSD = Path(__file__).with_name("mm7.xsd").read_text()


@cache
def schema(namespace: str) -> Any:
    return etree.XMLSchema(etree.fromstring(XSD.replace("NAMESPACE", namespace).encode()))


def valid(element: Any, namespace: str) -> None:
    checker = schema(namespace)
    assert checker.validate(etree.fromstring(etree.tostring(element))), checker.error_log


@given(any_pdu)
def test_every_operation_is_valid_by_the_schema(pdu: PDU) -> None:
    check(pdu)


@pytest.mark.parametrize("name", sorted(PDUS))
@pytest.mark.parametrize("release", ["REL-5-MM7-1-2", "REL-6-MM7-1-4"])
@given(data=st.data())
@settings(max_examples=5)
def test_every_operation_with_all_its_elements_is_valid(name: str, release: str, data: st.DataObject) -> None:
    check(data.draw(pdus(name, NAMESPACES[release], is_full=True)))


def check(pdu: PDU) -> None:
    content_type, body = soap.write(pdu)
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    assert not message.defects
    xml: Any = body
    if pdu.content is not None:
        assert message.get_content_type() == "multipart/related"
        assert (message.get_param("type"), message.get_param("start")) == ("text/xml", "<mm7-start>")
        first, second = message.iter_parts()
        assert (first.get_content_type(), first["Content-ID"]) == ("text/xml", "<mm7-start>")
        assert (second.get_content_type(), second["Content-ID"]) == (pdu.content.type, "<the-content>")
        xml = first.get_payload(decode=True)
    envelope = etree.fromstring(xml)
    header, soap_body = envelope
    assert [each.tag for each in (envelope, header, soap_body)] == [ENV + "Envelope", ENV + "Header", ENV + "Body"]
    (transaction,) = header
    valid(transaction, pdu.namespace)
    assert (transaction.text or "", transaction.get(ENV + "mustUnderstand")) == (pdu.transaction_id, "1")
    (element,) = soap_body
    if pdu.name in FAULTS:
        assert element.tag == ENV + "Fault"
        assert [child.tag for child in element] == ["faultcode", "faultstring", "detail"]
        (element,) = element[2]
    assert element.tag == f"{{{pdu.namespace}}}{pdu.name}"
    valid(element, pdu.namespace)


@pytest.mark.parametrize("name", sorted(PDUS))
def test_the_schema_would_find_elements_out_of_order(name: str) -> None:
    namespace = NAMESPACES["REL-6-MM7-1-4"]
    wrong = etree.fromstring(f'<{name} xmlns="{namespace}"><Status/><MM7Version>6.8.0</MM7Version></{name}>')
    assert not schema(namespace).validate(wrong)
