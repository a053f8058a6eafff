"""A CA of the tests' own, and certificates of a server on this machine that it signs.

moto, the S3 server of the tests, brings the library.
"""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


class PrivateCA:
    """A CA that no machine trusts unless it is told to. Its certificate is in `file`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "ca.pem"
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file.write_bytes(self._sign("ca", self.key, timedelta(days=1)).public_bytes(PEM))

    def server(self, valid: timedelta) -> ssl.SSLContext:
        """What a server on 127.0.0.1 shows: a certificate that ends in so long, or ended so long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        file = self.folder / f"server-{valid.total_seconds():.0f}.pem"
        secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(self._sign("server", key, valid).public_bytes(PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(self, subject: str, key: ec.EllipticCurvePrivateKey, valid: timedelta) -> x509.Certificate:
        now = datetime.now(UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + valid)
            .add_extension(x509.BasicConstraints(ca=subject == "ca", path_length=None), critical=True)
            .add_extension(here, critical=False)
            .sign(self.key, hashes.SHA256())
        )
