"""Clients of others at our simulator: smpplib and node-smpp, in the clear and over TLS, and jSMPP."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from interop import clients
from interop.clients import Client, Remote
from interop.conftest import Silent
from messagehub.text import gsm
from tests.carriers.authority import Authority
from tests.support import numbering
from tests.support import simulator as simulators
from tests.support.simulator import Simulator
from tests.support.waiting import until

LIBRARIES = ["smpplib", "smpplib over TLS", "node-smpp", "node-smpp over TLS", "jsmpp"]
OURS, PASSWORD = "442079460000", "secret"
PLAIN = "Hello from elsewhere, 0123"
CYRILLIC = "Добрый день 👋"
GSM_7, UCS_2 = 0, 8
RECEIPT = 0x04
INVALID_PASSWORD, INVALID_DESTINATION = 0x0E, 0x0B
_accounts = count(1)


@pytest.fixture(scope="module")
def certificate(authority: Authority, folder: Path) -> list[str]:
    certificate, key = authority.certificate()
    (folder / "both.pem").write_text(certificate + key)
    (folder / "authority.pem").write_text(authority.pem)
    return ["--tls-certificate", str(folder / "both.pem")]


@pytest.fixture(scope="module", params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def box(library: str, folder: Path, certificate: list[str]) -> Iterator[Simulator]:
    tls = certificate if "TLS" in library else []
    with simulators.simulator(folder, f"for {library}", "--password", PASSWORD, *tls) as opened:
        yield opened


Connect = Callable[..., Client]


@pytest.fixture
def account() -> str:
    """A system_id that no other test has: what is delivered to it is this test's."""
    return f"acc{next(_accounts)}"


@pytest.fixture
def connect(library: str, folder: Path, box: Simulator, account: str) -> Iterator[Connect]:
    """Opens a client and binds it; a refused bind is returned as its command_status."""
    name, _, tls = library.partition(" over ")
    authority = str(folder / "authority.pem") if tls else ""
    with ExitStack() as stack:

        def open_one(kind: str = "bind_transceiver") -> Client:
            opened = stack.enter_context(clients.client(name, folder, box.port, authority))
            assert opened.bind(kind, account, PASSWORD) == 0
            return opened

        yield open_one


@pytest.fixture
def to() -> str:
    return numbering.somebody().removeprefix("+")


def taken(box: Simulator, to: str, parts: int = 1) -> list[dict[str, Any]]:
    """What the simulator accepted for a number."""
    return until(lambda: found if len(found := box.submits(f"+{to}")) >= parts else [])


@pytest.mark.parametrize(("text", "coding"), [(PLAIN, GSM_7), (CYRILLIC, UCS_2)], ids=["GSM-7", "UCS-2"])
def test_a_text_and_its_receipt(connect: Connect, box: Simulator, to: str, text: str, coding: int) -> None:
    client = connect()
    answer = client.send(OURS, to, coding, text)
    assert answer["status"] == 0
    (submit,) = taken(box, to)
    assert (submit["text"], submit["data_coding"], submit["source"]) == (text, coding, OURS)
    (receipt,) = client.delivered(1)
    assert (receipt["source"], receipt["destination"], receipt["esm_class"]) == (to, OURS, RECEIPT)
    assert receipt["text"].startswith(f"id:{answer['message_id']} sub:001 dlvrd:001 submit date:")
    assert "stat:DELIVRD err:000" in receipt["text"]


@pytest.mark.parametrize("library", ["smpplib", "node-smpp"], indirect=True)
def test_the_gsm_alphabet(library: str, connect: Connect, box: Simulator, to: str) -> None:
    """Written by tables of theirs; that of smpplib has neither § nor form feed. A line cannot hold its own ends."""
    lacking = "\r\n§\f" if library == "smpplib" else "\r\n"
    letters = "".join(letter for letter in gsm.ONE_SEPTET + gsm.TWO_SEPTETS if letter not in lacking)
    assert connect().send(OURS, to, GSM_7, letters)["status"] == 0
    (submit,) = taken(box, to)
    assert submit["text"] == letters


def test_a_transmitter_sends_and_a_receiver_hears_of_it(connect: Connect, to: str) -> None:
    receiver, transmitter = connect("bind_receiver"), connect("bind_transmitter")
    answer = transmitter.send(OURS, to, GSM_7, PLAIN)
    (receipt,) = receiver.delivered(1)
    assert receipt["text"].startswith(f"id:{answer['message_id']} ")
    assert (transmitter.unbind(), receiver.unbind()) == (0, 0)


def test_a_long_text_in_parts(connect: Connect, box: Simulator, to: str) -> None:
    client = connect()
    pieces = ["The first part, " * 9, "the second, " * 12, "and the last."]
    for n, piece in enumerate(pieces, 1):
        assert client.send(OURS, to, GSM_7, piece, bytes((5, 0, 3, 0xA7, len(pieces), n)))["status"] == 0
    submits = taken(box, to, len(pieces))
    assert [submit["text"] for submit in submits] == pieces
    assert {submit["esm_class"] & 0x40 for submit in submits} == {0x40}
    assert len(client.delivered(len(pieces))) == len(pieces)


def test_a_long_text_as_message_payload(connect: Connect, box: Simulator, to: str) -> None:
    text = CYRILLIC * 40
    assert connect().payload(OURS, to, UCS_2, text)["status"] == 0
    (submit,) = taken(box, to)
    assert submit["text"] == text


def test_a_handset_writes_in_parts(connect: Connect, box: Simulator) -> None:
    client = connect()
    text = "Длинный ответ с телефона. " * 6
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(box.write, "+442079461234", f"+{OURS}", text)
        parts = sorted(client.delivered(3), key=lambda part: str(part["udh"]))
        assert writing.result() == ["ESME_ROK"] * 3
    assert "".join(part["text"] for part in parts) == text
    assert [bytes.fromhex(part["udh"])[-2:] for part in parts] == [b"\3\1", b"\3\2", b"\3\3"]
    assert {part["data_coding"] for part in parts} == {UCS_2}


def test_what_is_refused(connect: Connect) -> None:
    client = connect()
    assert (
        client.send(OURS, numbering.somebody("0003").removeprefix("+"), GSM_7, PLAIN)["status"] == INVALID_DESTINATION
    )
    assert client.send(OURS, numbering.somebody().removeprefix("+"), GSM_7, PLAIN)["status"] == 0


def test_a_wrong_password(library: str, folder: Path, box: Simulator) -> None:
    name, _, tls = library.partition(" over ")
    with clients.client(name, folder, box.port, str(folder / "authority.pem") if tls else "") as stranger:
        assert stranger.bind("bind_transceiver", "stranger", "guess") == INVALID_PASSWORD


def test_it_is_there_and_goes_in_good_order(connect: Connect, box: Simulator) -> None:
    client = connect()
    client.enquire()
    client.enquire()
    before = box.stats()["binds"]
    assert client.unbind() == 0
    until(lambda: box.stats()["binds"] == before - 1)


def test_those_that_are_silent_are_asked_whether_they_are_there(silent: Silent) -> None:
    for client in silent.clients:
        client.wait("enquire_link", within=40)
    assert silent.box.stats()["binds"] == len(silent.clients)


# --- receipts, read by a parser of theirs -----------------------------------------------

STATES = {"1234": ("DELIVRD", 2), "0001": ("UNDELIV", 5), "0002": ("REJECTD", 8)}
"""stat and message_state by the last digits of the number: SMPP 3.4, appendix B and 5.2.28."""


def answered(client: Client, digits: str) -> str:
    """The message_id of a text to such a number."""
    message_id: str = client.send(OURS, numbering.somebody(digits).removeprefix("+"), GSM_7, PLAIN)["message_id"]
    return message_id


@pytest.mark.parametrize("library", ["smpplib", "node-smpp"], indirect=True)
@pytest.mark.parametrize("digits", STATES)
def test_by_its_tlvs(connect: Connect, digits: str) -> None:
    client = connect()
    message_id = answered(client, digits)
    (receipt,) = client.delivered(1)
    assert (receipt["receipted_message_id"], receipt["message_state"]) == (message_id, STATES[digits][1])


@pytest.mark.parametrize("library", ["jsmpp"], indirect=True)
@pytest.mark.parametrize("digits", STATES)
def test_by_its_text(connect: Connect, digits: str) -> None:
    client = connect()
    assert isinstance(client, Remote)
    message_id = answered(client, digits)
    (read,) = client.peer.wait("receipt")
    assert (read["id"], read["state"]) == (message_id, STATES[digits][0])
    assert (read["submitted"], read["delivered"], read["text"]) == (1, int(digits == "1234"), PLAIN[:20])
    assert -60 <= read["age"] < 120
