"""Passwords, kept as argon2id hashes. A hash takes 20 ms and 19 MiB on purpose: so in a thread, and few at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")

MEMORY_KIB, TIME_COST, LANES = 19 * 1024, 2, 1
"""OWASP's recommendation for argon2id."""

AT_ONCE = 2
_threads = ThreadPoolExecutor(AT_ONCE, "passwords")


async def hashed(password: str) -> str:
    return await _in_thread(lambda: _hasher().hash(password))


async def matches(password: str, kept: str | None) -> bool:
    """Whether `kept` is the hash of the password. Where nothing is kept, the answer takes as long, and is no."""
    return await _in_thread(lambda: _verified(password, kept))


def is_dated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(kept)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


def _verified(password: str, kept: str | None) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    nobodys = _of_nobody()
    try:
        return _hasher().verify(nobodys if kept is None else kept, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _of_nobody() -> str:
    return _hasher().hash("")


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # heavy to load, and needed when somebody logs in

    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)
