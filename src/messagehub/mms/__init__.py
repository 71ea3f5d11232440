"""MMS as values, without a socket, a clock or a store: the parts of a message, and MM7, which carries it.

parts (headers, charsets)     MIME multipart bodies
content (smil)                a text and media as parts, and back
mm7 (elements, moments)       the operations of MM7 as tables
soap (documents)              an operation to the body of an HTTP message, and back
statuses                      what MMSCs say of requests and of messages
"""

from messagehub.mms.content import Content, Medium, compose, take_apart
from messagehub.mms.elements import Address
from messagehub.mms.errors import DecodeError, EncodeError, MMSError
from messagehub.mms.mm7 import DEFAULT_NAMESPACE, NAMESPACES, PDU, answer
from messagehub.mms.parts import Limits, Part
from messagehub.mms.soap import SOAP_ACTION, fault, read, refused, write
from messagehub.mms.statuses import Action, Fate, mm_status, status

__all__ = [
    "DEFAULT_NAMESPACE", "NAMESPACES", "PDU", "SOAP_ACTION", "Action", "Address", "Content", "DecodeError",
    "EncodeError", "Fate", "Limits", "MMSError", "Medium", "Part", "answer", "compose", "fault", "mm_status", "read",
    "refused", "status", "take_apart", "write",
]  # fmt: skip
