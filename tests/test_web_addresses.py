"""Where the outgoing client may go: addresses, names, URLs, and what a header may hold."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from messagehub.web import (
    BadAnswer,
    BadRequest,
    BadURL,
    Busy,
    Closed,
    Forbidden,
    TimedOut,
    Unreachable,
    WebError,
    check_url,
    is_public,
    leads_inside,
)
from tests.test_web import OK, answering, answering_once, calling, post, serving

# --- where it may not go


PUBLIC = [
    "8.8.8.8",
    "100.63.255.255",
    "172.32.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.9", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1",
    "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "fe80::1", "fe80::1%1", "fec0::1",
    "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "5f00::1", "4000::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(ip_address(address))


SPELLINGS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "10.1",
    "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "169.254.169.254",
    "127.0.0.1.", "2130706433.", "0x7f.1.", "127.000.000.001", "0X7F000001", "00000177.1", "127.0.1", "0x0",
    "[2002:7f00:1::]", "[::127.0.0.1]", "[64:ff9b:1::1]", "[fe80::1]", "[fd00::1]", "[::FFFF:A9FE:A9FE]",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
async def test_spellings_of_a_private_address(host: str) -> None:
    async with serving(answering(OK)) as server, calling(allow_private=False) as client:
        url = f"http://{host}:{server.port}/"
        assert leads_inside(url)
        with pytest.raises(Forbidden) as caught:
            await post(client, url)
        assert caught.value.code == "private_address"
        assert server.connections == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost"])
def test_localhost_leads_inside(host: str) -> None:
    assert leads_inside(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["example.com", "8.8.8.8", "[2606:4700::1111]", "notlocalhost", "localhost.example.com"]
)
def test_other_hosts_do_not_lead_inside(host: str) -> None:
    assert not leads_inside(f"https://{host}/")


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%1"]])
async def test_a_name_of_a_private_address(found: list[str]) -> None:
    async def resolve(_: str) -> Sequence[str]:
        return found

    async with serving(answering(OK)) as server, calling(allow_private=False, resolve=resolve) as client:
        with pytest.raises(Forbidden):
            await post(client, f"http://hook.test:{server.port}/")
        assert server.connections == 0


async def test_the_system_is_asked_by_default() -> None:
    async with serving(answering(OK)) as server, calling(allow_private=False) as client:
        with pytest.raises(Forbidden):
            await post(client, f"http://localhost:{server.port}/")
        assert server.connections == 0


async def test_the_checked_address_is_the_one_connected_to() -> None:
    asked: list[str] = []

    async def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with serving(answering_once(OK)) as server, calling(resolve=resolve) as client:
        await asyncio.gather(*(post(client, f"http://Hook.test:{server.port}/") for _ in range(3)))
    assert asked == ["hook.test"]


async def test_what_was_checked_is_connected_to_though_the_name_has_changed() -> None:
    """DNS rebinding gains nothing: between the check and the connection nobody is asked."""
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    async def resolve(_: str) -> Sequence[str]:
        return next(answers)

    async with serving(answering_once(OK)) as server, calling(resolve=resolve) as client:
        for _ in range(2):
            assert (await post(client, f"http://hook.test:{server.port}/")).status == 200
    assert list(answers) == [["127.0.0.2"]]


@pytest.mark.parametrize("host", ["xn--bcher-kva.test", "hook.test.", "HOOK.TEST", "a_b.test"])
async def test_a_name_in_any_form_is_checked_by_its_addresses(host: str) -> None:
    async def resolve(_: str) -> Sequence[str]:
        return ["10.0.0.1"]

    async with calling(allow_private=False, resolve=resolve) as client:
        with pytest.raises(Forbidden):
            await post(client, f"http://{host}/")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "127.0.0.1.", "2130706433", "0x7f.1", "localhost"])
async def test_where_it_is_allowed_all_of_them_work(host: str) -> None:
    async with serving(answering(OK)) as server, calling(allow_private=True) as client:
        assert (await post(client, f"http://{host}:{server.port}/")).status == 200


async def test_the_next_address_is_tried() -> None:
    async def resolve(_: str) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with serving(answering(OK)) as server, calling(resolve=resolve) as client:
        assert (await post(client, f"http://hook.test:{server.port}/")).status == 200


async def test_names_that_are_none() -> None:
    asked = 0

    async def resolve(host: str) -> Sequence[str]:
        nonlocal asked
        asked += 1
        if host == "empty.test":
            return []
        raise OSError("no such name")

    async with calling(resolve=resolve) as client:
        for host in ("empty.test", "none.test", "none.test"):
            with pytest.raises(Unreachable) as caught:
                await post(client, f"http://{host}/")
            assert caught.value.code == "dns"
    assert asked == 2


async def test_a_name_that_had_no_address_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messagehub.web.client.SECONDS_A_NAME_IS_KNOWN", 0.02)
    answers: list[OSError | list[str]] = [OSError("temporary failure in name resolution"), ["127.0.0.1"]]

    async def resolve(_: str) -> Sequence[str]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    async with serving(answering(OK)) as server, calling(resolve=resolve) as client:
        with pytest.raises(Unreachable):
            await post(client, f"http://hook.test:{server.port}/")
        await asyncio.sleep(0.1)
        assert (await post(client, f"http://hook.test:{server.port}/")).status == 200


async def test_nobody_listens() -> None:
    async with serving(answering(OK)) as server:
        url = server.url
    async with calling() as client:
        with pytest.raises(Unreachable) as caught:
            await post(client, url)
    assert caught.value.code == "refused"


# --- URLs and headers

BAD_URLS = [
    "", "hook.test", "//hook.test/", "ftp://hook.test/", "file:///etc/passwd", "http://", "http:///path", "http://:80/",
    "http://user@hook.test/", "http://user:secret@hook.test/", "http://hook.test@127.0.0.1/", "http://a b/",
    "http://a/b c",
    "http://a/\r\nx: y", "http://a/\n", "http://a\n/", "http://a/\0", "http://a/\x7f", "http://a\t/",
    " http://a/", "http://a/ ",
    "http://a/é", "http://bücher.example/", "http://１２７.0.0.1/", "http://a/#fragment", "http://a\\@b/", "http://a:0/",
    "http://a:65536/", "http://a:x/", "http://a:/", "http://a..b/", "http://.a/", "http://[::1",
    "http://[::g]/", "http://[::1]x/",
    "http://[fe80::1%25eth0]/", "http://[1.2.3.4]/", "http://::1/", "http://" + "a" * 64 + "/",
    "http://" + "a." * 127 + "aa/",
    "http://a/" + "b" * 2048, "http://a%2eb/",
]  # fmt: skip
GOOD_URLS = [
    "http://a", "HTTPS://A.example:8443", "http://a?x=1", "http://a/b?c=d&e[]=%20#"[:-1],
    "https://[2606:4700::1111]:443/x",
    "http://a_b.example./~x/(y);z,@:!$'*+", "http://xn--bcher-kva.example/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
async def test_bad_urls(url: str) -> None:
    with pytest.raises(BadURL) as caught:
        check_url(url)
    assert caught.value.code == "bad_url"
    async with calling() as client:
        with pytest.raises(BadURL):
            await post(client, url)


def test_a_url_that_is_too_long_is_said_to_be_that() -> None:
    with pytest.raises(BadURL, match="of 2058 characters, where 2048 are the most"):
        check_url("http://a/?" + "b" * 2048)


@pytest.mark.parametrize("url", GOOD_URLS)
def test_good_urls(url: str) -> None:
    check_url(url)


BAD_HEADERS = [
    {"x": "a\r\ny: b"}, {"x": "a\n"}, {"x": "\0"}, {"x": "é"}, {"x\r\ny": "a"}, {"x:": "a"}, {"x y": "a"},
    {"": "a"}, {"x\n": "a"},
    {"Host": "a"}, {"content-length": "0"}, {"Transfer-Encoding": "chunked"}, {"é": "a"},
]  # fmt: skip


@pytest.mark.parametrize("headers", BAD_HEADERS)
async def test_bad_headers(headers: dict[str, str]) -> None:
    async with serving(answering(OK)) as server, calling() as client:
        with pytest.raises(BadRequest):
            await client.request("POST", server.url, headers, b"")
        assert server.connections == 0


@pytest.mark.parametrize("method", ["", "post", "CONNECT", "TRACE", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET"])
async def test_bad_methods(method: str) -> None:
    async with calling() as client:
        with pytest.raises(BadRequest):
            await client.request(method, "http://hook.test/", {}, b"")


def test_every_error_has_a_word_of_its_own() -> None:
    kinds = [BadRequest, BadURL, Forbidden, Busy, TimedOut, BadAnswer, Closed]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(issubclass(kind, WebError) for kind in kinds)


async def test_a_name_that_is_long_in_being_looked_up_anew_is_taken_for_what_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All who look up may wait for the name servers of others."""
    monkeypatch.setattr("messagehub.web.client.SECONDS_A_NAME_IS_KNOWN", 0.0)
    monkeypatch.setattr("messagehub.web.client.PATIENCE_S", 0.01)
    asked = 0

    async def resolve(_: str) -> Sequence[str]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0 if asked == 1 else 60)
        return ["127.0.0.1"]

    async with serving(answering_once(OK)) as server, calling(resolve=resolve) as client:
        for _ in range(2):
            assert (await post(client, f"http://name.test:{server.port}/")).status == 200
            await asyncio.sleep(0.01)
    assert asked == 2
