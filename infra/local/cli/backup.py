"""`backup` and `restore`: a copy of the whole product in a folder or in another storage account."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from rich.console import Console

from infra.local.home import CannotRun, Home
from infra.local.processes.state import take_lock

if TYPE_CHECKING:
    from infra.local.backup.archive import Manifest


def make_backup(where: str) -> None:
    """Write a backup to an empty folder or container and print its size."""
    from infra.local.backup.places import place_of
    from infra.local.backup.product import back_up

    home, place = Home.of(), place_of(where, os.environ)
    _quiet()
    lock = take_lock(home) if home.path.exists() else None  # None while the product runs
    try:
        manifest = back_up(home, place, os.environ)
    finally:
        if lock is not None:
            lock.close()
    _tell(f"The backup in {place.name} is complete", manifest)


def restore_backup(where: str) -> None:
    """Restore a backup into the empty home and print what to do next."""
    from infra.local.backup.places import place_of
    from infra.local.backup.product import restore

    home, place = Home.of(), place_of(where, os.environ)
    _quiet()
    home.path.mkdir(parents=True, exist_ok=True)
    lock = take_lock(home)
    if lock is None:
        raise CannotRun(f"There is a running product in {home.path}; set NOTFLIX_HOME to an empty folder.")
    with lock:
        manifest = restore(home, place, os.environ)
    _tell(f"The backup of {manifest.made_at} (Notflix {manifest.version}) is restored", manifest)
    Console().print("Start the product with `./notflix up`. Everybody has to log in again.", highlight=False)


def _tell(what: str, manifest: Manifest) -> None:
    Console().print(f"{what}: {len(manifest.files)} files, {manifest.bytes / 1e6:.1f} MB.", highlight=False)


def _quiet() -> None:
    """Hide the errors of drivers, because a store that is starting refuses connections."""
    for noisy in ("azure", "neo4j", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
