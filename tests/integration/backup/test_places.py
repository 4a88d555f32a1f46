"""A backup in another storage account: what is written is read back, and a container that is not fit is refused."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    ResourceTypes,
    generate_account_sas,
    generate_container_sas,
)

from infra.local.backup import places
from infra.local.backup.archive import Backup, NewBackup
from infra.local.backup.places import Container
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def account(stack: Stack) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(stack.environment["AzureWebJobsStorage"]) as service:
        yield service


@contextmanager
def new_container(account: BlobServiceClient, *, public: bool = False) -> Iterator[ContainerClient]:
    """Yield a new container of the account, which is deleted afterwards."""
    container = account.get_container_client(f"backup-{uuid.uuid4().hex[:12]}")
    container.create_container(public_access="blob" if public else None)
    try:
        yield container
    finally:
        container.delete_container()


@pytest.fixture
def container(account: BlobServiceClient) -> Iterator[ContainerClient]:
    with new_container(account) as made:
        yield made


def place_in(container: ContainerClient, *, permission: str = "rwcl", valid_h: float = 1) -> Container:
    """Return the container as a place that is reached with a SAS."""
    sas = generate_container_sas(
        str(container.account_name),
        container.container_name,
        container.credential.account_key,
        permission=ContainerSasPermissions.from_string(permission),
        expiry=datetime.now(UTC) + timedelta(hours=valid_h),
    )
    return Container(container.url, sas)


def write_backup(place: Container) -> None:
    backup = NewBackup(place)
    with backup.file("blobs/00000.content") as file:
        for start in range(0, len(CONTENT), 1000):
            file.write(CONTENT[start : start + 1000])
    with backup.file("blobs/00000.index") as file:
        file.write(b"one\ntwo\n")
    with backup.file("data/mail/empty"):
        pass
    backup.finish(version="0.2.0", made_at="2026-11-27T04:26:20Z", migrations={"logins": 3})


def test_backup_in_a_container_is_read_back(container: ContainerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(places, "READ_BYTES", 700)
    write_backup(place_in(container))
    backup = Backup.of(place_in(container, permission="rl"))
    with backup.open("blobs/00000.content") as file:
        assert file.seek(4000) == 4000
        assert file.read(2500) == CONTENT[4000:6500]
        file.seek(0)
        assert file.read() == CONTENT
    with backup.open("blobs/00000.index") as file:
        assert list(file) == [b"one\n", b"two\n"]
    assert backup.names("data") == ["data/mail/empty"]
    committed, _ = container.get_blob_client("blobs/00000.content").get_block_list("all")
    assert len(committed) == 4


def test_container_is_made_if_the_sas_permits(account: BlobServiceClient) -> None:
    container = account.get_container_client(f"backup-{uuid.uuid4().hex[:12]}")
    with pytest.raises(CannotRun, match=r"There is no container .* create it first"):
        write_backup(place_in(container))
    sas = generate_account_sas(
        str(account.account_name),
        account.credential.account_key,
        resource_types=ResourceTypes(container=True, object=True),
        permission=AccountSasPermissions(read=True, write=True, create=True, list=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    write_backup(Container(container.url, sas))
    assert Backup.of(place_in(container)).manifest.version == "0.2.0"
    container.delete_container()


def test_container_that_is_not_empty_is_refused(container: ContainerClient) -> None:
    write_backup(place_in(container))
    before = sorted(container.list_blob_names())
    with pytest.raises(CannotRun, match="is not empty; name an empty container"):
        write_backup(place_in(container))
    assert sorted(container.list_blob_names()) == before


def test_container_that_strangers_can_read_is_refused(account: BlobServiceClient) -> None:
    with new_container(account, public=True) as container:
        with pytest.raises(CannotRun, match="Everybody can read"):
            write_backup(place_in(container))
        assert list(container.list_blob_names()) == [places.STARTED]


def test_damaged_blob_is_named(container: ContainerClient) -> None:
    write_backup(place_in(container))
    container.upload_blob("blobs/00000.index", b"one\nTwo\n", overwrite=True)
    with pytest.raises(CannotRun, match=r"00000\.index is damaged"):
        Backup.of(place_in(container))
    container.delete_blob("blobs/00000.index")
    with pytest.raises(CannotRun, match=r"00000\.index cannot be read"):
        Backup.of(place_in(container))


def test_blob_that_changes_while_it_is_read_is_refused(
    container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "READ_BYTES", 700)
    write_backup(place_in(container))
    with Backup.of(place_in(container)).open("blobs/00000.content") as file:
        file.read(10)
        container.upload_blob("blobs/00000.content", CONTENT[::-1], overwrite=True)
        with pytest.raises(CannotRun, match="ConditionNotMet"):
            file.read()


def test_interrupted_backup_is_refused(container: ContainerClient) -> None:
    backup = NewBackup(place_in(container))
    with pytest.raises(RuntimeError), backup.file("mysql.sql") as file:
        file.write(b"INSERT")
        raise RuntimeError
    assert list(container.list_blob_names()) == [places.STARTED], "an unfinished file does not appear"
    with pytest.raises(CannotRun, match="is not a complete backup"):
        Backup.of(place_in(container))


def test_refusals_say_what_to_do_and_keep_the_signature_secret(container: ContainerClient) -> None:
    for place in (place_in(container, valid_h=-1), place_in(container, permission="rl")):
        with pytest.raises(CannotRun, match=r"refused a request \(Auth.*Use a SAS that is valid") as told:
            write_backup(place)
        assert "sig=" not in str(told.value)
