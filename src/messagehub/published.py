"""The addresses by which what is kept is fetched from outside: signed, and for a time only."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from messagehub.media import addresses

PATH = "/media/"


class Published:
    """`public_url` is how this server is reached from outside; `keys`: the first signs, all are believed; `lifetime` in
    microseconds."""

    def __init__(self, public_url: str, keys: Sequence[bytes], lifetime: int) -> None:
        self.public_url = public_url.rstrip("/")
        self._keys, self.lifetime = keys, lifetime

    def url(self, digest: str, now: int) -> str:
        """Where the content can be fetched for a while."""
        token = addresses.sign(digest, now + self.lifetime, self._keys[0])
        return f"{self.public_url}{PATH}{digest}?token={token}"

    def is_valid(self, digest: str, token: str, now: int) -> bool:
        return addresses.is_valid(digest, token, now, self._keys)

    def digest_of(self, url: str) -> str:
        """The digest in an address of ours, whether or not it can still be used; empty where it is none of ours."""
        if not url.startswith(self.public_url + PATH):
            return ""
        digest = urlsplit(url).path.rpartition("/")[2]
        return digest if addresses.is_digest(digest) else ""

    def renewed(self, url: str, now: int) -> str:
        """An address of ours that can be used for a while again; any other as it is."""
        digest = self.digest_of(url)
        return self.url(digest, now) if digest else url
