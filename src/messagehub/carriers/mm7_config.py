"""The `config` of a carrier that speaks MM7: its members, their defaults and bounds. Checked when it is written."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from messagehub.carriers.config import ASCII, StatusAction, Validity, doc
from messagehub.carriers.credentials import Scheme
from messagehub.carriers.failures import FailureCode
from messagehub.carriers.web_config import URL, WebConfig, checked_url
from messagehub.mms import Fate, mm_status
from messagehub.mms.parts import LIMITS, Encoding
from messagehub.mms.statuses import MM_STATUSES, Action, status

Namespace = Literal[
    "REL-5-MM7-1-0", "REL-5-MM7-1-1", "REL-5-MM7-1-2", "REL-5-MM7-1-3", "REL-5-MM7-1-4", "REL-5-MM7-1-5",
    "REL-6-MM7-1-0", "REL-6-MM7-1-1", "REL-6-MM7-1-2", "REL-6-MM7-1-3", "REL-6-MM7-1-4",
]  # fmt: skip
Word = Annotated[str, Meta(max_length=128, pattern=r"^[\x20-\x7e]*\Z")]
Statuses = dict[Annotated[str, Meta(pattern=r"^[1-9][0-9]{3}\Z")], StatusAction]
Errors = dict[Annotated[str, Meta(pattern=r"^([1-9][0-9]{3}|[A-Za-z]{1,40})\Z")], FailureCode]
Networks = tuple[IPv4Network | IPv6Network, ...]


class MM7Config(WebConfig, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """An MMSC, which takes and brings MMS by MM7 (3GPP TS 23.140). [mm7.md](mm7.md) says what they are good for."""

    takes: ClassVar = frozenset({"mms"})
    secrets: ClassVar = WebConfig.secrets | {"callback_password"}
    callback_max: ClassVar = LIMITS.octets

    url: Annotated[URL, doc("where the MMSC takes SubmitReq, such as `https://mmsc.example.net/mm7`")]
    username: Annotated[str, doc("who we are; empty: nobody", max_length=128, pattern=ASCII)] = ""
    password: Annotated[str, doc("its password; never shown", max_length=256)] = ""
    authentication: Annotated[
        Scheme,
        doc("`auto`: Basic or Digest, as the MMSC asks; `basic`: with each request, unasked; `digest`: nothing else"),
    ] = "auto"
    callback_username: Annotated[
        str, doc("as whom the MMSC makes its requests of us (Basic)", max_length=128, pattern=r"^[^:\x00-\x1f]*\Z")
    ] = ""
    callback_password: Annotated[str, doc("its password, for both of which we ask; never shown", max_length=256)] = ""
    callback_from: Annotated[
        tuple[Annotated[str, Meta(max_length=64)], ...],
        doc("addresses and networks from which alone it calls, such as `192.0.2.0/24`; empty: any", max_length=64),
    ] = ()

    vasp_id: Annotated[Word, doc("VASPID: by which the carrier knows us")] = ""
    vas_id: Annotated[Word, doc("VASID: by which it knows the service")] = ""
    service_code: Annotated[Word, doc("ServiceCode: by which it charges")] = ""
    namespace: Annotated[Namespace, doc("which schema requests are written by; answers are as the request was")] = "REL-6-MM7-1-4"  # fmt: skip # noqa: E501
    version: Annotated[
        str,
        doc("MM7Version, such as `5.3.0`; empty: that of the namespace", pattern=r"^([0-9]{1,2}(\.[0-9]{1,2}){2})?\Z"),
    ] = ""
    encoding: Annotated[
        Encoding, doc("how media are written; `base64` takes a third more, which counts for the carrier's limits")
    ] = "binary"
    international_prefix: Annotated[
        Literal["", "+", "00"], doc("what stands before an international number on the wire")
    ] = "+"
    delivery_report: Annotated[bool, doc("ask for delivery reports; without them nothing becomes `delivered`")] = True
    read_reply: Annotated[bool, doc("ask for read reports; they are seen in traces only")] = False
    message_class: Annotated[
        Literal["", "Personal", "Informational", "Advertisement", "Auto"], doc("MessageClass; empty: none is said")
    ] = ""
    priority: Annotated[Literal["", "Normal", "High", "Low"], doc("Priority; empty: none is said")] = ""
    charged_party: Annotated[
        Literal["", "Sender", "Recipient", "Both", "Neither"], doc("ChargedParty; empty: none is said")
    ] = ""
    adaptations: Annotated[
        bool | None, doc("whether the MMSC may adapt media to the handset (allowAdaptations); null: not said")
    ] = None
    validity_period: Validity = 0  # type: ignore[misc]
    validity_form: Annotated[
        Literal["relative", "absolute"], doc("how ExpiryDate is written: as a span, or as a moment in UTC")
    ] = "absolute"
    recipient: Annotated[
        str, doc("the number of ours to which messages came that do not say it", max_length=20, pattern=ASCII)
    ] = ""
    statuses: Annotated[
        Statuses, doc("what is done at a StatusCode, such as `2571`, where not the usual", max_length=256)
    ] = {}  # noqa: RUF012
    errors: Annotated[
        Errors,
        doc("the `error_code` by StatusCode (`2571`), or by MMStatus (`Rejected`) of reports", max_length=1000),
    ] = {}  # noqa: RUF012

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_url("url", self.url)
        if self.password and not self.username:
            raise ValueError("username: there is a password, and nobody whose it is")
        if bool(self.callback_username) != bool(self.callback_password):
            raise ValueError("callback_password: callers have a callback_username and a callback_password, or neither")
        self.callers()
        self._check_codes()

    def _check_codes(self) -> None:
        for member, codes in (("statuses", self.statuses), ("errors", self.errors)):
            if good := [code for code in codes if code.isdecimal() and status(int(code)).action in GOOD]:
                raise ValueError(f"{member}: {good[0]!r} is of no failure")
        if strange := [name for name in self.errors if not name.isdecimal() and mm_status(name).name not in FAILING]:
            raise ValueError(f"errors: {strange[0]!r} is neither a StatusCode nor one of {', '.join(sorted(FAILING))}")

    def callers(self) -> Networks:
        """From where it may call; none: from anywhere. ValueError where one is no address and no network."""
        try:
            return tuple(map(ip_network, self.callback_from))
        except ValueError as error:
            raise ValueError(f"callback_from: {error}") from None

    def warnings(self) -> Sequence[str]:
        """What works, and should not be left so."""
        believed = bool(self.callback_username or self.callback_from)
        return [
            *super().warnings(),
            *([] if believed else [ANYBODY]),
            *([IN_THE_CLEAR] if self._shows_password else []),
        ]

    @property
    def address(self) -> str:
        return self.url

    @property
    def is_base64(self) -> bool:
        return self.encoding == "base64"

    @property
    def _shows_password(self) -> bool:
        return self.authentication == "basic" and self.url.lower().startswith("http:") and bool(self.password)


GOOD = (Action.OK, Action.PARTIAL)
FAILING = frozenset(name for name, row in MM_STATUSES.items() if row.fate in (Fate.FAILED, Fate.UNKNOWN))
"""Of MMStatus, those that a config may have an error code for."""
ANYBODY = "callback_username and callback_from are empty: whoever knows the address can report and bring messages"
IN_THE_CLEAR = "authentication is basic and url is http: whoever stands between can read the password"
