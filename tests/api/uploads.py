"""Uploads as tests make them."""

import os

import httpx

from tests.media.samples import SAMPLES
from tests.support.api import Json, good
from tests.support.hub import Account


def upload(account: Account, octets: bytes, name: str = "cat.jpg", kind: str = "") -> httpx.Response:
    given = (name, octets, kind) if kind else (name, octets)
    return account.api.http.post("/media", files={"file": given})


def uploaded(account: Account, octets: bytes, name: str = "cat.jpg", kind: str = "") -> Json:
    return good(upload(account, octets, name, kind))


def large(size: int, seed: int = 0) -> bytes:
    """A JPEG of so many octets, which no other test has."""
    octets = SAMPLES["jpeg"]
    return octets + os.urandom(16) + bytes([seed]) * (size - len(octets) - 16)
