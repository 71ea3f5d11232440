"""An authority of the tests' own: certificates for message centres and for us."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
NO_PASSPHRASE = serialization.NoEncryption()


class Authority:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = name("Authority of the tests")
        made = builder(self._name, self._name, self._key, 30)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        made = made.add_extension(key_usage(), critical=True)
        key_id = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self.pem = pem(made.add_extension(key_id, critical=False).sign(self._key, hashes.SHA256()))

    def certificate(self, host: str = "127.0.0.1", days: int = 10, passphrase: str = "") -> tuple[str, str]:
        """PEM of a certificate that ends in so many days, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = builder(name(host), self._name, key, days).add_extension(names(host), critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(authority, critical=False)
        return pem(made.sign(self._key, hashes.SHA256())), key_pem(key, passphrase)

    def serving(self, host: str = "127.0.0.1", days: int = 10, wants_ours: bool = False) -> ssl.SSLContext:
        """What a message centre with such a certificate listens with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = self.certificate(host, days)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "both.pem"
            path.write_text(certificate + key)
            context.load_cert_chain(path)
        if wants_ours:
            context.load_verify_locations(cadata=self.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def names(host: str) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    except ValueError:
        return x509.SubjectAlternativeName([x509.DNSName(host)])


def builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
    )


def key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: str = "") -> str:
    how = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else NO_PASSPHRASE
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()
