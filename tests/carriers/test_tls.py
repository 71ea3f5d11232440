"""TLS towards a carrier: who it is is checked, and what is wrong is said in words."""

import asyncio
from typing import Any

import pytest

from messagehub.carriers import kinds, tls
from messagehub.carriers.carrier import Accepted
from messagehub.errors import Refusal
from tests.carriers.authority import Authority
from tests.carriers.rig import Ours, centre


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def error_of(port: int, **tls: Any) -> str:
    async with Ours(port, tls=True, **tls) as ours:
        await ours.until(lambda: ours.carrier.status().last_error)
        assert ours.carrier.status().status == "down"
        return ours.carrier.status().last_error


async def test_a_carrier_that_proves_who_it_is_is_sent_to(authority: Authority) -> None:
    async with centre(authority.serving()) as (peer, port), Ours(port, tls=True, tls_ca=authority.pem) as ours:
        await ours.bound()
        key = ours.send()
        assert [one.key for one in await ours.heard(Accepted)] == [key]
        assert ours.carrier.status().warnings == []
        assert peer.drivers[0].transport.get_extra_info("cipher")


async def test_by_the_name_that_the_config_says(authority: Authority) -> None:
    serving = authority.serving("smsc.example.com")
    asked: list[str | None] = []
    serving.sni_callback = lambda _, name, __: asked.append(name)
    given: dict[str, Any] = {"tls": True, "tls_ca": authority.pem, "tls_server_name": "smsc.example.com"}
    async with centre(serving) as (_, port), Ours(port, **given) as ours:
        await ours.bound()
        assert asked == ["smsc.example.com"]


async def test_with_a_certificate_of_ours_where_the_carrier_wants_one(authority: Authority) -> None:
    certificate, key = authority.certificate("us")
    given: dict[str, Any] = {"tls": True, "tls_ca": authority.pem, "tls_certificate": certificate, "tls_key": key}
    async with centre(authority.serving(wants_ours=True)) as (peer, port), Ours(port, **given) as ours:
        await ours.bound()
        shown = peer.drivers[0].transport.get_extra_info("peercert")
        assert shown["subject"] == ((("commonName", "us"),),)


async def test_unless_it_is_told_not_to_ask_which_is_shown(authority: Authority) -> None:
    async with (
        centre(authority.serving("another.example.com", days=-1)) as (_, port),
        Ours(port, tls=True, tls_verify=False) as ours,
    ):
        await ours.bound()
        assert "tls_verify is false" in ours.carrier.status().warnings[0]


WRONG = [
    ({"days": -1}, True, {}, "has expired"),
    (
        {"host": "other.example.com"},
        True,
        {},
        "is for another address; put the name that it has into `tls_server_name`",
    ),
    ({"host": "other.example.com"}, True, {"tls_server_name": "smsc.example.com"}, "is for another name"),
    ({}, False, {}, "of an authority that is not known here; put that of the authority into `tls_ca`"),
    ({"wants_ours": True}, True, {}, "`tls_certificate` and `tls_key`"),
]


@pytest.mark.parametrize(("serving", "known", "tls", "words"), WRONG)
async def test_what_is_wrong_is_said(
    authority: Authority, serving: dict[str, Any], known: bool, tls: dict[str, Any], words: str
) -> None:
    async with centre(authority.serving(**serving)) as (peer, port):
        assert words in await error_of(port, tls_ca=authority.pem if known else "", **tls)
        assert peer.binds == []


async def test_a_port_without_tls_says_so() -> None:
    async with centre() as (_, port):
        assert "does not speak TLS at this port" in await error_of(port)


async def test_a_carrier_that_hangs_up_at_it_may_not_speak_tls() -> None:
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        error = await error_of(server.sockets[0].getsockname()[1])
    assert error == "cannot connect: the carrier hung up; does the carrier speak TLS at this port?"


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


def test_what_has_no_words_of_its_own_gets_some() -> None:
    assert tls.words(TimeoutError()) == "no answer in time"
    assert tls.words(TimeoutError(), with_tls=True) == "no answer in time; does the carrier speak TLS at this port?"
    assert tls.words(ConnectionRefusedError(111, "refused"), with_tls=True) == "[Errno 111] refused"


# --- what cannot be read is refused when it is written


def refused(**given: str) -> str:
    usual = {"host": "h", "port": 1, "system_id": "me", "password": ""}
    with pytest.raises(Refusal) as caught:
        kinds.parse("smpp", {**usual, **given})
    assert caught.value.reason == "INVALID_CARRIER_CONFIG"
    return caught.value.message


def test_what_is_no_pem(authority: Authority) -> None:
    certificate, key = authority.certificate()
    other, _ = authority.certificate()
    assert refused(tls_ca="nonsense").startswith("config.tls_ca: ")
    assert refused(tls_ca="naïve").startswith("config.tls_ca: ")
    assert refused(tls_certificate=certificate) == "config.tls_key: it is needed where there is a tls_certificate"
    assert refused(tls_key=key) == "config.tls_certificate: it is needed where there is a tls_key"
    both = "config.tls_certificate and tls_key: "
    assert refused(tls_certificate="nonsense", tls_key=key).startswith(both)
    assert refused(tls_certificate=other, tls_key=key) == f"{both}the key is not that of the certificate"
    locked, locked_key = authority.certificate(passphrase="open sesame")
    assert "without a passphrase" in refused(tls_certificate=locked, tls_key=locked_key)
    assert key not in refused(tls_certificate=other, tls_key=key)


def test_the_key_is_a_secret() -> None:
    assert "tls_key" in kinds.SECRETS
