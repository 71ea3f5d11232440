"""Mutated PDUs through the decoder, the reader of receipts and sessions of both roles.

    python -m tests.smpp.fuzz --count 1000000 --seed 7

Nothing may be raised but the library's own errors, all that a session says must be sound, and memory may not grow. The
same count and seed do the same again; a failure names its case and shows the octets.
"""

import argparse
import gc
import random
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from messagehub.smpp import (
    PDU,
    DecodeError,
    EncodeError,
    Received,
    Role,
    Session,
    State,
    StateError,
    TLVs,
    WindowFull,
    decode,
    deviations,
    encode,
    receipts,
)
from messagehub.smpp.kinds import Choice, Counted, CString, Group, Int, Kind, Octets, Repeated, Time
from messagehub.smpp.pdus import COMMAND_IDS, COMMANDS, GENERIC_NACK, REQUESTS, UNKNOWN
from messagehub.smpp.receipts import receipt_text
from messagehub.smpp.states import BOUND, MAY_SAY
from messagehub.smpp.tlvs import PLACES, TLVS, pack_tlvs

Chance = random.Random
WINDOW = 20
LIFE = 200  # cases that one session has to bear
MOST_GROWTH = 256 * 1024  # octets in the last quarter

# --- sound PDUs, made from their rows ---------------------------------------------------------------------------------


def sample(kind: Kind, chance: Chance) -> Any:
    match kind:
        case Time():
            return chance.choice(["", "260131120000000+", "000001000000000R"])
        case Int(size=size):
            return chance.choice([0, 1, 4, chance.randrange(256**size)])
        case CString(limit=limit):
            return "".join(chance.choices("0123456789abcXYZ\xff", k=chance.randrange(limit)))
        case Counted(limit=most) | Octets(most=most):
            return chance.randbytes(chance.randrange(min(most, 40) + 1))
        case Group(fields=fields):
            return {name: sample(inner, chance) for name, inner in fields.items()}
        case Choice(flag=flag, groups=groups):
            chosen = chance.choice([*groups])
            return {flag: chosen, **sample(groups[chosen], chance)}
        case Repeated(kind=inner):
            return [sample(inner, chance) for _ in range(chance.randrange(4))]
    raise AssertionError(kind)


def sample_tlvs(name: str, chance: Chance) -> dict[int, bytes]:
    pairs = [(chance.randrange(0x10000), chance.randbytes(chance.randrange(9))) for _ in range(chance.randrange(3))]
    for tlv in chance.sample(sorted(PLACES.get(name, ())), min(len(PLACES.get(name, ())), chance.randrange(4))):
        with suppress(EncodeError):
            pairs += pack_tlvs({tlv: sample(TLVS[tlv][1], chance)}).items()
    return TLVs(pairs + pairs[: chance.randrange(2)])


def sample_pdu(chance: Chance) -> PDU:
    name = chance.choice([*COMMAND_IDS])
    fields = sample(Group(COMMANDS[COMMAND_IDS[name]][1]), chance)
    if name == "deliver_sm" and chance.random() < 0.5:
        fields["short_message"] = receipt_text(f"{chance.getrandbits(32):x}", "DELIVRD", "2601311200", "2601311201")
    status = chance.choice([0, 0, 0, 0x58, chance.getrandbits(32)])
    return PDU(
        name, chance.choice([chance.randrange(30), chance.getrandbits(32)]), status, fields, sample_tlvs(name, chance)
    )


# --- and what is made of them -----------------------------------------------------------------------------------------


def flip(octets: bytearray, chance: Chance) -> None:
    for _ in range(chance.randrange(1, 9)):
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)


def cut(octets: bytearray, chance: Chance) -> None:
    del octets[chance.randrange(4, len(octets)) :]


def take_out(octets: bytearray, chance: Chance) -> None:
    at = chance.randrange(4, len(octets))
    del octets[at : at + chance.randrange(1, 30)]


def repeat(octets: bytearray, chance: Chance) -> None:
    at = chance.randrange(4, len(octets))
    octets[at:at] = octets[at : at + chance.randrange(1, 30)] * chance.choice([1, 2, 50])


def put_in(octets: bytearray, chance: Chance) -> None:
    at = chance.randrange(4, len(octets) + 1)
    octets[at:at] = chance.choice([b"\0", b"\xff", bytes(20), b"\xff" * 20, chance.randbytes(10)])


def lie_about_the_length(octets: bytearray, chance: Chance) -> None:
    lie = chance.choice([0, 4, 15, 16, 17, len(octets) - 1, len(octets) + 1, 0x10000, 0x10001, 0xFFFFFFFF])
    octets[:4] = lie.to_bytes(4, "big")


def lie_in_a_tlv(octets: bytearray, chance: Chance) -> None:
    tag, length = chance.choice([tag for tag, _ in TLVS.values()]), chance.choice([0, 1, 5, 255, 0xFFFF])
    octets += tag.to_bytes(2, "big") + length.to_bytes(2, "big") + chance.randbytes(chance.randrange(8))


def change_the_command(octets: bytearray, chance: Chance) -> None:
    command_id = chance.choice([*COMMANDS, 0x111, 0x80000111, chance.getrandbits(32)])
    octets[4:8] = command_id.to_bytes(4, "big")


Mutation = Callable[[bytearray, Chance], None]
OF_THE_BODY: Sequence[Mutation] = (flip, cut, take_out, repeat, put_in, lie_in_a_tlv, change_the_command)
OF_THE_LENGTH: Sequence[Mutation] = (lie_about_the_length, flip, cut)


def mutate(frame: bytes, other: bytes, chance: Chance) -> bytes:
    """Mostly with a command_length that is right again, or else nothing would come to the inside of the decoder."""
    octets = bytearray(frame)
    if chance.random() < 0.2:  # splice
        octets[chance.randrange(16, len(octets) + 1) :] = other[chance.randrange(16, len(other) + 1) :]
    for _ in range(chance.randrange(4)):
        if len(octets) > 4:
            chance.choice(OF_THE_BODY)(octets, chance)
    octets[:4] = len(octets).to_bytes(4, "big")
    if chance.random() < 0.03 and len(octets) > 4:
        chance.choice(OF_THE_LENGTH)(octets, chance)
    return bytes(octets)


# --- what has to bear it ----------------------------------------------------------------------------------------------


def bear_alone(frame: bytes) -> None:
    """The decoder and all that reads what it gives."""
    try:
        pdu = decode(frame)
    except DecodeError:
        return
    deviations(pdu)
    if pdu.name in ("deliver_sm", "data_sm"):
        receipts.is_receipt(pdu, by_shape=True)
        receipts.parse(pdu)
    if pdu.name != UNKNOWN:
        with suppress(EncodeError):  # longer than we may write, which is no fault of reading it
            again = decode(encode(pdu))
            assert (again.fields, again.tlvs) == (pdu.fields, pdu.tlvs) or pdu.oddities


class Owner:
    """Answers, ignores or forgets what a session tells; asks things of its own; looks at all that it says."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.now = 0.0
        self.session = self._new(Chance(0))
        self.cases = 0

    def bear(self, frames: list[bytes], chance: Chance) -> None:
        self.cases += 1
        if self.session.state is State.CLOSED or self.cases % LIFE == 0:
            self.session = self._new(chance)
        octets = b"".join([self._aimed(frame, chance) for frame in frames])
        at = 0
        while at < len(octets):
            size = chance.choice([1, 3, 16, 100, 70_000])
            self.session.receive(octets[at : at + size], self.now)
            at += size
        self._act(chance)
        self._listen()

    def _new(self, chance: Chance) -> Session:
        session = Session(self.role, self.now, window=WINDOW, inactivity=500, late_answers=50)
        session.state = chance.choice([State.OPEN, *BOUND, *BOUND, State.UNBINDING])
        return session

    def _aimed(self, frame: bytes, chance: Chance) -> bytes:
        """Often an answer to something that the session has asked."""
        pending = self.session.pending
        if not pending or len(frame) < 16 or chance.random() < 0.5:
            return frame
        request, _ = chance.choice(pending)
        command_id = COMMAND_IDS[chance.choice([REQUESTS[request.name], GENERIC_NACK])]
        return frame[:4] + struct.pack(">III", command_id, chance.choice([0, 8]), request.sequence) + frame[16:]

    def _act(self, chance: Chance) -> None:
        session = self.session
        for event in session.events():
            if isinstance(event, Received) and event.request.name in REQUESTS and chance.random() < 0.9:
                session.ignore(event.request) if chance.random() < 0.1 else session.answer(event.request)
        if chance.random() < 0.5:
            with suppress(WindowFull):
                self._ask(chance)
        self.now += chance.choice([0, 0, 0.5, 40])
        session.tick(self.now)
        assert session.in_flight <= WINDOW

    def _ask(self, chance: Chance) -> None:
        session = self.session
        allowed = [name for name, states in MAY_SAY[self.role].items() if session.state in states]
        if name := chance.choice([*allowed, ""]):
            session.request(name, self.now)
            return
        with suppress(StateError):
            session.request(chance.choice([*COMMAND_IDS]), self.now)

    def _listen(self) -> None:
        octets = self.session.outgoing()
        while octets:
            length = int.from_bytes(octets[:4], "big")
            assert not decode(octets[:length]).oddities
            octets = octets[length:]


class Fuzz:
    """Cases by number; each is made from its own seed, but for the sessions, which live for a while."""

    def __init__(self, seed: int) -> None:
        chance = Chance(seed)
        self.seed = seed
        self._frames = [encode(sample_pdu(chance)) for _ in range(2000)]
        self._owners = [Owner(Role.ESME), Owner(Role.MC)]

    def run(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            chance = Chance(self.seed + number)
            frames = [self._mutated(chance) for _ in range(chance.choice([1, 1, 2]))]
            try:
                bear_alone(frames[0])
                for owner in self._owners:
                    owner.bear(frames, chance)
            except Exception as error:
                raise AssertionError(f"case {number} of seed {self.seed}: {b''.join(frames).hex()}") from error

    def _mutated(self, chance: Chance) -> bytes:
        frame, other = chance.choices(self._frames, k=2)
        return mutate(frame, other, chance)


def growth(seed: int, count: int) -> int:
    """Run that many cases; how many octets of memory the last quarter has left behind."""
    fuzz = Fuzz(seed)
    fuzz.run(0, count // 2)
    gc.collect()
    tracemalloc.start()
    try:
        # Half of it is traced, as that takes twice the time; the first of that half to know what the sessions hold.
        fuzz.run(count // 2, count // 4)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        fuzz.run(count // 2 + count // 4, count - count // 2 - count // 4)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.smpp.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    left = growth(options.seed, options.count)
    took = time.perf_counter() - began
    print(f"{options.count:,} cases of seed {options.seed} in {took:.1f} s; memory grew by {left:,} octets")
    return 0 if left < MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
