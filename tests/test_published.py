"""Addresses and links of contents, and the keys under which they are signed, on both stores."""

import asyncio
from pathlib import Path

import pytest

from messagehub.clock import SECOND
from messagehub.errors import SettingError
from messagehub.published import (
    CODE_CHARACTERS,
    DAY,
    LONGEST,
    SIGNS_FOR,
    SPREADS_FOR,
    Keyring,
    Links,
    Published,
)
from messagehub.sealing import Key, Sealer
from messagehub.settings import Settings, checked
from messagehub.store import Store

NOW = 1_800_000_000 * SECOND
DIGEST = "ab" * 32
SEALER = Sealer([Key("k" * 32)])
HUB = "https://sms.example.com/hub"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


async def ring(store: Store, clock: Clock | None = None, sealer: Sealer = SEALER) -> Keyring:
    made = Keyring(store, sealer, 7 * DAY, clock or Clock())
    await made.look()
    return made


def test_an_address_is_ours_and_good_for_its_time() -> None:
    published = Published(HUB + "/", [b"key"], DAY)
    url = published.url(DIGEST, NOW)
    place, _, token = url.partition("?token=")
    assert place == f"{HUB}/media/{DIGEST}"
    assert published.is_valid(DIGEST, token, NOW + DAY)
    assert not published.is_valid(DIGEST, token, NOW + DAY + SECOND)
    assert not published.is_valid("cd" * 32, token, NOW)
    assert published.digest_of(url) == DIGEST
    assert published.renewed(url, NOW + DAY) == published.url(DIGEST, NOW + DAY)
    for other in (f"https://other.example.com/media/{DIGEST}", f"{HUB}/media/../{DIGEST[2:]}", f"{HUB}/m/{DIGEST}", ""):
        assert published.digest_of(other) == ""
        assert published.renewed(other, NOW) == other


async def test_nodes_that_start_at_once_have_one_key(store: Store) -> None:
    rings = await asyncio.gather(*(ring(store) for _ in range(10)))
    assert {tuple(one.keys) for one in rings} == {tuple(rings[0].keys)}
    (row,) = await store.all("media_keys")
    assert row.secret.startswith("sealed:")


async def test_a_new_key_signs_when_all_have_it_and_the_old_one_is_believed(store: Store) -> None:
    clock = Clock()
    here, there = await ring(store, clock), await ring(store, clock)
    first = here.keys[0]
    clock.now += SIGNS_FOR
    await here.look()
    assert here.keys[0] == first
    assert len(here.keys) == 2
    clock.now += SPREADS_FOR
    await asyncio.gather(here.look(), there.look())
    assert [*here.keys] == [*there.keys]
    assert here.keys[0] != first
    assert first in here.keys
    clock.now += LONGEST + 2 * SPREADS_FOR
    await here.look()
    assert first not in here.keys


async def test_keys_are_sealed_anew_and_not_read_without_theirs(store: Store) -> None:
    keys = (await ring(store)).keys
    new = Key("n" * 32)
    with pytest.raises(SettingError, match="media_keys/1/secret was sealed under key"):
        await Keyring(store, Sealer([new])).seal()
    await Keyring(store, Sealer([new, Key("k" * 32)]), DAY).seal()
    assert [*(await ring(store, sealer=Sealer([new]))).keys] == [*keys]


async def test_a_link_is_short_and_good_until_its_time(store: Store) -> None:
    links = Links(store, HUB, (await ring(store)).keys)
    url, insert = links.make(DIGEST, NOW + DAY)
    code = url.removeprefix(f"{HUB}/m/")
    assert len(code) == CODE_CHARACTERS == 16
    assert await links.find(code, NOW) is None
    await store.write([insert])
    assert await links.find(code, NOW + DAY) == DIGEST
    assert await links.find(code, NOW + DAY + 1) == ""
    assert links.make(DIGEST, NOW)[0] != url


async def test_a_guess_does_not_come_to_the_store(store: Store) -> None:
    links = Links(store, HUB, (await ring(store)).keys)
    url, insert = links.make(DIGEST, NOW + DAY)
    await store.write([insert])
    await store.close()
    code = url[-16:]
    first, last = ("A" if code[at] != "A" else "B" for at in (0, -1))
    for guess in ("", "x", first + code[1:], code[:-1] + last, code + "=", "é" * 16, "=" * 16, "../../etc/passw"):
        assert await links.find(guess, NOW) is None


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://[::1]:80"),
        ("[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ("sms.example.com:80", "http://sms.example.com:80"),
    ],
)
def test_without_a_public_address_it_is_the_one_that_is_listened_at(listen: str, address: str) -> None:
    assert Settings(listen=listen).public_address == address
    assert Settings(listen=listen, public_url=HUB + "/").public_address == HUB


@pytest.mark.parametrize(
    "text",
    ["sms.example.com", "ftp://x", "http://", "https://a@b", "https://x?y", "https://x#y", "http://x y", "http://x:y"],
)
def test_a_public_address_that_cannot_be_one_is_said_at_the_start(text: str) -> None:
    with pytest.raises(SettingError, match="MESSAGEHUB_PUBLIC_URL"):
        checked("MESSAGEHUB_PUBLIC_URL", text, "public_url")


def test_media_are_beside_their_store(tmp_path: Path) -> None:
    assert Settings(database_url=f"sqlite:///{tmp_path}/hub.db").media_folder == tmp_path / "media"
