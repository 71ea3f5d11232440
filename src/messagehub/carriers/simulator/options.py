"""What a simulator can be told."""

import ssl
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from messagehub.carriers.simulator.scenario import Rule


class Ports(Struct, frozen=True):
    """Where a running simulator listens."""

    smpp: int
    http: int
    mm7: int


class Vasp(Struct, frozen=True):
    """Who sends MMS, where it takes reports and messages of handsets over MM7, and what it is shown there."""

    url: str
    username: str = ""
    password: str = ""


class Options(Struct, frozen=True, kw_only=True):
    """All delays are in seconds; a port of 0 is any free one."""

    host: str = "127.0.0.1"
    smpp_port: int = 0
    http_port: int = 0
    mm7_port: int = 0
    scenario: tuple[Rule, ...] = ()  # asked before the magic numbers
    plain: bool = False  # no magic numbers: every destination is like any other
    receipt_delay: float = 1.0
    slow_receipt: float = 30.0  # for 0008
    second_receipt_delay: float = 2.0  # for 0009: after its first
    system_id: str | None = None  # None: whoever comes is let in
    password: str | None = None
    tls: ssl.SSLContext | None = None  # None: SMPP in the clear
    mm7_username: str = ""  # empty: whoever comes is let in
    mm7_password: str = ""
    mm7_digest: bool = False  # Digest is asked for, rather than Basic
    mm7_octets: int = 0  # of an MMS with all that is around it; 0: as many as can be read
    vasps: Mapping[str, Vasp] = field(default_factory=dict)  # by VASPID; the empty one is anybody else's
    mm7_pauses: tuple[float, ...] = (1, 2, 4, 8, 15, 30, 60, 120, 300)  # before what a VASP did not take is sent again
    until_eof: bool = False  # end when standard input does, so as never to outlive the parent
    ready: Callable[[Ports], None] | None = None  # called once all ports are open
