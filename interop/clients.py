"""Clients of others, at a simulator: smpplib in this process, node-smpp and jSMPP in their own."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from interop.peer import Event, Peer, peer
from tests.support.waiting import PATIENCE_S


class Client(Protocol):
    """What a test does with any of them. Texts are encoded, and read, by the library's own code."""

    def bind(self, kind: str, system_id: str, password: str) -> int:
        """The command_status of the answer."""
        ...

    def send(self, source: str, to: str, coding: int, text: str, header: bytes = b"") -> Event:
        """`status` and `message_id` of the answer; a receipt is asked for."""
        ...

    def payload(self, source: str, to: str, coding: int, text: str) -> Event:
        """The same with message_payload."""
        ...

    def delivered(self, count: int) -> list[Event]:
        """So many deliver_sm, as soon as they came."""
        ...

    def enquire(self) -> None: ...

    def unbind(self) -> int: ...


class Remote:
    def __init__(self, told: Peer, port: int, authority: str) -> None:
        self.peer, self._port, self._authority = told, port, authority

    def bind(self, kind: str, system_id: str, password: str) -> int:
        answer = self._answer("bind_resp", "bind", self._port, kind, system_id, password, self._authority)
        return int(answer["status"])

    def send(self, source: str, to: str, coding: int, text: str, header: bytes = b"") -> Event:
        return self._answer("submit_sm_resp", "send", source, to, coding, text, header.hex())

    def payload(self, source: str, to: str, coding: int, text: str) -> Event:
        return self._answer("submit_sm_resp", "payload", source, to, coding, text)

    def delivered(self, count: int) -> list[Event]:
        return self.peer.wait("deliver_sm", count)

    def enquire(self) -> None:
        assert self._answer("enquire_link_resp", "enquire")["status"] == 0

    def unbind(self) -> int:
        answer = self._answer("unbind_resp", "unbind")
        self.peer.wait("lost")
        return int(answer["status"])

    def _answer(self, event: str, *words: object) -> Event:
        since = len(self.peer.said)
        self.peer.tell(*words)
        return self.peer.wait(event, since=since)[0]


class Smpplib:
    def __init__(self, port: int, authority: str) -> None:
        context = ssl.create_default_context(cafile=authority) if authority else None
        if context:
            context.check_hostname = False  # it gives no name to check
        self._client = smpplib.client.Client(
            "127.0.0.1", port, timeout=PATIENCE_S, ssl_context=context, allow_unknown_opt_params=True
        )
        self._delivered: list[Event] = []
        self._answers: list[Event] = []
        self._client.set_message_received_handler(self._took)
        self._client.set_message_sent_handler(self._answered)
        self._client.set_error_pdu_handler(lambda pdu: None)  # the other handler gets it, too

    def bind(self, kind: str, system_id: str, password: str) -> int:
        self._client.connect()
        try:
            self._client._bind(kind, system_id=system_id, password=password)
        except smpplib.exceptions.PDUError as error:
            return int(error.args[1])
        return 0

    def send(self, source: str, to: str, coding: int, text: str, header: bytes = b"") -> Event:
        parts, coding, esm_class = smpplib.gsm.make_parts(text, coding)
        (octets,) = parts
        features = esm_class | (smpplib.consts.SMPP_GSMFEAT_UDHI if header else 0)
        return self._submit(source, to, data_coding=coding, esm_class=features, short_message=header + octets)

    def payload(self, source: str, to: str, coding: int, text: str) -> Event:
        encode, _, _ = smpplib.gsm.ENCODINGS[coding]
        return self._submit(source, to, data_coding=coding, short_message=b"", message_payload=encode(text))

    def delivered(self, count: int) -> list[Event]:
        while len(self._delivered) < count:
            self._client.read_once(auto_send_enquire_link=False)
        return self._delivered

    def enquire(self) -> None:
        self._client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=self._client))
        pdu = self._client.read_pdu()
        assert (pdu.command, pdu.status) == ("enquire_link_resp", 0)

    def unbind(self) -> int:
        answer = self._client.unbind()
        assert answer.command == "unbind_resp"
        return int(answer.status)

    def close(self) -> None:
        if self._client._socket is not None:
            self._client.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN  # else it would complain
            self._client.disconnect()

    def _submit(self, source: str, to: str, **more: Any) -> Event:
        self._client.send_message(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=source,
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=to,
            registered_delivery=1,
            **more,
        )
        while not self._answers:
            self._client.read_once(auto_send_enquire_link=False)
        return self._answers.pop()

    def _answered(self, pdu: Any) -> None:
        message_id = "" if pdu.status else pdu.message_id.decode()
        self._answers.append({"status": pdu.status, "message_id": message_id})

    def _took(self, pdu: Any) -> None:
        octets = pdu.message_payload or pdu.short_message
        header = bytes(octets[: 1 + octets[0]]) if pdu.esm_class & smpplib.consts.SMPP_GSMFEAT_UDHI else b""
        coding = "utf-16-be" if pdu.data_coding == smpplib.consts.SMPP_ENCODING_ISO10646 else "ascii"
        self._delivered.append(
            {
                "source": pdu.source_addr.decode(),
                "destination": pdu.destination_addr.decode(),
                "esm_class": pdu.esm_class,
                "data_coding": pdu.data_coding,
                "text": octets[len(header) :].decode(coding),
                "udh": header[1:].hex(),
                "receipted_message_id": (pdu.receipted_message_id or b"").decode(),
                "message_state": pdu.message_state,
            }
        )


@contextmanager
def client(library: str, folder: Path, port: int, authority: str = "") -> Iterator[Client]:
    """`authority` is the file that it checks the simulator's certificate by; empty: no TLS."""
    if library == "smpplib":
        own = Smpplib(port, authority)
        try:
            yield own
        finally:
            own.close()
        return
    with peer(library, folder, "esme") as opened:
        yield Remote(opened, port, authority)
