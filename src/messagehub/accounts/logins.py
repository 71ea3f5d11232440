"""Names and passwords. A password is kept as an argon2id hash, made in a thread since it takes 20 ms on purpose."""

import asyncio
from typing import TYPE_CHECKING

from messagehub.store import Insert

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB, TIME_COST, LANES = 19 * 1024, 2, 1
"""OWASP's recommendation for argon2id."""


async def new(username: str, password: str, customer_id: str, now: int) -> Insert:
    password_hash = await asyncio.to_thread(lambda: _hasher().hash(password))
    row = {"username": username, "customer_id": customer_id, "password_hash": password_hash, "tm_create": now}
    return Insert("insert_login", [row])


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # heavy to load, and needed when an account is made

    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)
