"""The simulator's certificate chain, created at first start: root, intermediate, and the leaf that signs webhooks.

The leaf has the common name of PayPal's own leaf; this is the only name that a verification checks.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.local.home import write_private

if TYPE_CHECKING:
    from pathlib import Path

LEAF_NAME = "messageverificationcerts.paypal.com"
CERTIFICATES_PATH = "/v1/notifications/certs/"
ROOT_FILE = "root.pem"
"""The file name of the root certificate in the simulator's folder."""

_LIFE = timedelta(days=3650)
_RENEW_BEFORE = timedelta(days=30)
_OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, its certificate chain (PEM, leaf first), and the id of the chain in its URL."""

    id: str
    key: rsa.RSAPrivateKey
    chain: str

    def sign(self, message: bytes, algorithm: hashes.HashAlgorithm | None = None) -> str:
        """Return the signature in Base64: RSA PKCS#1 v1.5 with SHA-256 unless another algorithm is given."""
        signature = self.key.sign(message, padding.PKCS1v15(), algorithm or hashes.SHA256())
        return base64.b64encode(signature).decode()

    @property
    def expires_at(self) -> datetime:
        """Return when the leaf expires."""
        return x509.load_pem_x509_certificate(self.chain.encode()).not_valid_after_utc


@dataclass(frozen=True, slots=True)
class Authority:
    """A root (PEM), and the intermediate certificate and key that sign leaf certificates."""

    root: str
    middle: x509.Certificate
    key: rsa.RSAPrivateKey

    def issue(
        self, *, name: str = LEAF_NAME, began: datetime | None = None, life: timedelta = _LIFE - timedelta(days=1)
    ) -> Signer:
        """Return a new signer whose leaf has this common name and is valid from `began`, by default from now on."""
        key = _new_key()
        start = began or datetime.now(UTC) - _OVERLAP
        leaf = _issue(_subject(name), key, self.middle.subject, self.key, start, life, path_length=None)
        return Signer(_new_certificate_id(), key, _pem(leaf) + _pem(self.middle))


def make_authority() -> Authority:
    """Create a root and an intermediate."""
    root_key, middle_key = _new_key(), _new_key()
    root_name, middle_name = _subject("Simulator Root CA"), _subject("Simulator Intermediate CA")
    start = datetime.now(UTC) - _OVERLAP
    root = _issue(root_name, root_key, root_name, root_key, start, _LIFE, path_length=1)
    middle = _issue(middle_name, middle_key, root_name, root_key, start, _LIFE, path_length=0)
    return Authority(_pem(root), middle, middle_key)


def load_or_make(folder: Path) -> tuple[Authority, Signer]:
    """Return the authority and the signer stored in `folder`; create new ones if they are missing or expire soon."""
    root, middle, leaf = folder / ROOT_FILE, folder / "intermediate", folder / "leaf"
    id_file = folder / "leaf.id"
    if id_file.exists():
        authority = Authority(
            root.read_text(), x509.load_pem_x509_certificate(_read(middle, "pem")), _load_key(_read(middle, "key"))
        )
        signer = Signer(id_file.read_text(), _load_key(_read(leaf, "key")), _read(leaf, "pem").decode())
        if signer.expires_at - datetime.now(UTC) > _RENEW_BEFORE:
            return authority, signer
    authority = make_authority()
    signer = authority.issue()
    write_private(root, authority.root)
    for file, chain, key in ((middle, _pem(authority.middle), authority.key), (leaf, signer.chain, signer.key)):
        write_private(file.with_suffix(".pem"), chain)
        write_private(file.with_suffix(".key"), _key_text(key))
    write_private(id_file, signer.id)  # last: its existence shows that the set is complete
    return authority, signer


def _read(file: Path, kind: str) -> bytes:
    return file.with_suffix(f".{kind}").read_bytes()


def _new_certificate_id() -> str:
    return f"CERT-{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _load_key(text: bytes) -> rsa.RSAPrivateKey:
    return cast("rsa.RSAPrivateKey", serialization.load_pem_private_key(text, None))


def _key_text(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _subject(common: str) -> x509.Name:
    return x509.Name.from_rfc4514_string(f"CN={common},O=PayPal simulator,C=US")


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
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not authority:
        (common,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = [x509.DNSName(str(common.value))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    allowed = {"key_cert_sign", "crl_sign"} if authority else {"digital_signature", "key_encipherment"}
    names = signature(x509.KeyUsage).parameters
    return x509.KeyUsage(**{name: name in allowed for name in names})


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
