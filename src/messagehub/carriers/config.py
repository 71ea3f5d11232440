"""The `config` of each kind of carrier: its members, their defaults and bounds. Checked when it is written."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from messagehub.errors import Refusal
from messagehub.shapes import words

ASCII = r"^[\x20-\x7e]*$"
"""What a C-octet string of SMPP can hold."""

SECRETS = frozenset({"password"})
"""Members that are written and never read back."""


class SMPPConfig(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)]
    system_id: Annotated[str, Meta(min_length=1, max_length=15, pattern=ASCII)]
    password: Annotated[str, Meta(max_length=8, pattern=ASCII)]
    system_type: Annotated[str, Meta(max_length=12, pattern=ASCII)] = ""
    bind: Literal["transceiver", "transmitter+receiver"] = "transceiver"
    binds: Annotated[int, Meta(ge=1, le=64)] = 1
    """How many binds; of `transmitter+receiver`, so many of each."""
    window: Annotated[int, Meta(ge=1, le=10_000)] = 10
    """PDUs without an answer that one bind may have."""
    rate: Annotated[float, Meta(ge=0, le=1_000_000)] = 0
    """PDUs per second of the whole carrier; 0 is no limit."""
    tls: bool = False
    interface_version: Literal["3.4"] = "3.4"
    enquire_link: Annotated[float, Meta(ge=1, le=3600)] = 30
    """Seconds of silence after which the peer is asked whether it is there."""
    response_timeout: Annotated[float, Meta(ge=0.1, le=3600)] = 30
    """Seconds after which a submit without an answer is given up."""
    dlr_timeout: Annotated[float, Meta(ge=1, le=2_592_000)] = 259_200
    """Seconds after which a receipt is no longer expected."""


CONFIGS: dict[str, type[SMPPConfig]] = {"smpp": SMPPConfig}


def parse(kind: str, config: dict[str, Any]) -> SMPPConfig:
    """Refusal names the member that is wrong."""
    try:
        return msgspec.convert(config, CONFIGS[kind])
    except msgspec.ValidationError as error:
        raise Refusal("INVALID_CARRIER_CONFIG", words(str(error), "config")) from None


def shown(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Without its secrets, and with the defaults of what was left out."""
    whole: dict[str, Any] = msgspec.to_builtins(msgspec.convert(config, CONFIGS[kind]))
    return {name: value for name, value in whole.items() if name not in SECRETS}
