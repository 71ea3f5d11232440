"""What can go wrong between us and the wire.

SMPPError
├── EncodeError    our own fields do not fit the PDU
├── DecodeError    the peer's octets are not the PDU that their header announces
├── StateError     a request that the session's state does not allow
└── WindowFull     a request for which the window has no room
"""


class SMPPError(Exception):
    """Anything that this package raises on purpose."""


class EncodeError(SMPPError, ValueError):
    """Our own fields do not fit the PDU; the message names the field."""


class DecodeError(SMPPError, ValueError):
    """The octets are not the PDU that their header announces.

    `status` is the command_status to answer with; `name` and `sequence` say which PDU it was, as far as that
    could be read (`name` is empty where even the header made no sense).
    """

    def __init__(self, reason: str, status: int, name: str = "", sequence: int = 0) -> None:
        super().__init__(reason)
        self.status = status
        self.name = name
        self.sequence = sequence


class StateError(SMPPError):
    """A request that SMPP 3.4, table 2-1, does not allow in this state or from this side."""


class WindowFull(SMPPError):
    """As many requests as the window allows wait for their answers (SMPP 3.4, section 2.9)."""
