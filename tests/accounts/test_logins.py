import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from messagehub.accounts import logins


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
