"""Credentials that were good once, or never, and some that are: for a hub whose store a test can open."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey

from messagehub import clock
from messagehub.accounts import keys
from messagehub.sealing import sealer
from messagehub.store import Insert, open_store
from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Hub

PASSWORD = "long enough"


def made(hub: Hub) -> Json:
    """A new customer, as POST /customers answers it, with its `username` and a `login` token."""
    name = numbering.own()
    customer = hub.admin.post("/customers", {"name": name, "username": name, "password": PASSWORD})
    return {**customer, "username": name, "login": login(hub, name)}


def login(hub: Hub, username: str, password: str = PASSWORD) -> str:
    token: str = hub.caller().post("/auth/login", {"username": username, "password": password})["token"]
    hub.keys.append(token)
    return token


class Forger:
    """Whoever has the hub's own secrets: makes tokens that differ from real ones in one thing alone."""

    def __init__(self, hub: Hub) -> None:
        self.customer = made(hub)
        self.url = hub.env["MESSAGEHUB_DATABASE_URL"]
        self.kid, self.secret = asyncio.run(self._newest())
        real = jwt.decode(self.customer["login"], OctKey.import_key(self.secret.encode()), algorithms=["HS256"])
        self.claims = dict(real.claims)

    async def _newest(self) -> tuple[str, str]:
        store = await open_store(self.url)
        try:
            row = (await store.all("token_keys"))[-1]
        finally:
            await store.close()
        return row.id, sealer("", self.url, is_used=True).unseal(row.secret, f"token_keys/{row.id}/secret")

    def token(self, head: Json | None = None, secret: str = "", **claims: Any) -> str:
        header = {"typ": "JWT", "alg": "HS256", "kid": self.kid, **(head or {})}
        key = OctKey.import_key((secret or self.secret).encode())
        return jwt.encode(header, {**self.claims, **claims}, key, algorithms=["HS256", "HS512"])

    def expired_key(self) -> str:
        key, kept = keys.issue(self.customer["id"], "expired", clock.now(), clock.now() - 1)
        asyncio.run(self._write(kept))
        return key

    async def _write(self, kept: keys.AccessKey) -> None:
        store = await open_store(self.url)
        try:
            await store.write([Insert("insert_accesskey", [kept])])
        finally:
            await store.close()


def unsigned_head(kid: str) -> str:
    head = json.dumps({"typ": "JWT", "alg": "none", "kid": kid}, separators=(",", ":"))
    return urlsafe_b64encode(head.encode()).decode().rstrip("=")


def bad_ones(hub: Hub) -> dict[str, str]:
    """By what is wrong with them."""
    forger, gone, changed = Forger(hub), made(hub), made(hub)
    revoked = hub.caller(forger.customer["accesskey"]).post("/accesskeys", {"name": "to be revoked"})
    hub.admin.delete(f"/accesskeys/{revoked['id']}")
    hub.admin.delete(f"/customers/{gone['id']}")
    hub.admin.put(f"/customers/{changed['id']}", {"password": "another password"})
    token = forger.customer["login"]
    head, said, signature = token.split(".")
    now = int(time.time())
    return {
        "an expired key": forger.expired_key(),
        "a revoked key": revoked["token"],
        "the key of a deleted customer": gone["accesskey"],
        "the token of a deleted customer": gone["login"],
        "a token of the password before": changed["login"],
        "an expired token": forger.token(iat=now - 90, exp=now - 1),
        "another's name": forger.token(username=changed["username"]),
        "another's id": forger.token(sub=changed["id"]),
        "a name of nobody's": forger.token(username="nobody"),
        "another payload": f"{head}.{forger.token(exp=now + 10**8).split('.')[1]}.{signature}",
        "no signature": f"{head}.{said}.",
        "another secret": forger.token(secret="x" * 43),
        "alg none": f"{unsigned_head(forger.kid)}.{said}.",
        "alg HS512": forger.token({"alg": "HS512"}),
        "an unknown kid": forger.token({"kid": "99"}),
        "more than a token can be": forger.token(more="x" * 5000),
    }
