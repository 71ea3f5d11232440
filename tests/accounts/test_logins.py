"""Logins: passwords kept as hashes, and whoever guesses is slowed."""

import asyncio
import re
import time

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from messagehub.accounts import logins, passwords
from messagehub.accounts.attempts import FREE_PER_NAME
from messagehub.accounts.logins import MAX_WAITING
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from tests.accounts.house import NOW, PASSWORD, House


async def test_a_password_is_kept_as_a_hash_that_knows_it_again() -> None:
    one, other = [await logins.new("anne", "pässword", "c", 1) for _ in range(2)]
    (row,), (again,) = one.rows, other.rows
    assert isinstance(row, dict)
    assert isinstance(again, dict)
    assert row["password_hash"].startswith("$argon2id$")
    assert row["password_hash"] != again["password_hash"]
    assert "pässword" not in str(row)
    assert PasswordHasher().verify(row["password_hash"], "pässword")
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(row["password_hash"], "password")


async def test_what_matches() -> None:
    kept = await passwords.hashed(PASSWORD)
    assert await passwords.matches(PASSWORD, kept)
    assert not await passwords.matches(PASSWORD + " ", kept)
    for nothing in (None, "", "no hash", kept[:-5], kept[:30]):
        assert not await passwords.matches("", nothing)


async def test_the_loop_goes_on_while_a_password_is_looked_at() -> None:
    kept = await passwords.hashed(PASSWORD)
    for work in (passwords.hashed(PASSWORD), passwords.matches(PASSWORD, kept), passwords.matches(PASSWORD, None)):
        task, turns = asyncio.ensure_future(work), 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 20


async def test_an_unknown_name_and_a_wrong_password_get_the_same_answer_in_the_same_time(house: House) -> None:
    await house.account()
    answers, times = set(), {"anne": 9.0, "nobody": 9.0}
    for username, password in (("anne", "wrong"), ("nobody", PASSWORD)) * 4:
        begin = time.perf_counter()
        with pytest.raises(Refusal) as caught:
            await house.token(username, password)
        times[username] = min(times[username], time.perf_counter() - begin)
        answers.add((caught.value.reason, caught.value.message))
    assert len(answers) == 1
    assert times["nobody"] > times["anne"] / 2  # a name that is not there spends a hash, too


async def test_a_dated_hash_is_made_anew_when_its_owner_logs_in(house: House) -> None:
    await house.account()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    row = await house.store.one("login_by_username", username="anne")
    assert row
    await house.store.run("rehash_password", username="anne", password_hash=weak, before=row.password_hash)
    token = await house.token()
    kept = await house.store.one("login_by_username", username="anne")
    assert kept
    assert "m=19456,t=2,p=1" in kept.password_hash
    assert kept.tm_password == row.tm_password
    assert await house.callers.caller(token, NOW)
    assert await house.token()


async def test_failures_are_slowed_before_a_hash_is_spent(house: House) -> None:
    await house.account()
    for _ in range(FREE_PER_NAME):
        with pytest.raises(Refusal, match="INVALID_CREDENTIALS"):
            await house.token(password="wrong")
    begin = time.process_time()
    for _ in range(20):
        with pytest.raises(Refusal, match="RATE_LIMIT_EXCEEDED") as caught:
            await house.token()  # the right password is no way out
    assert time.process_time() - begin < 0.5  # twenty hashes take longer
    assert caught.value.retry_after == 1
    assert await house.token(address="elsewhere")
    assert await house.logins.token("anne", PASSWORD, "a", NOW + SECOND)


async def test_many_tries_at_once_are_no_more_tries(house: House) -> None:
    await house.account()
    tries = [house.token(password=f"wrong {n}") for n in range(40)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    reasons = [answer.reason for answer in answers if isinstance(answer, Refusal)]
    assert FREE_PER_NAME <= reasons.count("INVALID_CREDENTIALS") < FREE_PER_NAME + passwords.AT_ONCE
    assert reasons.count("RATE_LIMIT_EXCEEDED") == 40 - reasons.count("INVALID_CREDENTIALS")


async def test_the_owner_may_log_in_many_times_at_once(house: House) -> None:
    await house.account()
    assert len(set(await asyncio.gather(*(house.token() for _ in range(20))))) == 20


async def test_only_so_many_wait_for_their_turn(house: House) -> None:
    tries = [house.token(f"name {n}", "wrong", f"address {n}") for n in range(MAX_WAITING + 20)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    reasons = [answer.reason for answer in answers if isinstance(answer, Refusal)]
    assert reasons.count("SERVICE_UNAVAILABLE") == 20
    assert reasons.count("INVALID_CREDENTIALS") == MAX_WAITING


async def test_a_wrong_password_changes_no_password(house: House) -> None:
    await house.account()
    with pytest.raises(Refusal, match="INVALID_CREDENTIALS: password: "):
        await house.logins.change_password("anne", "wrong", "another horse", "a", NOW)
    assert await house.token()


async def test_a_customer_without_a_login_has_no_password_to_reset(house: House) -> None:
    with pytest.raises(Refusal, match="STATE_INVALID: password: "):
        await house.logins.reset_password("nobody", "a password", NOW)


async def test_no_password_shows_in_what_is_kept_or_refused(house: House) -> None:
    account = await house.account()
    row = await house.store.one("login_by_username", username="anne")
    assert PASSWORD not in str(row)
    assert PASSWORD not in repr(await house.logins.get("anne"))
    assert not re.search("hash|argon", repr(await house.logins.get("anne")))
    assert account.customer.id
