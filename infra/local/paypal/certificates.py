"""The simulator's own chain of certificates, made at first start: root, intermediate, and the leaf that signs webhooks.

The names are those of PayPal's chain; only the leaf's common name is looked at by those that verify.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.local.paypal.shapes import certificate_id
from infra.local.stores.home import write_private

if TYPE_CHECKING:
    from pathlib import Path

LEAF_NAME = "messageverificationcerts.paypal.com"
CERTIFICATES_PATH = "/v1/notifications/certs/"

_LIFE = timedelta(days=3650)
_RENEWED_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, the chain that vouches for it (PEM, leaf first), the root above that, and the id it is served under."""

    id: str
    key: rsa.RSAPrivateKey
    chain: str
    root: str

    def sign(self, message: bytes, algorithm: hashes.HashAlgorithm | None = None) -> str:
        """Return the signature as the header carries it: RSA PKCS#1 v1.5, SHA-256 unless said otherwise, Base64."""
        signature = self.key.sign(message, padding.PKCS1v15(), algorithm or hashes.SHA256())
        return base64.b64encode(signature).decode()

    def verifies(self, message: bytes, signature: str) -> bool:
        """Return whether this key signed the message with SHA-256."""
        try:
            raw = base64.b64decode(signature, validate=True)
            self.key.public_key().verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True

    @property
    def ends(self) -> datetime:
        """Return when the leaf runs out."""
        return x509.load_pem_x509_certificate(self.chain.encode()).not_valid_after_utc


def make_signer(*, began: datetime | None = None, life: timedelta = _LIFE) -> Signer:
    """Make a chain of three; `began` and `life` are the leaf's."""
    start = began or datetime.now(UTC) - timedelta(hours=1)
    root_key, middle_key, leaf_key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3))
    root_name, middle_name = _name("Simulator Root CA"), _name("Simulator Intermediate CA")
    over = min(start, datetime.now(UTC)) - timedelta(days=1)
    root = _issue(root_name, root_key, root_name, root_key, over, _LIFE + timedelta(days=365), path_length=1)
    middle = _issue(middle_name, middle_key, root_name, root_key, over, _LIFE + timedelta(days=180), path_length=0)
    leaf = _issue(_name(LEAF_NAME), leaf_key, middle_name, middle_key, start, life, path_length=None)
    return Signer(certificate_id(), leaf_key, _pem(leaf) + _pem(middle), _pem(root))


def load_or_make_signer(folder: Path) -> Signer:
    """Return the signer kept in `folder`; make one at first, and again when the old one is about to run out."""
    key_file, chain_file, root_file = folder / "signing.key", folder / "signing.pem", folder / "root.pem"
    id_file = folder / "signing.id"
    if id_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        kept = Signer(
            id_file.read_text(), cast("rsa.RSAPrivateKey", key), chain_file.read_text(), root_file.read_text()
        )
        if kept.ends - datetime.now(UTC) > _RENEWED_BEFORE:
            return kept
    signer = make_signer()
    private = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(key_file, private.decode())
    write_private(chain_file, signer.chain)
    write_private(root_file, signer.root)
    write_private(id_file, signer.id)  # last: with it the set is whole
    return signer


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "PayPal simulator"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _issue(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    start: datetime,
    life: timedelta,
    *,
    path_length: int | None,
) -> x509.Certificate:
    authority = path_length is not None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(LEAF_NAME)]), critical=False)
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
