"""What tests of the dialects of aggregators share, and their signatures, written by their pages and not by our code."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from messagehub.carriers.callbacks import Callback
from messagehub.carriers.carrier import Handover, Medium
from messagehub.carriers.dialect import Ready
from messagehub.clock import SECOND
from messagehub.text import cut
from messagehub.web import Answer

NOW = 1_790_000_000 * SECOND
KEY = ("0192f0c1-7a3e-7c4d-9b1a-000000000001", 0)
SOURCE, DESTINATION = "+15551234567", "+15559876543"
PICTURE = Ready("image/jpeg", "a.jpg", url="https://hub.example.com/media/ab?token=cd")
CARD = Ready("text/vcard", "b.vcf", url="https://hub.example.com/media/ef?token=01")


def sms(text: str = "hello", **members: Any) -> Handover:
    return Handover(KEY, SOURCE, DESTINATION, cut(text, 7), text=text, **members)


def mms(text: str = "look", **members: Any) -> Handover:
    return sms(text, media=[Medium("image/jpeg", "ab", 1)], **members)


def answer(status: int, body: Any = b"", **headers: str) -> Answer:
    octets = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, octets)


def called(url: str, body: bytes = b"", method: str = "POST", **headers: str) -> Callback:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Callback(method, "", {}, given, body, url, "203.0.113.7")


# --- as Twilio signs (usage/security: the URL, then each field's name and value in the order of the names)


def twilio_signature(token: str, url: str, form: Mapping[str, str]) -> str:
    told = url
    for name in sorted(form):
        told += name + form[name]
    return base64.b64encode(hmac.new(token.encode(), told.encode(), hashlib.sha1).digest()).decode()


def from_twilio(token: str, url: str, form: Mapping[str, str], signed_url: str = "") -> Callback:
    signature = twilio_signature(token, signed_url or url, form)
    return called(url, urlencode(form).encode(), x_twilio_signature=signature)


# --- as Telnyx signs (receiving-webhooks: Ed25519 over the time in seconds, a bar, and the body)

PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = base64.b64encode(PRIVATE_KEY.public_key().public_bytes_raw()).decode()


def telnyx_headers(body: bytes, seconds: int) -> dict[str, str]:
    signature = base64.b64encode(PRIVATE_KEY.sign(str(seconds).encode() + b"|" + body)).decode()
    return {"telnyx-signature-ed25519": signature, "telnyx-timestamp": str(seconds)}


def from_telnyx(event: Any, seconds: int = NOW // SECOND) -> Callback:
    body = msgspec.json.encode(event)
    return called("https://hub.example.com/callbacks/c", body, **telnyx_headers(body, seconds))
