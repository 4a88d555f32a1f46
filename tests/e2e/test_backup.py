"""Backup and restore: a product is backed up while it runs and restored into an empty folder; nothing differs.

The backup is in another storage account; the data of the previous release are restored from a folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.storage.blob import AccountSasPermissions, BlobServiceClient, ResourceTypes, generate_account_sas
from pymongo import MongoClient

from infra.local.backup.archive import Backup
from infra.local.backup.mysql import MySql
from infra.local.backup.places import SAS, Folder
from infra.local.home import REPOSITORY
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.azurite import SETTING, azurite
from infra.local.stores.credentials import load_or_make
from infra.local.stores.mariadb import SQL
from infra.migrations.files import read_folders
from tests.support.homes import free_home
from tests.support.media import Film, Sound, make_film
from tests.support.product import Product, running_product
from tests.support.product_content import answers, differences, graph_of, stored_files, without_verification
from tests.support.releases import backup_of_release
from tests.support.uploads import Storefront
from tests.support.viewers import (
    PASSWORD,
    TIMEOUT_S,
    as_owner,
    let_in,
    make_confirmed_viewer,
    make_protected_administrator,
    make_viewer,
    soon,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.authenticators import AuthenticatorApp
    from tests.support.viewers import SomeViewer

ENCODED_WITHIN_S = 300
CODE_S = 10
"""The seconds between two attempts to log in with a code; each code lasts longer, and is accepted once."""

LOGINS = 2
"""The viewer logs in before and after the confirmation of the address."""

ACTIONS = {"grant_access", "make_administrator", "publish_page"}
IMPRINT = "# Imprint\n\nNotflix, Harbour Road 1."


@dataclass(frozen=True, slots=True)
class Original:
    """A product with a viewer and an administrator, whose second factor is `app`; both did nothing after `until`."""

    product: Product
    viewer: SomeViewer
    administrator: SomeViewer
    app: AuthenticatorApp
    until: datetime


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Yield the address of a container that does not exist yet in another storage account, and a SAS that may make it.

    The account is an Azurite of its own.
    """
    home = free_home(tmp_path_factory.mktemp("other-account"))
    home.make()
    store = azurite(home, load_or_make(home.secrets_file), {})
    supervisor = Supervisor([store.service], home=home)
    supervisor.start()
    with BlobServiceClient.from_connection_string(store.settings[SETTING]) as service:
        sas = generate_account_sas(
            str(service.account_name),
            service.credential.account_key,
            resource_types=ResourceTypes(container=True, object=True),
            permission=AccountSasPermissions(read=True, write=True, create=True, list=True),
            expiry=datetime.now(UTC) + timedelta(hours=2),
        )
        yield service.get_container_client("backup").url, sas
    supervisor.stop()


@pytest.fixture(scope="module")
def original(container: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    """Yield a product with a film and a subscriber who has watched it, after a backup of all that."""
    address, sas = container
    with running_product() as product:
        viewer = fill(product, tmp_path_factory.mktemp("film"))
        administrator, app = make_protected_administrator(product)
        publish_imprint(product)
        await_records(product, viewer)
        until = datetime.now(UTC)
        made = product.run("backup", f"{address}?{sas}")
        assert made.returncode == 0, made.stdout + made.stderr
        assert sas not in made.stdout + made.stderr
        yield Original(product, viewer, administrator, app, until)


@pytest.fixture(scope="module")
def restored(
    original: Original, container: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """Yield a product that was restored from the backup in the other account into another folder."""
    address, sas = container
    product = Product(free_home(tmp_path_factory.mktemp("restored")))
    for done in (
        Product(product.home, {SAS: sas}).run("restore", address),
        product.run("up", "--detach", "--empty"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr
    yield product
    assert product.run("down").returncode == 0


def fill(product: Product, folder: Path) -> SomeViewer:
    """Encode a film, and let a viewer subscribe, pay, watch it, rate it and put it on the list."""
    endpoints = product.endpoints
    storefront = Storefront(endpoints)
    sent = storefront.send("A Film (2020).mp4", make_film(Film(frames=145, sounds=(Sound(440),)), folder))
    assert storefront.ended([sent], within_s=ENCODED_WITHIN_S)[sent.blob]["status"] == "ready"
    storefront.close()
    viewer = make_confirmed_viewer(product)
    let_in(endpoints, make_viewer(endpoints))
    plan = requests.get(f"{endpoints['api']}/api/plans", timeout=TIMEOUT_S).json()["plans"][0]["id"]
    begun = viewer.ask("POST", "subscriptions", {"plan_id": plan}).json()
    control = f"{endpoints['paypal']}/_simulator/subscriptions/{begun['subscription_id']}/approve"
    assert requests.post(control, timeout=TIMEOUT_S).ok
    soon(lambda: viewer.entitlement()["entitled"])
    soon(lambda: viewer.ask("GET", "payments").json()["payments"])
    opened = viewer.ask("POST", f"titles/{sent.title_id}/playback")
    assert opened.ok, opened.text
    beat = {"ticket": opened.json()["usage_ticket"], "sequence": 1, "position_s": 4.5, "watched_s": 4.5}
    assert requests.put(f"{endpoints['api']}/api/usage/{sent.title_id}", json=beat, timeout=TIMEOUT_S).ok
    assert viewer.ask("PUT", f"ratings/{sent.title_id}", {"rating": 1}).ok
    assert viewer.ask("PUT", f"list/{sent.title_id}").ok
    return viewer


def publish_imprint(product: Product) -> None:
    """Write one of the owner's pages."""
    answer = as_owner(product.endpoints, "PUT", "pages/imprint", {"markdown": IMPRINT})
    assert answer.ok, answer.text


def await_records(product: Product, viewer: SomeViewer) -> None:
    """Wait until everything that the functions do afterwards is done: records of logins and actions, and the graph."""

    def are_recorded() -> bool:
        entries = as_owner(product.endpoints, "GET", "audit?limit=100").json()["entries"]
        return {entry["action"] for entry in entries} >= ACTIONS and all(entry["outcome"] for entry in entries)

    soon(are_recorded)
    soon(lambda: len(viewer.ask("GET", "me/logins").json()["logins"]) >= LOGINS)
    soon(lambda: (known := graph_of(product)).viewings and known.opinions)


def content_of(product: Product, original: Original) -> dict[str, Any]:
    """Return everything that must be equal in the original and in the restored product, by name."""
    found = answers(product, original.viewer.email, until=original.until)
    page = found["owner jobs"]
    assert page["spending"]["encode_microusd"] > 0
    found["owner jobs"] = [without_verification(job) for job in page["jobs"]]
    return {**found, **stored_files(product)}


@pytest.mark.extended
def test_restored_product_is_equal(original: Original, restored: Product) -> None:
    """Both are asked until they are equal, because each finishes at its own time what was queued at the backup."""
    contents: list[dict[str, Any]] = []

    def are_equal() -> bool:
        contents[:] = [content_of(product, original) for product in (original.product, restored)]
        found = differences(*contents)
        print(*found, sep="\n")
        return not found

    soon(are_equal, every_s=3)
    _, after = contents
    assert after["owner jobs"] and after["owner administrators"]["administrators"]
    assert after["viewer usage"]["entries"] and after["viewer payments"]["payments"]
    assert len(after["viewer me/logins?limit=100"]["logins"]) >= LOGINS
    assert {entry["action"] for entry in after["owner audit?limit=100"]["entries"]} >= ACTIONS
    assert IMPRINT in {page["markdown"] for page in after["owner pages"]}
    assert {path.partition("/")[0] for path in after if "/" in path} >= {"$web", "uploads"}


@pytest.mark.extended
def test_restored_second_factor_is_asked_for_and_valid(original: Original, restored: Product) -> None:
    api = f"{restored.endpoints['api']}/api"
    credentials = {"email": original.administrator.email, "password": PASSWORD}

    def session() -> dict[str, Any]:
        asked = requests.post(f"{api}/sessions", json=credentials, timeout=TIMEOUT_S).json()
        answer = {"ticket": asked["ticket"], "code": original.app.code(datetime.now(UTC))}
        opened = requests.post(f"{api}/sessions/second-factor", json=answer, timeout=TIMEOUT_S)
        found: dict[str, Any] = opened.json() if opened.ok else {}
        return found

    headers = {"Authorization": f"Bearer {soon(session, every_s=CODE_S)['token']}"}
    assert requests.get(f"{api}/administrators", headers=headers, timeout=TIMEOUT_S).ok


@pytest.mark.extended
def test_rebuilt_graph_has_the_viewings_and_ratings(original: Original, restored: Product) -> None:
    rebuilt = restored.run("admin", "rebuild-graph")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    before = graph_of(original.product)
    assert before.opinions and before.viewings and before.titles

    def is_rebuilt() -> bool:
        after = graph_of(restored)
        parts = ((after.viewings, before.viewings), (after.titles, before.titles))
        return after.opinions == before.opinions and all(set(one) == set(other) for one, other in parts)

    soon(is_rebuilt, every_s=1)


@pytest.mark.extended
def test_restored_uploads_are_not_encoded_again(original: Original, restored: Product) -> None:
    product = original.product
    before = as_owner(product.endpoints, "GET", "jobs").json()["jobs"]

    def timer_has_compared_uploads() -> bool:
        with MongoClient[dict[str, Any]](restored.endpoints["mongo"], tz_aware=True) as client:
            reached = client["notflix"]["arrivals"].find_one({"_id": "watermark"})
        with BlobServiceClient.from_connection_string(restored.endpoints["storage_connection"]) as service:
            (upload,) = service.get_container_client("uploads").list_blobs()
        return reached is not None and reached["at"] >= upload.last_modified

    soon(timer_has_compared_uploads)
    assert [job["job_id"] for job in as_owner(restored.endpoints, "GET", "jobs").json()["jobs"]] == [
        job["job_id"] for job in before
    ]


@pytest.mark.extended
def test_restored_film_plays(original: Original, restored: Product) -> None:
    viewer = original.viewer
    endpoints = restored.endpoints
    credentials = {"email": viewer.email, "password": PASSWORD}
    token = requests.post(f"{endpoints['api']}/api/sessions", json=credentials, timeout=TIMEOUT_S).json()["token"]
    title = requests.get(f"{endpoints['api']}/api/titles", timeout=TIMEOUT_S).json()["titles"][0]["id"]
    opened = requests.post(
        f"{endpoints['api']}/api/titles/{title}/playback",
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT_S,
    ).json()
    manifest = requests.get(f"{opened['manifest_url']}?{opened['sas']}", timeout=TIMEOUT_S)
    assert manifest.ok and "<MPD" in manifest.text


@pytest.mark.extended
def test_product_that_is_there_is_never_overwritten(original: Original, tmp_path: Path) -> None:
    product = original.product
    refused = product.run("restore", str(tmp_path))
    assert refused.returncode == 1
    assert "There is a running product in" in refused.stdout + refused.stderr


@pytest.mark.extended
def test_backup_in_a_folder_is_complete(original: Original, tmp_path: Path) -> None:
    product = original.product
    made = product.run("backup", str(tmp_path / "backup"))
    assert made.returncode == 0, made.stdout + made.stderr
    backup = Backup.of(Folder(tmp_path / "backup"))
    assert {"secrets.json", "mysql.sql", "mongo/titles.bson", "blobs/00000.index"} <= set(backup.manifest.files)


@pytest.mark.extended
def test_backup_to_a_disk_that_is_too_small_says_so(original: Original, tmp_path: Path) -> None:
    product = original.product
    done = _run_on_small_disk(product, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "The backup needs" in " ".join((done.stdout + done.stderr).split())


def _run_on_small_disk(product: Product, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `backup` to a file system of 1 MB, which only this process sees."""
    script = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'
    command = [sys.executable, "-m", "infra.local.cli", "backup", str(folder / "backup")]
    environment: Mapping[str, str] = {
        **os.environ,
        "NOTFLIX_HOME": str(product.home.path),
        "NOTFLIX_PORT_BASE": str(product.home.ports.base),
        "NOTFLIX_PACKAGES": str(product.home.packages),
        "PYTHONPATH": str(REPOSITORY),
    }
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(folder), *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_data_of_the_previous_release_is_migrated(tmp_path: Path) -> None:
    """The data were written by release 0.2.0: its code, its migrations, its documents."""
    product = Product(free_home(tmp_path / "home"))
    product.home.path.mkdir()
    for command in (("restore", str(backup_of_release(tmp_path / "backup"))), ("up", "--detach", "--empty")):
        done = product.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    try:
        endpoints = product.endpoints
        mysql = MySql(endpoints["mysql"], "", SQL)
        assert mysql.migrations() == {folder.name: folder.migrations[-1].number for folder in read_folders(SQL)}
        found = answers(product, "ada@example.org", until=datetime.now(UTC))
        (title,) = found["titles"]["titles"]
        assert title["name"] == "An Old Film"
        (job,) = found["owner jobs"]["jobs"]
        assert (job["job_id"], job["status"]) == ("dd661591ddfc", "ready")
        (payment,) = found["viewer payments"]["payments"]
        assert (payment["amount_minor"], payment["currency"]) == (799, "EUR")
        assert found["viewer subscription"]["subscription_id"] == payment["subscription_id"]
        (watched,) = found["viewer usage"]["entries"]
        assert watched["position_s"] == 1.5
        assert [len(found["viewer ratings"]["ratings"]), len(found["viewer list"]["titles"])] == [1, 1]
        published = [path for path in stored_files(product) if path.endswith(f"{job['job_id']}/manifest.mpd")]
        assert len(published) == 1
    finally:
        assert product.run("down").returncode == 0
