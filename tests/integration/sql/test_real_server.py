"""A MySQL server that the owner provides is accessed over TLS, and set up by `up` with an administrator's URL."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from functions.accounts.repository import MySqlLoginStore
from functions.platform.errors import StoreUnavailable
from functions.platform.mysql import Database
from infra.local.home import CannotRun
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import load_or_make
from infra.local.stores.mariadb import mariadb
from tests.support.homes import free_home
from tests.support.mysql import running_mysql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mysql import Running

DAY = timedelta(days=1)


def write_certificate(
    folder: Path, name: str, signer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None
) -> x509.Name:
    """Write the certificate `name`.pem and its key `name`.key; return the certificate's subject.

    If `signer` is None, it is the certificate of a certificate authority. Otherwise, `signer` signs it, and it is the
    certificate of a server at 127.0.0.1.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer, signing_key = signer or (subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - DAY)
        .not_valid_after(datetime.now(UTC) + DAY)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
    )
    if signer:
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
    certificate = builder.sign(signing_key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return subject


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the certificates of an authority, a server that it signed, and an unrelated authority."""
    folder = tmp_path_factory.mktemp("tls")
    authority = write_certificate(folder, "authority", None)
    key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    write_certificate(folder, "server", (authority, key))
    write_certificate(folder, "stranger", None)
    return folder


@pytest.fixture(scope="module")
def tls(folder: Path) -> Iterator[Running]:
    """Run a server that requires TLS, as MySQL on Azure does."""
    options = (f"--ssl-cert={folder / 'server.pem'}", f"--ssl-key={folder / 'server.key'}")
    with running_mysql(folder / "home", options=options) as running:
        running.ask("SET GLOBAL require_secure_transport = ON")
        yield running


def test_call_goes_over_tls_to_a_server_that_the_authority_vouches_for(tls: Running, folder: Path) -> None:
    database = tls.database("logins", ca=str(folder / "authority.pem"))
    assert MySqlLoginStore(database).find_login("nobody@example.org", "$dummy").user_id == ""
    database.close()


def test_call_without_tls_is_refused_by_such_a_server(tls: Running) -> None:
    with pytest.raises(StoreUnavailable):
        tls.database("logins").call("get_login", "")


@pytest.mark.parametrize("authority", ["stranger.pem", "system"])
def test_server_that_nobody_vouches_for_is_not_spoken_to(tls: Running, folder: Path, authority: str) -> None:
    ca = authority if authority == "system" else str(folder / authority)
    with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
        tls.database("logins", ca=ca).call("get_login", "")


def test_server_of_another_name_is_not_spoken_to(tls: Running, folder: Path) -> None:
    url = tls.store.settings["LOGINS_DB_URL"].replace("127.0.0.1", "localhost")
    with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
        Database(url, str(folder / "authority.pem")).call("get_login", "")


def test_server_without_tls_is_not_spoken_to_where_it_is_asked_for(tmp_path: Path, folder: Path) -> None:
    with (
        running_mysql(tmp_path, options=("--skip-ssl",)) as plain,
        pytest.raises(StoreUnavailable, match="logins_db does not answer"),
    ):
        plain.database("logins", ca=str(folder / "authority.pem")).call("get_login", "")


def test_authority_that_cannot_be_read_is_told(tls: Running, folder: Path) -> None:
    with pytest.raises(StoreUnavailable, match="MYSQL_CA cannot be used"):
        tls.database("logins", ca=str(folder / "nothing.pem")).call("get_login", "")


def test_up_makes_a_real_server_ready_through_its_administrator(tls: Running, folder: Path, tmp_path: Path) -> None:
    home = free_home(tmp_path)
    home.make()
    ca = str(folder / "authority.pem")
    environment = {"MYSQL_ADMIN_URL": tls.admin_url, "MYSQL_CA": ca}
    store = mariadb(home, load_or_make(home.secrets_file), environment)
    supervisor = Supervisor([store.service], home=home)
    supervisor.start()
    supervisor.stop()
    assert store.settings["MYSQL_CA"] == ca
    assert tls.admin_url not in store.settings.values()
    database = Database(store.settings["LOGINS_DB_URL"], store.settings["MYSQL_CA"])
    assert database.call("get_login", "") == []
    database.close()


def test_up_tells_what_is_wrong_with_a_real_server(folder: Path, tmp_path: Path, tls: Running) -> None:
    home = free_home(tmp_path)
    home.make()
    credentials = load_or_make(home.secrets_file)
    with pytest.raises(CannotRun, match="MYSQL_ADMIN_URL must have the form"):
        mariadb(home, credentials, {"MYSQL_ADMIN_URL": "db.example"})
    from dataclasses import replace

    store = mariadb(home, credentials, {"MYSQL_ADMIN_URL": tls.admin_url, "MYSQL_CA": str(folder / "stranger.pem")})
    with pytest.raises(CannotRun, match=r"MySQL did not answer in 0 s \(.*certificate verify failed"):
        Supervisor([replace(store.service, start_s=0.1)], home=home).start()
