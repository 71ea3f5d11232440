"""MM7 as data: a PDU is a row, and a row is all that the reader and the writer know of it.

3GPP TS 23.140, release 6, sections 8.7 (the operations) and annex L (the schema): the elements are in the order of the
schema. MM7Version is the first of each row, and stands in `PDU.version`.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from messagehub.mms.elements import (
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
from messagehub.mms.parts import Part
from messagehub.mms.statuses import MM_STATUSES, READ_STATUSES

_SCHEMAS = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"
_NAMES = (*(f"REL-5-MM7-1-{n}" for n in range(6)), *(f"REL-6-MM7-1-{n}" for n in range(5)))
NAMESPACES: Mapping[str, str] = {name: _SCHEMAS + name for name in _NAMES}
"""The namespaces of the schemas by their short names."""

DEFAULT_NAMESPACE = NAMESPACES["REL-6-MM7-1-4"]
_VERSIONS = {_SCHEMAS + "REL-5": "5.3.0", _SCHEMAS + "REL-6": "6.8.0"}


class PDU(Struct, frozen=True):
    """One operation. `fields` are by the names of their elements; those that are not there are not in it.

    `content` is the part that carries the message; its id is what the element Content refers to. `version` may be
    empty, and is then that of the namespace. `oddities` says what was passed over when it was read.
    """

    name: str
    transaction_id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    content: Part | None = None
    namespace: str = DEFAULT_NAMESPACE
    version: str = ""
    oddities: tuple[str, ...] = ()


def version_of(namespace: str) -> str:
    """The MM7Version that goes with a namespace where nobody says another."""
    return next((version for start, version in _VERSIONS.items() if namespace.startswith(start)), "6.8.0")


def is_release_5(namespace: str) -> bool:
    return namespace.startswith(_SCHEMAS + "REL-5")


Row = Mapping[str, Kind]

TEXT, FLAG, MOMENT, EXPIRY, ADDRESS = Text(), Flag(), Moment(), Moment(may_be_span=True), OneAddress()
PRIORITY = Word(("Normal", "High", "Low"))
CLASS = Word(("Personal", "Informational", "Advertisement", "Auto"))
PARTY = Word(("Sender", "Recipient", "Both", "Neither", "ThirdParty"))
CONTENT_CLASS = Word(
    (
        *("text", "image-basic", "image-rich", "video-basic", "video-rich"),
        *("megapixel", "content-basic", "content-rich"),
    )
)
RECIPIENTS = Group({"To": Addresses(), "Cc": Addresses(), "Bcc": Addresses()})
STATUS = Group({"StatusCode": Integer(), "StatusText": TEXT, "Details": TEXT})
CONTENT = Attributes(("href",), flags=("allowAdaptations",))
APPLICATION: Row = {"ApplicID": TEXT, "ReplyApplicID": TEXT, "AuxApplicInfo": TEXT}
CAPABILITIES = Attributes(("UAProf", "TimeStamp"))

FROM_VASP: Row = {"SenderIdentification": Group({"VASPID": TEXT, "VASID": TEXT, "SenderAddress": ADDRESS})}
FROM_MMSC: Row = {"MMSRelayServerID": TEXT}
ANSWER: Row = {"Status": STATUS}

SUBMIT: Row = {
    **FROM_VASP,
    "Recipients": RECIPIENTS,
    "ServiceCode": TEXT,
    "LinkedID": TEXT,
    "MessageClass": CLASS,
    "TimeStamp": MOMENT,
    "ReplyCharging": Attributes(("replyChargingSize", "replyDeadline")),
    "EarliestDeliveryTime": EXPIRY,
    "ExpiryDate": EXPIRY,
    "DeliveryReport": FLAG,
    "ReadReply": FLAG,
    "Priority": PRIORITY,
    "Subject": TEXT,
    "ChargedParty": PARTY,
    "ChargedPartyID": TEXT,
    "DistributionIndicator": FLAG,
    "DeliveryCondition": Group({"DC": Integer()}),
    **APPLICATION,
    "ContentClass": CONTENT_CLASS,
    "DRMContent": FLAG,
    "Content": CONTENT,
}
DELIVER: Row = {
    **FROM_MMSC,
    "VASPID": TEXT,
    "VASID": TEXT,
    "LinkedID": TEXT,
    "Sender": ADDRESS,
    "Recipients": RECIPIENTS,
    "SenderSPI": TEXT,
    "RecipientSPI": TEXT,
    "TimeStamp": MOMENT,
    "ReplyChargingID": TEXT,
    "Priority": PRIORITY,
    "Subject": TEXT,
    **APPLICATION,
    "UACapabilities": CAPABILITIES,
    "Content": CONTENT,
}
DELIVERY_REPORT: Row = {
    **FROM_MMSC,
    "MessageID": TEXT,
    "Recipient": ADDRESS,
    "Sender": ADDRESS,
    "Date": MOMENT,
    "MMStatus": Word(tuple(MM_STATUSES), is_open=True),
    "MMStatusExtension": TEXT,
    "StatusText": TEXT,
    **APPLICATION,
    "UACapabilities": CAPABILITIES,
}
READ_REPLY: Row = {
    **FROM_MMSC,
    "MessageID": TEXT,
    "Recipient": ADDRESS,
    "Sender": ADDRESS,
    "TimeStamp": MOMENT,
    "MMStatus": Word(tuple(READ_STATUSES), is_open=True),
    "StatusText": TEXT,
    **APPLICATION,
}
CANCEL: Row = {**FROM_VASP, "MessageID": TEXT, **APPLICATION}
REPLACE: Row = {
    **FROM_VASP,
    "MessageID": TEXT,
    "ServiceCode": TEXT,
    "TimeStamp": MOMENT,
    "ReadReply": FLAG,
    "EarliestDeliveryTime": EXPIRY,
    "DistributionIndicator": FLAG,
    **APPLICATION,
    "ContentClass": CONTENT_CLASS,
    "DRMContent": FLAG,
    "Content": CONTENT,
}

PDUS: Mapping[str, Row] = {
    "SubmitReq": SUBMIT,  # 8.7.1.1
    "SubmitRsp": {**ANSWER, "MessageID": TEXT},  # 8.7.1.2
    "DeliverReq": DELIVER,  # 8.7.2.1
    "DeliverRsp": {**ANSWER, "ServiceCode": TEXT},  # 8.7.2.2
    "CancelReq": CANCEL,  # 8.7.3
    "CancelRsp": ANSWER,
    "ReplaceReq": REPLACE,
    "ReplaceRsp": ANSWER,
    "DeliveryReportReq": DELIVERY_REPORT,  # 8.7.4
    "DeliveryReportRsp": ANSWER,
    "ReadReplyReq": READ_REPLY,  # 8.7.5
    "ReadReplyRsp": ANSWER,
    "RSErrorRsp": ANSWER,  # 8.7.6: from the MMSC
    "VASPErrorRsp": ANSWER,  # to it
}
GROUPS: Mapping[str, Group] = {name: Group(row) for name, row in PDUS.items()}
FAULTS = frozenset({"RSErrorRsp", "VASPErrorRsp"})
RESPONSES: Mapping[str, str] = {  # request: the response that answers it
    name: name.removesuffix("Req") + "Rsp" for name in PDUS if name.endswith("Req")
}

RELEASE_6_ONLY = frozenset(
    {*APPLICATION, "DeliveryCondition", "ContentClass", "DRMContent", "SenderSPI", "RecipientSPI", "MMStatusExtension"}
)

# What the schema demands of a writer.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "SubmitReq": ("SenderIdentification", "Recipients"),
    "DeliverReq": ("Sender",),
    "CancelReq": ("SenderIdentification", "MessageID"),
    "ReplaceReq": ("SenderIdentification", "MessageID"),
    "DeliveryReportReq": ("MessageID", "Recipient", "Sender", "Date", "MMStatus"),
    "ReadReplyReq": ("MessageID", "Recipient", "Sender", "TimeStamp", "MMStatus"),
    **{name: ("Status",) for name, row in PDUS.items() if "Status" in row},
}
# What a reader cannot do without.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "SubmitReq": ("Recipients",),
    "DeliverReq": ("Sender",),
    "CancelReq": ("MessageID",),
    "ReplaceReq": ("MessageID",),
    "DeliveryReportReq": ("MessageID", "MMStatus"),
    "ReadReplyReq": ("MessageID",),
    **{name: ("Status",) for name, row in PDUS.items() if "Status" in row},
}
WITH_CONTENT = frozenset({"SubmitReq"})
"""Those that are nothing without a content, which must be a part of its own."""


def answer(request: PDU, code: int, text: str, fields: Mapping[str, Any] | None = None) -> PDU:
    """The response to a request, in its namespace and version. `fields` are those besides the Status."""
    status = {"StatusCode": code, "StatusText": text}
    return PDU(
        RESPONSES[request.name],
        request.transaction_id,
        {"Status": status, **(fields or {})},
        None,
        request.namespace,
        request.version,
    )
