"""What can go wrong between us and an MMSC.

MMSError
├── EncodeError    our own values do not fit the message
└── DecodeError    the peer's octets are not what they claim to be
"""


class MMSError(Exception):
    """Anything that this package raises on purpose."""


class EncodeError(MMSError, ValueError):
    """Our own values do not fit the message; the error names the field."""


class DecodeError(MMSError, ValueError):
    """The octets are not what they claim to be; the error names the part or the element.

    `status` is the StatusCode to answer with (3GPP TS 23.140, section 8.4.3). The others say how to answer in kind, as
    far as that could be read: `name` is the element in the SOAP body.
    """

    def __init__(
        self,
        reason: str,
        status: int = 2007,
        *,
        name: str = "",
        transaction_id: str = "",
        namespace: str = "",
        version: str = "",
    ) -> None:
        super().__init__(reason)
        self.status, self.name = status, name
        self.transaction_id, self.namespace, self.version = transaction_id, namespace, version
