"""Mutated messages: nothing is raised but the package's own error, nothing takes long, and what is read can be used."""

import contextlib
import random
import time

import pytest

from messagehub.mms import (
    NAMESPACES,
    PDU,
    Address,
    Content,
    DecodeError,
    Medium,
    MMSError,
    answer,
    compose,
    fault,
    mm_status,
    read,
    refused,
    status,
    take_apart,
    write,
)
from messagehub.mms.mm7 import RESPONSES
from messagehub.mms.parts import Part

NAMESPACE = NAMESPACES["REL-5-MM7-1-2"]
ONE = Address("Number", "+15551234567")
CONTENT = compose(Content("Grüße", (Medium("image/jpeg", b"\xff\xd8\r\n--" * 9, "a.jpg"),)))
SEEDS = [
    PDU("SubmitReq", "t", {"SenderIdentification": {"VASPID": "v"}, "Recipients": {"To": [ONE, ONE]}}, CONTENT),
    PDU("DeliverReq", "t", {"Sender": ONE, "Subject": "a<b"}, Part("multipart/mixed", parts=(CONTENT,)), NAMESPACE),
    PDU("SubmitRsp", "t", {"Status": {"StatusCode": 1100, "Details": "+15551234567"}, "MessageID": "m"}),
    PDU("RSErrorRsp", "t", {"Status": {"StatusCode": 4006}}),
]
SPLINTERS = [
    *(b"", b"\r\n", b"\n", b"--", b'"', b";", b"<", b"</", b"&", b"]]>", b"\0", b"\xff", b"=?", b"*", b"%", b"base64"),
    *(b"<!DOCTYPE a>", b"multipart/mixed; boundary=b", b"<Status>", b"<Content href='cid:x'/>", b"1" * 20),
]


def mutated(octets: bytes, chance: random.Random) -> bytes:
    out = bytearray(octets)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(out) + 1)
        end = min(len(out), at + chance.choice((0, 1, 1, 4, 40)))
        there = chance.randrange(len(out) + 1)
        out[at:end] = chance.choice((bytes(out[there : there + 30]), chance.choice(SPLINTERS), chance.randbytes(2)))
    return bytes(out[: chance.randrange(len(out) + 1)] if chance.random() < 0.1 else out)


def use(pdu: PDU) -> None:
    """All that the program does with what came in."""
    with contextlib.suppress(MMSError):
        write(pdu)
    if pdu.content is not None:
        take_apart(pdu.content)
    if pdu.name in RESPONSES:
        write(answer(pdu, 1000, "Success"))
    elif "Status" in pdu.fields:
        status(pdu.fields["Status"]["StatusCode"])
        refused(pdu, [ONE])
    mm_status(pdu.fields.get("MMStatus", ""))


@pytest.mark.parametrize("seed", range(4))
def test_mutated_messages_break_nothing(seed: int) -> None:
    chance = random.Random(seed)
    content_type, body = write(SEEDS[seed % len(SEEDS)], chance.choice(("binary", "base64")))
    before = time.process_time()
    for _ in range(1500):
        kind = mutated(content_type.encode(), chance).decode("latin-1") if chance.random() < 0.2 else content_type
        octets = mutated(body, chance)
        try:
            use(read(kind, octets))
        except DecodeError as error:
            write(fault(error, error.status))
        except Exception as error:
            raise AssertionError(f"{kind!r} {octets!r}") from error
    assert time.process_time() - before < 30
