"""The `config` of a carrier that speaks SMPP: its members, their defaults and bounds. Checked when it is written."""

import re
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from messagehub.carriers import tls
from messagehub.carriers.failures import FailureCode, bare
from messagehub.smpp.receipts import OUTCOMES, Outcome
from messagehub.text import STANDARD, DefaultAlphabet, Profile, Way

ASCII = r"^[\x20-\x7e]*\Z"
"""What a C-octet string of SMPP can hold."""

Octet = Annotated[int, Meta(ge=0, le=255)]
Pem = Annotated[str, Meta(max_length=200_000, pattern=r"^[\x20-\x7e\r\n]*\Z")]
StatusAction = Literal["retry", "throttle", "reroute", "permanent", "ours"]


class TLVConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """A TLV that goes with each submit_sm: what its tag means is between us and this carrier."""

    tag: Annotated[int, Meta(ge=1, le=0xFFFF)]
    type: Literal["uint8", "uint16", "uint32", "cstring", "octets"]
    value: int | Annotated[str, Meta(max_length=1000)] | None = None
    """Of messages that give none themselves; null: it does not go with them."""

    def __post_init__(self) -> None:
        if self.tag in OURS:
            raise ValueError(f"tag {self.tag} is written by the program itself")
        if self.value is not None and (why := self.misfit(self.value)):
            raise ValueError(why)

    def misfit(self, value: int | str) -> str:
        """Why the value is none of this type; empty where it is."""
        try:
            self.octets(value)
        except (AttributeError, TypeError, ValueError, OverflowError):
            return f"{value!r} is no {self.type}{HINTS.get(self.type, '')}"
        return ""

    def octets(self, value: int | str) -> bytes:
        """The value as it goes on the wire."""
        octets: bytes = WRITE[self.type](value)
        return octets


OURS = frozenset({0x020C, 0x020E, 0x020F, 0x0424})
"""sar_msg_ref_num, sar_total_segments, sar_segment_seqnum and message_payload: they are of the text."""

HINTS = {"cstring": ": a text of Latin-1 without NUL", "octets": ": an even number of hexadecimal digits"}
WRITE: dict[str, Any] = {
    "uint8": lambda value: value.to_bytes(1, "big"),
    "uint16": lambda value: value.to_bytes(2, "big"),
    "uint32": lambda value: value.to_bytes(4, "big"),
    "cstring": lambda value: _without_nul(value).encode("latin-1") + b"\0",
    "octets": bytes.fromhex,
}


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError
    return value


def doc(meaning: str, **bounds: Any) -> Meta:
    return Meta(description=meaning, **bounds)


VALIDITY = "seconds for which the carrier tries to deliver; 0: as long as it likes; a message may ask for less"
Validity = Annotated[int, doc(VALIDITY, ge=0, le=2_592_000)]
COMMAND_STATUS = re.compile(r"0x[0-9a-fA-F]{1,8}")
GOOD = (Outcome.DELIVERED, Outcome.INTERMEDIATE)
Tlvs = dict[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")], TLVConfig]
Statuses = dict[Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{1,8}\Z")], StatusAction]


Errors = dict[Annotated[str, Meta(pattern=r"^[0-9A-Za-z_]{1,20}\Z")], FailureCode]


# What carriers of all kinds are asked for in the same words.
DlrTimeout = Annotated[
    float, doc("seconds after which a receipt is no longer expected: `dlr_timeout`", ge=1, le=2_592_000)
]
RetryTemporary = Annotated[
    tuple[Annotated[int, Meta(ge=1, le=604_800)], ...],
    doc("seconds after which a target is sent again whose receipt tells of a cause that passes", max_length=20),
]
DefaultCountry = Annotated[
    str,
    doc(
        "country code for national numbers that come in, such as `44`; empty: they are kept as they come",
        pattern=r"^([1-9][0-9]{0,2})?\Z",
    ),
]


class SMPPConfig(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A message centre that speaks SMPP 3.4."""

    takes: ClassVar = frozenset({"sms"})
    is_base64: ClassVar = False
    secrets: ClassVar = frozenset({"password", "tls_key"})

    host: Annotated[str, doc("name or address of the message centre", min_length=1, max_length=253)]
    port: Annotated[int, doc("its port", ge=1, le=65535)]
    system_id: Annotated[str, doc("who we are, 1 to 15 characters", min_length=1, max_length=15, pattern=ASCII)]
    password: Annotated[str, doc("8 characters at most, as in SMPP; never shown", max_length=8, pattern=ASCII)]
    system_type: Annotated[str, doc("of the bind; most carriers want none", max_length=12, pattern=ASCII)] = ""
    bind: Annotated[
        Literal["transceiver", "transmitter+receiver", "outbind", "transmitter+outbind"],
        doc("the role of the binds; `outbind`: the carrier calls, and we bind as a receiver"),
    ] = "transceiver"
    outbind_from: Annotated[
        tuple[Annotated[str, Meta(max_length=64)], ...],
        doc("addresses and networks from which the carrier calls, such as `192.0.2.0/24`", max_length=64),
    ] = ()
    binds: Annotated[int, doc("how many; of `transmitter+receiver`, so many of each", ge=1, le=64)] = 1
    window: Annotated[int, doc("PDUs without an answer that one bind may have", ge=1, le=10_000)] = 10
    rate: Annotated[float, doc("PDUs per second of all binds together; 0 is no limit", ge=0, le=1_000_000)] = 0
    interface_version: Annotated[
        Literal["3.3", "3.4"], doc("of SMPP, as the bind says it; a peer of 3.3 is sent no TLVs")
    ] = "3.4"
    enquire_link: Annotated[
        float, doc("seconds of silence after which the peer is asked whether it is there", ge=1, le=3600)
    ] = 30
    response_timeout: Annotated[
        float, doc("seconds after which a submit without an answer is given up: `gw_timeout`", ge=0.1, le=3600)
    ] = 30
    dlr_timeout: DlrTimeout = 259_200

    tls: Annotated[bool, doc("speak TLS, 1.2 or newer")] = False
    tls_ca: Annotated[Pem, doc("PEM of the authorities that may sign the carrier's certificate; empty: the system's")] = ""  # fmt: skip # noqa: E501
    tls_server_name: Annotated[
        str, doc("the name that is asked for (SNI) and that the certificate must have; empty: `host`", max_length=253)
    ] = ""
    tls_certificate: Annotated[Pem, doc("PEM of our own certificate and its chain, where the carrier wants one")] = ""
    tls_key: Annotated[Pem, doc("PEM of its key, without a passphrase; never shown")] = ""
    tls_verify: Annotated[bool, doc("false takes any certificate, and the carrier's `warnings` say so")] = True

    source_ton: Annotated[Octet | None, doc("type of number of sources that are digits; null: by rule")] = None
    source_npi: Annotated[Octet | None, doc("their numbering plan; null: by rule")] = None
    dest_ton: Annotated[Octet | None, doc("type of number of destinations; null: by rule")] = None
    dest_npi: Annotated[Octet | None, doc("their numbering plan; null: by rule")] = None
    international_prefix: Annotated[
        Literal["", "+", "00"], doc("what stands before an international number on the wire")
    ] = ""
    default_country: DefaultCountry = ""

    alphabet: Annotated[
        DefaultAlphabet, doc("what `data_coding` 0 means there: GSM 7-bit unpacked or packed, Latin-1 or ASCII")
    ] = "gsm7"
    latin1: Annotated[bool, doc("texts may go as Latin-1 (`data_coding` 3) rather than as UCS-2")] = False
    concat: Annotated[Way, doc("how the parts of a long message are told to belong together")] = "udh8"
    languages: Annotated[
        tuple[str, ...],
        doc("national tables that handsets there know, such as `turkish`: used where they save parts", max_length=13),
    ] = ()

    service_type: Annotated[str, doc("of each submit_sm", max_length=5, pattern=ASCII)] = ""
    protocol_id: Annotated[Octet, doc("of each submit_sm")] = 0
    priority_flag: Annotated[int, doc("of each submit_sm", ge=0, le=3)] = 0
    schedule: Annotated[
        int,
        doc(
            "seconds for which the carrier keeps each message back (schedule_delivery_time); 0 is not at all",
            ge=0,
            le=2_592_000,
        ),
    ] = 0
    validity_period: Validity = 0
    validity_form: Annotated[
        Literal["relative", "absolute"],
        doc("how validity_period is written: as a span, or as a moment in UTC; some carriers know one of them only"),
    ] = "relative"
    registered_delivery: Annotated[
        int, doc("of each submit_sm; 1 asks for a receipt in any case, 0 for none", ge=0, le=31)
    ] = 1
    query_sm: Annotated[
        bool, doc("ask what became of a message before it is given up for want of a receipt (`query_sm`)")
    ] = False
    tlvs: Annotated[Tlvs, doc("TLVs that go with each submit_sm, by a name of your own", max_length=32)] = {}

    receipt_id: Annotated[
        Literal["auto", "as_is", "any_case", "without_zeros", "hex_to_dec", "dec_to_hex"],
        doc("what becomes of an id between submit_sm_resp and the receipt; `auto` finds it out"),
    ] = "auto"
    receipt_by_shape: Annotated[
        bool, doc("a text that looks like a receipt is one, though `esm_class` does not say so")
    ] = True
    receipt_swapped: Annotated[
        bool, doc("in receipts the recipient stands as the destination; by the standard it is the source")
    ] = False
    statuses: Annotated[
        Statuses,
        doc("what is done at a command_status of submit_sm_resp, where not the usual", max_length=256),
    ] = {}
    errors: Annotated[
        Errors,
        doc(
            "the `error_code` by command_status (`0x0400`), or by `err` (`069`) or `stat` of receipts", max_length=1000
        ),
    ] = {}
    retry_temporary: RetryTemporary = ()
    err_numbering: Annotated[
        Literal["", "aggregator", "gsm"],
        doc("whose numbers the `err` of receipts are, where `errors` does not say; empty: they mean nothing"),
    ] = ""

    def __post_init__(self) -> None:
        tags = [tlv.tag for tlv in self.tlvs.values()]
        if len(set(tags)) < len(tags):
            raise ValueError("two of the tlvs have the same tag")
        self.texts()
        if self.bind.endswith("outbind"):
            self._check_outbind()
        self._check_statuses()
        self._check_errors()

    def _check_outbind(self) -> None:
        if not self.callers():
            raise ValueError("outbind_from: say from which addresses the carrier calls, such as 192.0.2.0/24")
        if not self.password:
            raise ValueError("password: whoever calls must know one")
        if self.bind == "outbind" and self.uses_tls:
            raise ValueError("tls: who calls by outbind speaks without it")

    def callers(self) -> "tuple[IPv4Network | IPv6Network, ...]":
        """Where it may call from. ValueError where that is no address and no network."""
        try:
            return tuple(map(ip_network, self.outbind_from))
        except ValueError as error:
            raise ValueError(f"outbind_from: {error}") from None

    def _check_statuses(self) -> None:
        seen: dict[int, str] = {}
        for name in self.statuses:
            if not (number := int(name, 16)):
                raise ValueError(f"statuses: {name!r} is of no failure")
            if other := seen.get(number):
                raise ValueError(f"statuses: {other!r} and {name!r} are the same")
            seen[number] = name

    def _check_errors(self) -> None:
        seen: dict[str | int, str] = {}
        for name in self.errors:
            key = int(name, 16) if (is_status := name in self.refusals) else bare(name)
            if not (is_status or key) or OUTCOMES.get(name.upper()) in GOOD:
                raise ValueError(f"errors: {name!r} is of no failure")
            if other := seen.get(key):
                raise ValueError(f"errors: {other!r} and {name!r} are the same")
            seen[key] = name

    @property
    def refusals(self) -> dict[str, FailureCode]:
        """Those of `errors` that are of a command_status."""
        return {name: code for name, code in self.errors.items() if COMMAND_STATUS.fullmatch(name)}

    def texts(self) -> Profile:
        """How it takes texts. ValueError where that cannot be."""
        profile = Profile(
            alphabet=self.alphabet, latin1=self.latin1, concatenation=self.concat, languages=self.languages
        )
        return STANDARD if profile == STANDARD else profile

    def check(self) -> None:
        """What costs more than looking. `tls.Unusable` names what cannot be used."""
        if self.uses_tls:
            tls.context(self.tls_ca, self.tls_certificate, self.tls_key, self.tls_verify)

    def limits(self, source: str) -> None:
        """It takes no media."""

    @property
    def uses_tls(self) -> bool:
        return bool(self.tls or self.tls_ca or self.tls_certificate or self.tls_key)


def members(shape: type[Struct], but: Collection[str] = ()) -> str:
    """A table of the members of a shape, whose annotations have a `doc` each; without those that others have, too."""
    rows = [
        f"| `{name}` | {_default(member)} | {_range(member)} | {member['description']} |"
        for name, member in properties(shape).items()
        if name not in but
    ]
    return "\n".join(["| member | default | values | meaning |", "| --- | --- | --- | --- |", *rows])


def properties(shape: type[Struct]) -> dict[str, dict[str, Any]]:
    """The members of a shape by name, each as JSON Schema has it."""
    (schema,), shapes = msgspec.json.schema_components([shape])
    found: dict[str, dict[str, Any]] = shapes[schema["$ref"].rpartition("/")[2]]["properties"]
    return found


def _default(member: dict[str, Any]) -> str:
    return f"`{msgspec.json.encode(member['default']).decode()}`" if "default" in member else "required"


def _range(member: dict[str, Any]) -> str:
    if "enum" in member:
        return ", ".join(f'`"{value}"`' for value in member["enum"])
    return f"{member['minimum']} to {member['maximum']}" if "maximum" in member else ""
