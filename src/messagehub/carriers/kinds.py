"""The kinds of carriers, each with its config; and configs as they are given, stored and shown."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, get_args, get_origin, get_type_hints

import msgspec

from messagehub.carriers import tls
from messagehub.carriers.bandwidth import BandwidthConfig
from messagehub.carriers.config import SMPPConfig, TLVConfig, members
from messagehub.carriers.http_config import HTTPConfig
from messagehub.carriers.mm7_config import MM7Config
from messagehub.carriers.telnyx import TelnyxConfig
from messagehub.carriers.twilio import TwilioConfig
from messagehub.carriers.web_config import WebConfig
from messagehub.errors import Refusal
from messagehub.media import Limits
from messagehub.shapes import words


class Config(Protocol):
    """What is asked of the config of any kind of carrier."""

    secrets: ClassVar[frozenset[str]]
    """Members that are written and never read back."""

    @property
    def takes(self) -> Collection[str]:
        """Which kinds of messages can be sent there."""

    @property
    def tlvs(self) -> Mapping[str, TLVConfig]: ...

    @property
    def receipt_id(self) -> str:
        """What becomes of an id between the answer and the receipt."""

    @property
    def retry_temporary(self) -> Sequence[int]:
        """Seconds after which a target is sent again whose receipt tells of a cause that passes."""

    @property
    def validity_period(self) -> int:
        """Seconds for which the carrier tries to deliver; 0: as long as it likes."""

    @property
    def is_base64(self) -> bool:
        """Media are counted as base64 in what it takes of octets."""

    def limits(self, source: str) -> Limits | None:
        """What it takes of the media of a message from this number of ours; None: no media."""

    def check(self) -> None:
        """What costs more than looking. ValueError, or `tls.Unusable`, names the member."""


CONFIGS: dict[str, type[Any]] = {
    "smpp": SMPPConfig,
    "bandwidth": BandwidthConfig,
    "http": HTTPConfig,
    "mm7": MM7Config,
    "telnyx": TelnyxConfig,
    "twilio": TwilioConfig,
}

SECRETS: frozenset[str] = frozenset().union(*(config.secrets for config in CONFIGS.values()))
"""Members that are written and never read back."""


def texts() -> Collection[str]:
    """Members that are texts, in whichever config they are."""
    return {name for shape in CONFIGS.values() for name, of in get_type_hints(shape).items() if _is_text(of)}


def _is_text(of: Any) -> bool:
    return of is str or (get_origin(of) is Literal and all(isinstance(each, str) for each in get_args(of)))


def parse(kind: str, config: dict[str, Any]) -> Any:
    """A Config. Refusal names the member that is wrong."""
    try:
        parsed: Config = msgspec.convert(config, CONFIGS[kind])
        parsed.check()
    except msgspec.ValidationError as error:
        raise Refusal("INVALID_CARRIER_CONFIG", words(str(error), "config", CONFIGS[kind])) from None
    except tls.Unusable as error:
        raise Refusal("INVALID_CARRIER_CONFIG", f"config.{error}") from None
    return parsed


def stored(kind: str, config: str) -> Config:
    """A config as the store has it; its secrets, which are sealed, are stars."""
    values = msgspec.json.decode(config)
    parsed: Config = msgspec.convert(values | dict.fromkeys(SECRETS & values.keys(), "*"), CONFIGS[kind])
    return parsed


def as_markdown() -> str:
    """The members of the configs of all kinds as docs/carrier-config.md shows them."""
    over_http = {kind: shape for kind, shape in CONFIGS.items() if issubclass(shape, WebConfig)}
    sections = [
        f"## `{kind}`\n\n{_bare(shape.__doc__)}\n\n{members(shape, _shared(shape) if kind in over_http else ())}"
        for kind, shape in CONFIGS.items()
    ]
    names = ", ".join(f"`{kind}`" for kind in over_http)
    common = f"## What all have that speak HTTP\n\nThat is {names}.\n\n{members(WebConfig)}"
    return "\n\n".join([*sections, common])


def _shared(shape: type[WebConfig]) -> list[str]:
    """The members that it has as all others have them."""
    return [name for name in WebConfig.__struct_fields__ if name not in shape.__annotations__]


def _bare(words: str | None) -> str:
    return " ".join((words or "").split())


def shown(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Without its secrets, and with the defaults of what was left out."""
    whole: dict[str, Any] = msgspec.to_builtins(msgspec.convert(config, CONFIGS[kind]))
    return {name: value for name, value in whole.items() if name not in SECRETS}
