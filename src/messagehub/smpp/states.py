"""The states of a session, who may say what in which, and how the rest is refused: SMPP 3.4, section 2.2, table 2-1."""

from collections.abc import Mapping
from enum import Enum

from messagehub.smpp.statuses import NUMBERS


class Role(Enum):
    """Which end of the connection a session is."""

    ESME = "esme"  # the client, which binds
    MC = "mc"  # the message centre, which is bound to


class State(Enum):
    """Where a session is. UNBINDING is ours: either side has said unbind, and answers may still come."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    CLOSED = "closed"


States = tuple[State, ...]

OPEN: States = (State.OPEN,)
BOUND: States = (State.BOUND_TRX, State.BOUND_TX, State.BOUND_RX)
SENDING: States = (State.BOUND_TRX, State.BOUND_TX)
RECEIVING: States = (State.BOUND_TRX, State.BOUND_RX)
NEVER: States = ()

REQUESTS: Mapping[str, tuple[States, States]] = {  # table 2-1: where an ESME may say it, where an MC may
    "bind_transmitter": (OPEN, NEVER),
    "bind_receiver": (OPEN, NEVER),
    "bind_transceiver": (OPEN, NEVER),
    "outbind": (NEVER, OPEN),
    "unbind": (BOUND, BOUND),
    "submit_sm": (SENDING, NEVER),
    "submit_multi": (SENDING, NEVER),
    "data_sm": (BOUND, BOUND),
    "deliver_sm": (NEVER, RECEIVING),
    "query_sm": (SENDING, NEVER),
    "cancel_sm": (SENDING, NEVER),
    "replace_sm": (SENDING, NEVER),
    "enquire_link": (BOUND, BOUND),
    "alert_notification": (NEVER, RECEIVING),
}

# What we take from a peer beyond the table. Some SMSCs hand receipts to a transmitter, and some peers probe the link
# before they bind: to refuse either only loses messages and sessions.
TOLERATED: Mapping[str, States] = {
    "deliver_sm": BOUND,
    "data_sm": BOUND,
    "enquire_link": (State.OPEN, *BOUND),
}

# A bind takes the session here, once it is answered with status 0.
BINDS: Mapping[str, State] = {
    "bind_transmitter": State.BOUND_TX,
    "bind_receiver": State.BOUND_RX,
    "bind_transceiver": State.BOUND_TRX,
}


def _heard(name: str, said: States) -> States:
    """What was under way when unbind was said still counts."""
    late = NEVER if said in (OPEN, NEVER) else (State.UNBINDING,)
    return said + (TOLERATED.get(name, NEVER) if said else NEVER) + late


_BY_ESME = {name: esme for name, (esme, _) in REQUESTS.items()}
_BY_MC = {name: mc for name, (_, mc) in REQUESTS.items()}

MAY_SAY: Mapping[Role, Mapping[str, States]] = {Role.ESME: _BY_ESME, Role.MC: _BY_MC}
MAY_HEAR: Mapping[Role, Mapping[str, States]] = {
    Role.ESME: {name: _heard(name, said) for name, said in _BY_MC.items()},
    Role.MC: {name: _heard(name, said) for name, said in _BY_ESME.items()},
}


def _verdict(role: Role, state: State, name: str) -> str:
    places = MAY_HEAR[role][name]
    if state in places:
        return "ESME_ROK"
    if not places:  # only the other side has it: to this one it is no command
        return "ESME_RINVCMDID"
    return "ESME_RALYBND" if name in BINDS and state in BOUND else "ESME_RINVBNDSTS"


VERDICTS: Mapping[tuple[Role, State, str], int] = {
    # For each end, state and request of the peer: the command_status by which it is refused, or 0 if it is heard.
    # A session that is closed refuses nothing, as nobody is left to hear it.
    (role, state, name): NUMBERS[_verdict(role, state, name)]
    for role in Role
    for state in State
    for name in REQUESTS
}
