"""Signatures: the published vector, and what the reference verifier says of ours."""

import hashlib
import hmac
import time
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from messagehub.webhooks.sign import new_secret, signatures

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector() -> None:
    headers = signatures([SECRET], ID, 1614265330, BODY)
    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
        "X-VoIPBIN-Signature": "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
    }


def test_signing_twice_says_the_same() -> None:
    assert signatures([SECRET], ID, 1614265330, BODY) == signatures([SECRET], ID, 1614265330, BODY)


def test_a_secret_is_32_octets_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(b64decode(s.removeprefix("whsec_"))) for s in secrets} == {32}


@pytest.mark.parametrize(
    "body", [b"{}", b'{"text": "\xea\xb0\x80 \xf0\x9f\x98\x80"}', b'"%d %s"', b'"' + b"x" * 70_000 + b'"']
)
def test_the_reference_verifier_agrees(body: bytes) -> None:
    secret = new_secret()
    headers = signatures([secret], "0199-aa", int(time.time()), body)
    Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)


def test_both_secrets_verify_while_one_takes_over_from_the_other() -> None:
    new, old = new_secret(), new_secret()
    headers = signatures([new, old], ID, int(time.time()), BODY)
    assert len(headers["webhook-signature"].split(" ")) == 2
    Webhook(new).verify(BODY, headers)
    Webhook(old).verify(BODY, headers)
    assert headers["X-VoIPBIN-Signature"] == "sha256=" + hmac.new(new.encode(), BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("secret", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_no base64!", "whsec_abc"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  binascii has its own kind of it
        signatures([secret], ID, 0, BODY)


def test_there_is_no_signing_without_a_secret() -> None:
    with pytest.raises(IndexError):
        signatures([], ID, 0, BODY)


@given(key=st.binary(min_size=1, max_size=200), body=st.binary(max_size=300))
def test_the_signatures_are_hmacs_of_any_key(key: bytes, body: bytes) -> None:
    secret = "whsec_" + b64encode(key).decode()
    headers = signatures([secret], "id", 7, body)
    signed = hmac.new(key, b"id.7." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + b64encode(signed).decode()
    of_text = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-VoIPBIN-Signature"] == f"sha256={of_text}"
