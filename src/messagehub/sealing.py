"""Secrets at rest: sealed with AES-256-GCM (NIST SP 800-38D) under a key that is not in the database.

What is sealed stands as `sealed:KEY:DATA`: which key it is, and the base64 of a nonce of 12 octets and the
ciphertext. It is bound to its place, so that a secret copied into another row does not open.
"""

import contextlib
import hashlib
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from messagehub.errors import SettingError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = "sealed:"
NONCE_OCTETS = 12
LEAST_CHARACTERS = 32
KEY_SUFFIX = ".key"
SQLITE = "sqlite:///"


class Key:
    """One key, from a text that is hard to guess. `id` tells keys apart and gives nothing of them away."""

    def __init__(self, text: str) -> None:
        self.id = self._derived(text, b"id").hex()[:8]
        self._octets = self._derived(text, b"seal")

    @staticmethod
    def _derived(text: str, purpose: bytes) -> bytes:
        return hashlib.blake2b(text.encode(), digest_size=32, person=b"mh " + purpose).digest()

    @cached_property
    def cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # heavy, and needed where a secret is

        return AESGCM(self._octets)


class Sealer:
    """Seals with the first of `keys`, and opens what any of them has sealed. Without keys, all stays in the clear."""

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        self._keys = {key.id: key for key in keys}
        self._first = keys[0] if keys else None

    def __bool__(self) -> bool:
        return self._first is not None

    def seal(self, text: str, place: str) -> str:
        """`text` for the store. `place` says where it will stand, such as `customers/ID/webhook_secret`."""
        if self._first is None or not text:
            return text
        nonce = secrets.token_bytes(NONCE_OCTETS)
        sealed = nonce + self._first.cipher.encrypt(nonce, text.encode(), place.encode())
        return f"{self.mark}{b64encode(sealed).decode()}"

    def unseal(self, kept: str, place: str) -> str:
        """What was sealed for this place; a text in the clear is given as it is. SettingError without its key."""
        if not kept.startswith(MARK):
            return kept
        key_id, _, data = kept.removeprefix(MARK).partition(":")
        key = self._keys.get(key_id)
        if key is None:
            raise SettingError(
                f"MESSAGEHUB_SECRET_KEY: {place} was sealed under key {key_id}, which is not given; "
                "put that key behind the new one, with a comma between them"
            )
        return _opened(key, b64decode(data), place)

    @property
    def mark(self) -> str:
        """How everything begins that is sealed under the first key; empty where nothing is sealed."""
        return f"{MARK}{self._first.id}:" if self._first else ""

    def is_current(self, kept: str) -> bool:
        """Whether it is kept as `seal` would keep it now."""
        return not kept or kept.startswith(self.mark)


def _opened(key: Key, octets: bytes, place: str) -> str:
    from cryptography.exceptions import InvalidTag

    try:
        text: bytes = key.cipher.decrypt(octets[:NONCE_OCTETS], octets[NONCE_OCTETS:], place.encode())
    except InvalidTag:
        raise SettingError(f"{place} in the store was not sealed for this place, or was changed") from None
    return text.decode()


def sealer(secret_key: str, database_url: str, is_used: bool) -> Sealer:
    """With the keys of the setting (the first seals, all open); else, for SQLite, with that of a file beside it.

    The file is made where there is none, unless the store `is_used`: then it holds what only the lost key opens.
    """
    texts = [text.strip() for text in secret_key.split(",") if text.strip()]
    if any(len(text) < LEAST_CHARACTERS for text in texts):
        raise SettingError(
            f"MESSAGEHUB_SECRET_KEY: a key has {LEAST_CHARACTERS} characters at least; "
            "`openssl rand -base64 32` makes one"
        )
    if not texts and database_url.startswith(SQLITE):
        texts = [_from_file(Path(database_url.removeprefix(SQLITE) + KEY_SUFFIX), is_used)]
    return Sealer([Key(text) for text in texts])


def _from_file(path: Path, is_used: bool) -> str:
    """The key in a file that only its owner can read."""
    if not path.exists():
        if is_used:
            raise SettingError(
                f"{path}: the key of the store's secrets is missing; put it there, or give it as MESSAGEHUB_SECRET_KEY"
            )
        try:
            write_key(path, b64encode(secrets.token_bytes(32)).decode())
        except OSError as error:
            raise SettingError(f"{path}: the key of the store's secrets cannot be written: {error}") from error
    return _read(path)


def write_key(path: Path, text: str) -> None:
    """Whole and on disk before it has its name; if another process was first, its key stays."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(new, path)
    new.unlink()


def _read(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: the key of the store's secrets cannot be read: {error}") from error
    if len(text) < LEAST_CHARACTERS:
        raise SettingError(f"{path}: this is no key: it has fewer than {LEAST_CHARACTERS} characters")
    return text
