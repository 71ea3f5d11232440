"""TLS with carriers: the context that a config asks for, that of a simulated one, and in words what was wrong."""

import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

ENCRYPTED = "ENCRYPTED"
"""In the first line of a key that wants a passphrase, for which OpenSSL would ask the terminal."""


class Unusable(ValueError):
    """A member of the config that cannot be used; its name comes first."""


@lru_cache(maxsize=64)  # reading the system's certificates takes a while, and every bind asks again each time
def context(authorities: str, certificate: str, key: str, verify: bool) -> ssl.SSLContext:
    """PEM texts; without `authorities` those of the system. Unusable where one cannot be read."""
    made = _read("tls_ca", lambda: ssl.create_default_context(cadata=authorities or None))
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if certificate or key:
        _identify(made, certificate, key)
    return made


def _identify(made: ssl.SSLContext, certificate: str, key: str) -> None:
    """The ssl module reads a key from a file only: one that just we can read, and that is gone at once."""
    if not (certificate and key):
        missing, given = ("tls_key", "tls_certificate") if certificate else ("tls_certificate", "tls_key")
        raise Unusable(f"{missing}: it is needed where there is a {given}")
    if ENCRYPTED in key:
        raise Unusable("tls_key: it is encrypted; give it without a passphrase")
    from tempfile import NamedTemporaryFile  # it brings much along, and few carriers want a certificate

    with NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{key}\n{certificate}\n")
        file.flush()
        _read("tls_certificate and tls_key", lambda: made.load_cert_chain(file.name, password=""))


def serving(certificate: str, key: str) -> ssl.SSLContext:
    """What a message centre listens with, from PEM texts. Unusable where one cannot be read."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _identify(made, certificate, key)
    return made


def _read(member: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        words = "the key is not that of the certificate" if mismatch else "this is not in PEM form"
        raise Unusable(f"{member}: {words}") from None


# --- what was wrong with a connection -----------------------------------------------------

# OpenSSL's codes of verification (x509_vfy.h).
EXPIRED, NOT_YET, OTHER_NAME, OTHER_ADDRESS = 10, 9, 62, 64
UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)

WORDS_OF_VERIFICATION = {
    EXPIRED: "the carrier's certificate has expired",
    NOT_YET: "the carrier's certificate is not valid yet; is the clock of this machine right?",
    OTHER_NAME: "the carrier's certificate is for another name; put the name that it has into `tls_server_name`",
    OTHER_ADDRESS: "the carrier's certificate is for another address; put the name that it has into `tls_server_name`",
    **dict.fromkeys(
        UNKNOWN_AUTHORITY,
        "the carrier's certificate is of an authority that is not known here; put that of the authority into `tls_ca`",
    ),
}
WORDS_OF_REASON = {
    "WRONG_VERSION_NUMBER": "the carrier does not speak TLS at this port",
    "RECORD_LAYER_FAILURE": "the carrier does not speak TLS at this port",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the carrier wants a certificate of us: `tls_certificate` and `tls_key`",
    "TLSV1_ALERT_UNKNOWN_CA": "the carrier does not know the authority of our certificate",
    "TLSV1_ALERT_DECRYPT_ERROR": "the carrier does not accept our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the carrier does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate has expired",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the carrier and we have no way of TLS in common, or it wants a certificate of us",
}


WORDS_OF_SILENCE: dict[type[BaseException], str] = {
    TimeoutError: "no answer in time",
    ConnectionResetError: "the carrier hung up",
}
"""Errors that have no words of their own. What a carrier that expects no TLS makes of its beginning is one of them."""


def words(error: BaseException, with_tls: bool = False) -> str:
    """What went wrong with a connection, in words; those of the error itself where it is not of TLS.

    `with_tls` is for connections that were to begin with it.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return WORDS_OF_VERIFICATION.get(error.verify_code, f"the carrier's certificate: {error.verify_message}")
    if isinstance(error, ssl.SSLError) and error.reason:
        return WORDS_OF_REASON.get(error.reason, f"TLS: {error.reason.replace('_', ' ').lower()}")
    if not str(error) and type(error) in WORDS_OF_SILENCE:
        return WORDS_OF_SILENCE[type(error)] + "; does the carrier speak TLS at this port?" * with_tls
    return str(error) or type(error).__name__
