"""Back up a product and restore it into an empty home: which stores, in which order, and what is refused.

The stores have no common transaction, so the order keeps references valid: a store is copied before the stores that
it refers to. Titles, jobs and viewing history (MongoDB) refer to accounts (MySQL) and blobs; accounts refer to nothing.
So everything that a copied document refers to already existed when the document was copied, and is copied after it.
"""

from __future__ import annotations

import shutil
import tomllib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.platform.settings import load_settings
from infra.local.backup import local_files
from infra.local.backup.archive import Backup, NewBackup, disk_errors
from infra.local.backup.blobs import Blobs
from infra.local.backup.mongo import Mongo
from infra.local.backup.mysql import MySql
from infra.local.backup.places import require_space
from infra.local.home import REPOSITORY, CannotRun
from infra.local.processes.state import read_state
from infra.local.processes.supervisor import Supervisor
from infra.local.stores import azurite, mariadb, secantus
from infra.local.stores.credentials import load_or_make
from infra.local.stores.services import endpoints_of, settings_of, stores_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.local.backup.archive import Manifest
    from infra.local.backup.places import Place
    from infra.local.home import Home

RECEIPTS = "blobreceipts/function-app/Host.Functions.start_title"
OTHER_BYTES = 100_000_000
"""Room for everything in a backup besides blobs."""
NEEDED = (azurite.NAME, secantus.NAME, mariadb.NAME)


@dataclass(frozen=True, slots=True)
class Stores:
    """Clients of the stores that are in a backup."""

    mongo: Mongo
    mysql: MySql
    blobs: Blobs

    def close(self) -> None:
        """Close the connections."""
        self.mongo.close()
        self.blobs.close()


def back_up(home: Home, place: Place, environment: Mapping[str, str]) -> Manifest:
    """Write a backup to an empty place; of a product that is not running, the stores are started for it."""
    if not home.secrets_file.exists():
        raise CannotRun(f"There is no product in {home.path}; set NOTFLIX_HOME to the folder of the product.")
    backup = NewBackup(place)
    with disk_errors("the backup"), running_stores(home, environment) as stores:
        backup.require_space(stores.blobs.bytes() + OTHER_BYTES)
        migrations = stores.mysql.migrations()
        made_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        local_files.dump(home, backup)
        stores.mongo.dump(backup)
        stores.mysql.dump(backup)
        stores.blobs.dump(backup)
    return backup.finish(version=version_of_code(), made_at=made_at, migrations=migrations)


def restore(home: Home, place: Place, environment: Mapping[str, str]) -> Manifest:
    """Restore the backup in `place` into an empty home, and stop the stores; on failure, delete what was restored."""
    _refuse_used(home)
    backup = Backup.of(place)
    home.make()
    require_space(home.path, backup.manifest.bytes, "the restored product")
    try:
        with disk_errors("the restoration"):
            local_files.restore(home, backup)
            with running_stores(home, environment) as stores:
                stores.mysql.refuse_later(backup)
                if stores.mysql.has_rows() or stores.mongo.has_documents() or stores.blobs.has_films():
                    raise CannotRun("A store already contains data; restore into empty stores.")
                stores.mysql.restore(backup, load_or_make(home.secrets_file).mysql_password)
                stores.mongo.restore(backup)
                uploads = stores.blobs.restore(backup)
                stores.blobs.mark_started(uploads, stores.mongo, receipts=RECEIPTS)
    except BaseException:
        shutil.rmtree(home.path / "data", ignore_errors=True)
        home.secrets_file.unlink(missing_ok=True)
        raise
    return backup.manifest


@contextmanager
def running_stores(home: Home, environment: Mapping[str, str]) -> Iterator[Stores]:
    """Yield clients of the stores; start the stores of this machine if the product does not run, and stop them."""
    state = read_state(home)
    if state is not None and state.supervisor_runs:
        if state.phase != "ready":
            raise CannotRun("Notflix is starting or stopping right now; try again when it is ready.")
        with closing(_clients(home, environment)) as clients:
            yield clients
        return
    credentials = load_or_make(home.secrets_file)
    services = [store.service for store in stores_of(home, credentials, environment) if store.service.name in NEEDED]
    supervisor = Supervisor(services, home=home)
    supervisor.start()
    try:
        with closing(_clients(home, environment)) as clients:
            yield clients
    finally:
        supervisor.stop()


def version_of_code() -> str:
    """Return the version of this copy of the code."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _clients(home: Home, environment: Mapping[str, str]) -> Stores:
    credentials = load_or_make(home.secrets_file)
    stores = stores_of(home, credentials, environment)
    settings = settings_of(home, credentials, stores)
    endpoints = endpoints_of(home, credentials, stores)
    database = load_settings(settings).mongo_database
    return Stores(
        mongo=Mongo(endpoints["mongo"], database),
        mysql=MySql(endpoints["mysql"], environment.get(mariadb.CA, ""), mariadb.SQL),
        blobs=Blobs(endpoints["storage_connection"]),
    )


def _refuse_used(home: Home) -> None:
    data = home.path / "data"
    if home.secrets_file.exists() or (data.exists() and any(data.iterdir())):
        raise CannotRun(f"There is already a product in {home.path}; set NOTFLIX_HOME to an empty folder.")
