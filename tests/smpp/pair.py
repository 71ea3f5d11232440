"""Two sessions wired mouth to ear, and what one reads of them."""

from typing import Any

from messagehub.smpp import PDU, Received, Role, Session, State, decode


class Pair:
    """Both ends of a session, wired mouth to ear, one octet at a time."""

    def __init__(self, **options: Any) -> None:
        self.esme = Session(Role.ESME, 0, **options)
        self.mc = Session(Role.MC, 0, **options)

    def carry(self, now: float = 0) -> None:
        while True:
            to_mc, to_esme = self.esme.outgoing(), self.mc.outgoing()
            if not to_mc and not to_esme:
                return
            for octet in to_mc:
                self.mc.receive(bytes([octet]), now)
            for octet in to_esme:
                self.esme.receive(bytes([octet]), now)

    def bind(self, name: str = "bind_transceiver", status: int = 0) -> None:
        self.esme.request(name, 0, {"system_id": "me", "password": "secret"})
        self.carry()
        (received,) = self.mc.events()
        assert isinstance(received, Received)
        self.mc.answer(received.request, status, {"system_id": "mc"})
        self.carry()


def bound(name: str = "bind_transceiver", **options: Any) -> Pair:
    pair = Pair(**options)
    pair.bind(name)
    pair.esme.events()
    return pair


def frames(octets: bytes) -> list[PDU]:
    pdus = []
    while octets:
        length = int.from_bytes(octets[:4], "big")
        pdus.append(decode(octets[:length]))
        octets = octets[length:]
    return pdus


def received(session: Session) -> list[PDU]:
    events = session.events()
    assert all(isinstance(event, Received) for event in events)
    return [event.request for event in events if isinstance(event, Received)]


def put(role: Role, state: State) -> Session:
    session = Session(role, 0)
    session.state = state
    return session
