"""What a simulator can be told."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from messagehub.carriers.simulator.scenario import Rule


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a running simulator listens."""

    smpp: int
    http: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All delays are in seconds; a port of 0 is any free one."""

    host: str = "127.0.0.1"
    smpp_port: int = 0
    http_port: int = 0
    scenario: tuple[Rule, ...] = ()  # asked before the magic numbers
    plain: bool = False  # no magic numbers: every destination is like any other
    receipt_delay: float = 1.0
    slow_receipt: float = 30.0  # for 0008
    second_receipt_delay: float = 2.0  # for 0009: after its first
    system_id: str | None = None  # None: whoever comes is let in
    password: str | None = None
    tls: ssl.SSLContext | None = None  # None: SMPP in the clear
    until_eof: bool = False  # end when standard input does, so as never to outlive the parent
    ready: Callable[[Ports], None] | None = None  # called once both ports are open
