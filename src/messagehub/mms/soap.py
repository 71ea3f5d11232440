"""An MM7 PDU to the body of an HTTP message and back: SOAP 1.1, with attachments where it has a content.

3GPP TS 23.140, release 6, section 8.7.1.4 (the binding), SOAP 1.1 (W3C Note of 8 May 2000), sections 4 and 6; SOAP
Messages with Attachments (W3C Note of 11 December 2000). Every HTTP request has the header `SOAPAction: ""`.

The reader takes elements by their local names, in any namespace, prefix and order.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from messagehub.mms import documents, parts, statuses
from messagehub.mms.documents import Element
from messagehub.mms.elements import Address, Group
from messagehub.mms.errors import DecodeError, EncodeError, MMSError
from messagehub.mms.mm7 import (
    DEFAULT_NAMESPACE,
    FAULTS,
    GROUPS,
    NEEDED,
    PDU,
    PDUS,
    RELEASE_6_ONLY,
    REQUIRED,
    WITH_CONTENT,
    is_release_5,
    version_of,
)
from messagehub.mms.parts import Encoding, Limits, Part

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_ACTION = '""'
XML_TYPE = "text/xml"
_START = "mm7-start"
_CONTENT_ID = "generic"
_MAX_ODDITIES = 50
_CORRUPT, _VALIDATION, _OPERATION = 2007, 4004, 4003


# --- writing ----------------------------------------------------------------------------------------------------------


def write(pdu: PDU, encoding: Encoding = "binary") -> tuple[str, bytes]:
    """The Content-Type and the body. Raises EncodeError, which names the PDU and the element."""
    try:
        xml = _envelope(pdu).encode()
        if pdu.content is None:
            return f"{XML_TYPE}; charset=utf-8", xml
        return parts.write(_with_attachment(xml, pdu.content), encoding)
    except ValueError as error:
        raise EncodeError(f"{pdu.name}: {error}") from error


def _with_attachment(xml: bytes, content: Part) -> Part:
    start = Part(XML_TYPE, xml, parameters={"charset": "utf-8"}, id=_START)
    attached = content if content.id else replace(content, id=_CONTENT_ID)
    return Part("multipart/related", parts=(start, attached), parameters={"type": XML_TYPE, "start": f"<{_START}>"})


def _envelope(pdu: PDU) -> str:
    if pdu.name not in GROUPS:
        raise EncodeError("there is no such PDU")
    namespace = {"xmlns": pdu.namespace}
    attributes = {"xmlns:mm7": pdu.namespace, "env:mustUnderstand": "1"}
    header = documents.element("mm7:TransactionID", documents.text(pdu.transaction_id), attributes)
    body = documents.element(pdu.name, _inner(pdu), namespace)
    if pdu.name in FAULTS:
        body = _fault(pdu, body)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<env:Envelope xmlns:env="{ENVELOPE}"><env:Header>{header}</env:Header>'
        f"<env:Body>{body}</env:Body></env:Envelope>"
    )


def _inner(pdu: PDU) -> str:
    fields = dict(pdu.fields)
    if missing := [name for name in REQUIRED.get(pdu.name, ()) if name not in fields]:
        raise EncodeError(f"{missing[0]} is missing")
    if is_release_5(pdu.namespace) and (newer := sorted(fields.keys() & RELEASE_6_ONLY)):
        raise EncodeError(f"{newer[0]} is of release 6, and the namespace of release 5")
    _add_reference(pdu, fields)
    version = documents.element("MM7Version", documents.text(pdu.version or version_of(pdu.namespace)))
    return version + GROUPS[pdu.name].inner(fields)


def _add_reference(pdu: PDU, fields: dict[str, Any]) -> None:
    if pdu.content is None:
        if pdu.name in WITH_CONTENT:
            raise EncodeError("content is missing")
        if "Content" in fields:
            raise EncodeError("Content: there is no content to refer to")
        return
    if "Content" not in PDUS[pdu.name]:
        raise EncodeError("it has no content")
    fields["Content"] = {"href": f"cid:{pdu.content.id or _CONTENT_ID}", **fields.get("Content", {})}


def _fault(pdu: PDU, detail: str) -> str:
    """SOAP 1.1, section 4.4: faultcode and its siblings are in no namespace."""
    status = pdu.fields["Status"]
    code = "Client" if status.get("StatusCode", 0) // 1000 == 2 else "Server"
    words = documents.element("faultstring", documents.text(status.get("StatusText") or f"{code} error"))
    return documents.element("env:Fault", f"<faultcode>env:{code}</faultcode>{words}<detail>{detail}</detail>")


# --- reading ----------------------------------------------------------------------------------------------------------


def read(content_type: str, body: bytes, limits: Limits = parts.LIMITS) -> PDU:
    """The PDU in the body of an HTTP message.

    Raises DecodeError, which says with which StatusCode to answer, and to what as far as that could be read.
    """
    message, oddities = parts.read(content_type or XML_TYPE, body, limits)
    root = _start(message)
    envelope = documents.read(root.body, root.parameters.get("charset", ""))
    seen = _Seen(list(oddities))
    try:
        return _pdu(envelope, message, seen)
    except MMSError as error:
        status = error.status if isinstance(error, DecodeError) else _CORRUPT
        raise DecodeError(
            f"{seen.name or 'SOAP'}: {error}",
            status,
            name=seen.name,
            transaction_id=seen.transaction_id,
            namespace=seen.namespace,
            version=seen.version,
        ) from None


class _Seen(Struct):
    """What was read so far."""

    oddities: list[str]
    name: str = ""
    transaction_id: str = ""
    namespace: str = ""
    version: str = ""


def _start(message: Part) -> Part:
    """The part with the envelope: the root of the message, or the first that is XML."""
    if not message.type.startswith("multipart/"):
        return message
    root = message.root()
    if root is None or not _is_xml(root):
        root = next((part for part in message.parts if _is_xml(part)), root)
    if root is None:
        raise DecodeError("a multipart without parts")
    return root


def _is_xml(part: Part) -> bool:
    return part.type.endswith(("/xml", "+xml"))


def _pdu(envelope: Element, message: Part, seen: _Seen) -> PDU:
    body = _child(envelope, "Body")
    if envelope.name.lower() != "envelope" or body is None or not body.children:
        raise DecodeError("no SOAP envelope with a body")
    seen.namespace = _read_header(envelope, seen)
    element = _operation(body.children[0], seen)
    seen.name, seen.namespace = element.name, element.namespace or seen.namespace or DEFAULT_NAMESPACE
    group = GROUPS.get(element.name)
    if group is None:
        raise DecodeError("there is no such operation", _OPERATION)
    fields = _fields(element, group, seen)
    content = _content(fields, message, seen)
    if element.name in WITH_CONTENT and content is None:
        raise DecodeError("its content must be a part of a multipart message", _CORRUPT)
    version = seen.version or version_of(seen.namespace)
    oddities = tuple(seen.oddities[:_MAX_ODDITIES])
    return PDU(element.name, seen.transaction_id, fields, content, seen.namespace, version, oddities)


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element.children if child.name.lower() == name.lower()), None)


def _read_header(envelope: Element, seen: _Seen) -> str:
    """Keeps the TransactionID, and gives its namespace."""
    header = _child(envelope, "Header")
    transaction = _child(header, "TransactionID") if header else None
    if transaction is None:
        seen.oddities.append("no TransactionID")
        return ""
    seen.transaction_id = " ".join(transaction.texts())
    return transaction.namespace


_OPERATIONS: Mapping[str, str] = {
    **{name.lower(): name for name in PDUS},
    "mm7vasperrorrsp": "VASPErrorRsp",
    "mm7rserrorrsp": "RSErrorRsp",
}


def _operation(element: Element, seen: _Seen) -> Element:
    """The element of the PDU, which in a fault is in its detail."""
    if element.name.lower() == "fault":
        detail = _child(element, "detail")
        inner = detail.children[0] if detail and detail.children else None
        if inner is None or inner.name.lower() not in _OPERATIONS:
            return _plain_fault(element, seen)
        element = inner
    return replace(element, name=_OPERATIONS.get(element.name.lower(), element.name))


def _plain_fault(fault: Element, seen: _Seen) -> Element:
    """A fault without a detail of MM7's, as an RSErrorRsp: all that it says is whose fault it was."""
    seen.oddities.append("a fault without a detail of MM7")
    code = " ".join(code.texts()) if (code := _child(fault, "faultcode")) else ""
    words = " ".join(words.texts()) if (words := _child(fault, "faultstring")) else ""
    status = "2000" if "client" in code.lower() else "3000"
    inner = [Element("StatusCode", text=status), Element("StatusText", text=words)]
    return Element("RSErrorRsp", children=[Element("Status", children=inner)])


def _fields(element: Element, group: Group, seen: _Seen) -> dict[str, Any]:
    version = _child(element, "MM7Version")
    seen.version = " ".join(version.texts()) if version else ""
    others = [child for child in element.children if child is not version]
    fields = group.read(replace(element, children=_with_status(others, group)), seen.oddities)
    for name in NEEDED.get(element.name, ()):
        if not fields.get(name):
            raise DecodeError(f"{name} is missing or makes no sense", _VALIDATION)
    if "Status" in group.fields and "StatusCode" not in fields["Status"]:
        raise DecodeError("StatusCode is missing or makes no sense", _VALIDATION)
    return fields


def _with_status(children: Sequence[Element], group: Group) -> list[Element]:
    """Some MMSCs write what belongs into Status right into the response."""
    loose = [child for child in children if child.name in ("StatusCode", "StatusText", "Details")]
    if "Status" not in group.fields or not loose or any(child.name == "Status" for child in children):
        return list(children)
    return [Element("Status", children=loose), *(child for child in children if child not in loose)]


def _content(fields: dict[str, Any], message: Part, seen: _Seen) -> Part | None:
    """The part that Content refers to; the one that is not the envelope, where the reference goes nowhere."""
    reference = fields.get("Content", {}).pop("href", "")
    if "Content" in fields and not fields["Content"]:
        del fields["Content"]
    others = [part for part in message.parts if part is not _start(message)] if message.parts else []
    if found := message.find(reference):
        return found
    if reference or others:
        seen.oddities.append(f"Content refers to {reference[:60]!r}, which is no part")
    return others[0] if others else None


# --- faults -----------------------------------------------------------------------------------------------------------


def fault(cause: DecodeError | PDU, code: int, text: str = "", *, name: str = "VASPErrorRsp") -> PDU:
    """What answers a request that cannot be taken, in its kind; from an MMSC it has the `name` RSErrorRsp."""
    words = text or statuses.status(code).words
    status = {"StatusCode": code, "StatusText": words}
    return PDU(
        name, cause.transaction_id, {"Status": status}, None, cause.namespace or DEFAULT_NAMESPACE, cause.version
    )


def refused(response: PDU, recipients: Sequence[Address]) -> list[Address]:
    """Which recipients a response with a Status refuses: of a partial success those that its details name."""
    status = response.fields["Status"]
    action = statuses.status(status["StatusCode"]).action
    if action is statuses.Action.PARTIAL:
        details = status.get("Details", "") + " " + status.get("StatusText", "")
        return [address for address in recipients if _names(details, address.value.lstrip("+"))]
    return [] if action is statuses.Action.OK else list(recipients)


def _names(details: str, value: str) -> bool:
    return re.search(rf"(?<![0-9]){re.escape(value)}(?![0-9])", details) is not None
