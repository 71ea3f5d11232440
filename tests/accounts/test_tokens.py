"""Tokens: signed under keys that change, and known again by their own maker alone."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messagehub import clock
from messagehub.accounts import tokens
from messagehub.accounts.tokens import OVERLAP, SIGNS_FOR, BadToken, Tokens
from messagehub.clock import SECOND
from messagehub.errors import SettingError
from messagehub.sealing import Key, Sealer
from messagehub.store import Store

NOW = clock.now()
LIFETIME = 3600
SEALER = Sealer([Key("k" * 32)])


def made(store: Store, sealer: Sealer = SEALER) -> Tokens:
    return Tokens(store, sealer, LIFETIME)


async def issued(of: Tokens, now: int = NOW) -> str:
    return await of.issue("customer", "anne", 5, now)


def part(token: str, n: int) -> dict[str, object]:
    text = token.split(".")[n]
    said: dict[str, object] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return said


def packed(said: dict[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode().rstrip("=")


async def test_a_token_says_whose_it_is_and_how_long_it_is_good(store: Store) -> None:
    one = made(store)
    token = await issued(one)
    claims = await one.read(token)
    assert (claims.iss, claims.sub, claims.username, claims.tm_password) == ("messagehub", "customer", "anne", 5)
    assert (claims.iat, claims.exp) == (NOW // SECOND, NOW // SECOND + LIFETIME)
    assert part(token, 0) == {"typ": "JWT", "alg": "HS256", "kid": "1"}
    assert part(token, 1).keys() == {"iss", "sub", "username", "tm_password", "iat", "exp", "jti"}
    assert claims.jti != (await one.read(await issued(one))).jti


async def test_other_nodes_know_it_and_other_installations_do_not(store: Store) -> None:
    token = await issued(made(store))
    assert (await made(store).read(token)).username == "anne"
    await store.run("delete_token_key", id="1")
    other = made(store)
    await issued(other)
    with pytest.raises(BadToken):
        await other.read(token)


async def test_what_is_no_token_of_ours(store: Store) -> None:
    one = made(store)
    token = await issued(one)
    head, said, signature = token.split(".")
    other = {**part(token, 1), "sub": "somebody else"}
    heads: list[dict[str, object]] = [
        {"typ": "JWT", "alg": "none", "kid": "1"},
        {"typ": "JWT", "alg": "HS512", "kid": "1"},
        {"typ": "JWT", "alg": "RS256", "kid": "1"},
        {"typ": "JWT", "alg": "HS256", "kid": "2"},
        {"typ": "JWT", "alg": "HS256"},
        {"typ": "JWT", "alg": "HS256", "kid": ["1"]},
        {"typ": "JWT", "alg": "HS256", "kid": "1", "b64": False, "crit": ["b64"]},
        {"typ": "JWT", "alg": "HS256", "kid": "1", "jwk": {"kty": "oct", "k": "AAAA"}},
    ]
    wrong = [f"{packed(each)}.{said}.{end}" for each in heads for end in (signature, "")]
    wrong += [f"{head}.{packed(other)}.{signature}", f"{head}.{said}.", f"{head}.{said}", f"{head}..{signature}", head]
    wrong += ["", ".", "..", "...", "é", f"{token}.", f"{token}.x", f"{token}é", token + "A" * 5000, token[:-4]]
    for each in wrong:
        with pytest.raises(BadToken):
            await one.read(each)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(text=st.text(max_size=100), at=st.integers(0, 400), letter=st.sampled_from("Aa0_-.="))
async def test_any_text_is_a_bad_token_and_no_error(maker: tuple[Tokens, str], text: str, at: int, letter: str) -> None:
    one, token = maker
    head, _, rest = token.partition(".")
    for each in (text, f"{head}.{text}", f"{head}.{text}.{text}", rest + text):
        with pytest.raises(BadToken):
            await one.read(each)
    changed = token[:at] + letter + token[at + 1 :]
    if at < len(token) - 1 and changed != token:  # the last letter has bits to spare
        with pytest.raises(BadToken):
            await one.read(changed)


@pytest.fixture
async def maker(store: Store) -> tuple[Tokens, str]:
    one = made(store)
    return one, await issued(one)


async def test_keys_change_and_the_old_ones_verify_while_their_tokens_live(store: Store) -> None:
    one = made(store)
    first = await issued(one)
    assert [row.id for row in await store.all("token_keys")] == ["1"]
    await issued(one, NOW + SIGNS_FOR - 1)
    assert [row.id for row in await store.all("token_keys")] == ["1"]
    changed = NOW + SIGNS_FOR
    second = await issued(one, changed)
    assert part(second, 0)["kid"] == "2"
    assert (await one.read(first)).username == (await one.read(second)).username
    over = changed + LIFETIME * SECOND + OVERLAP
    await issued(one, over)
    assert [row.id for row in await store.all("token_keys")] == ["1", "2"]
    await issued(one, over + 1)
    assert [row.id for row in await store.all("token_keys")] == ["2"]
    with pytest.raises(BadToken):
        await one.read(first)
    assert (await one.read(second)).username == "anne"


async def test_nodes_that_need_a_key_at_the_same_moment_make_one(store: Store) -> None:
    nodes = [made(store) for _ in range(8)]
    made_tokens = await asyncio.gather(*(issued(node) for node in nodes))
    assert len(await store.all("token_keys")) == 1
    for node in nodes:
        for token in made_tokens:
            assert (await node.read(token)).username == "anne"


async def test_secrets_are_sealed_and_sealed_anew_under_another_key(store: Store) -> None:
    token = await issued(made(store))
    (row,) = await store.all("token_keys")
    assert row.secret.startswith(SEALER.mark)
    newer = Sealer([Key("n" * 32), Key("k" * 32)])
    await made(store, newer).seal()
    (row,) = await store.all("token_keys")
    assert row.secret.startswith(newer.mark)
    assert (await made(store, Sealer([Key("n" * 32)])).read(token)).username == "anne"
    with pytest.raises(SettingError, match="token_keys/1/secret was sealed under key"):
        await made(store, SEALER).seal()


def test_the_head_is_known_octet_for_octet() -> None:
    from joserfc.jwk import OctKey

    key = tokens.TokenKey("7", 0, OctKey.import_key(b"s" * 43))
    claims = tokens.Claims(iss="", sub="", username="", tm_password=0, iat=0, exp=0, jti="")
    assert tokens.sign(key, claims).split(".")[0] in tokens.Ring([key]).by_head
