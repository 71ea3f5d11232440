"""What the `config` of every carrier has that is spoken to over HTTP. Checked when it is written."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, get_args

from msgspec import Meta, Struct
from msgspec.structs import replace

from messagehub.carriers import tls
from messagehub.carriers.config import DefaultCountry, DlrTimeout, Pem, RetryTemporary, TLVConfig, doc
from messagehub.carriers.failures import FailureCode
from messagehub.media import LIMITS, TYPES, Limits, limits_of
from messagehub.media.limits import NumberKind
from messagehub.numbers import is_toll_free
from messagehub.web import BadURL, check_url, leads_inside
from messagehub.web.urls import parse

URL = Annotated[str, Meta(min_length=1, max_length=2048)]
Operator = Literal["", "att", "tmobile", "uscellular", "verizon"]
assert set(LIMITS) == set(get_args(Operator))

HostName = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")]
HostNames = Annotated[tuple[HostName, ...], Meta(max_length=16)]
WebErrors = dict[Annotated[str, Meta(min_length=1, max_length=64)], FailureCode]

MAX_CALLBACK = 1 << 20


class WebConfig(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    secrets: ClassVar = frozenset({"password", "secret", "tls_key"})
    tlvs: ClassVar[Mapping[str, TLVConfig]] = {}
    receipt_id: ClassVar = "as_is"
    validity_period: ClassVar = 0
    callback_max: ClassVar[int] = MAX_CALLBACK
    """Octets of a request that the carrier may make of us."""

    binds: Annotated[int, doc("how many processes may send at the same time, each with a window", ge=1, le=64)] = 1
    window: Annotated[int, doc("requests without an answer that one bind may have", ge=1, le=1000)] = 10
    rate: Annotated[float, doc("requests per second of all binds together; 0 is no limit", ge=0, le=1_000_000)] = 0
    response_timeout: Annotated[
        float, doc("seconds after which a request without an answer is given up: `gw_timeout`", ge=0.1, le=3600)
    ] = 30
    dlr_timeout: DlrTimeout = 259_200
    retry_temporary: RetryTemporary = ()
    errors: Annotated[
        WebErrors,
        doc("the `error_code` by the carrier's own codes, where it is not the usual one", max_length=1000),
    ] = {}
    default_country: DefaultCountry = ""

    operator: Annotated[Operator, doc("whose limits media are made to fit; empty: what goes everywhere")] = ""
    media_octets: Annotated[
        int, doc("octets that all media of a message may have together; 0: by `operator`", ge=0, le=50_000_000)
    ] = 0
    media_edge: Annotated[int, doc("pixels of the longer edge of pictures; 0: by `operator`", ge=0, le=10_000)] = 0
    media_types: Annotated[
        tuple[str, ...], doc("the media types that it takes, such as `image/jpeg`; empty: all", max_length=32)
    ] = ()

    tls_ca: Annotated[Pem, doc("PEM of the authorities that may sign the carrier's certificate; empty: the system's")] = ""  # fmt: skip # noqa: E501
    tls_certificate: Annotated[Pem, doc("PEM of our own certificate and its chain, where the carrier wants one")] = ""
    tls_key: Annotated[Pem, doc("PEM of its key, without a passphrase; never shown")] = ""
    tls_verify: Annotated[bool, doc("false takes any certificate, and the carrier's `warnings` say so")] = True

    def __post_init__(self) -> None:
        if strange := [each for each in self.media_types if each not in TYPES]:
            raise ValueError(f"media_types: {strange[0]!r} is none of {', '.join(sorted(TYPES))}")

    @property
    def takes(self) -> Collection[str]:
        raise NotImplementedError

    @property
    def is_base64(self) -> bool:
        """Media are counted as base64 in what it takes of octets."""
        return False

    def limits(self, source: str) -> Limits | None:
        """What it takes of the media of a message from this number of ours; None: no media."""
        if "mms" not in self.takes:
            return None
        limits = limits_of(self.operator, number_kind(source))
        wanted: dict[str, Any] = {"octets": self.media_octets, "edge": self.media_edge}
        changed = {name: value for name, value in wanted.items() if value}
        types = frozenset(self.media_types) or limits.types
        return replace(limits, types=types, **changed)

    def check(self) -> None:
        """What costs more than looking. `tls.Unusable` names what cannot be used."""
        if self.uses_tls:
            tls.context(self.tls_ca, self.tls_certificate, self.tls_key, self.tls_verify)

    @property
    def address(self) -> str:
        """Where it is, if it has to come to us; what is inside itself may well ask us inside."""
        return ""

    @property
    def hosts(self) -> Collection[str]:
        """Those that the operator has named for media which come in: of all hosts these alone may be inside."""
        return ()

    @property
    def uses_tls(self) -> bool:
        """It says something of TLS, so that the usual will not do."""
        return bool(self.tls_ca or self.tls_certificate or self.tls_key or not self.tls_verify)

    def warnings(self) -> Sequence[str]:
        """What works, and should not be left so."""
        return [] if self.tls_verify else [NOT_VERIFIED]


NOT_REACHED = "public_url is not public: no receipts, no messages that people write and no media will pass"


def unreached(address: str, public_url: str) -> list[str]:
    """A warning where who is at this address cannot come to us."""
    is_apart = bool(address and public_url) and not leads_inside(address) and leads_inside(public_url)
    return [NOT_REACHED] if is_apart else []


NOT_VERIFIED = "tls_verify is false: whoever stands between could be taken for the carrier, and read all that is sent"


def number_kind(number: str) -> NumberKind:
    """What a number of ours is to those who have limits for its media."""
    if is_toll_free(number):
        return "toll_free"
    return "long" if number.startswith("+") else "short_code"


def host_of(url: str) -> str:
    """The host of a URL that was checked."""
    place, _, _ = parse(url)
    return place.host


def checked_url(member: str, url: str) -> str:
    """ValueError, which names the member, for what is no http or https URL."""
    try:
        check_url(url)
    except BadURL as error:
        raise ValueError(f"{member}: {error}") from None
    return url
