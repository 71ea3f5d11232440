"""A session of a message centre that can also misbehave: say what is no PDU, and fall silent."""

from messagehub.smpp import Session


class ScriptedSession(Session):
    """It is what it inherits until it is told otherwise."""

    __slots__ = ("_said", "is_silent")

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._said: list[bytes] = []
        self.is_silent = False

    def say(self, octets: bytes) -> None:
        """Write these octets, after all that was said before."""
        self._said += (super().outgoing(), octets)

    def fall_silent(self) -> None:
        """Neither hear nor say anything more, but what was said already."""
        self.say(b"")
        self.is_silent = True

    def outgoing(self) -> bytes:
        last, said = super().outgoing(), self._said
        if self.is_silent:
            last = b""
        if not said:
            return last
        octets = b"".join([*said, last])
        said.clear()
        return octets

    def receive(self, octets: bytes, now: float) -> None:
        if not self.is_silent:
            super().receive(octets, now)

    def tick(self, now: float) -> None:
        if not self.is_silent:
            super().tick(now)
