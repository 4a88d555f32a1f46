"""The address of the local document store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.mongo import connect
from infra.local.stores.credentials import load_or_make
from infra.local.stores.secantus import secantus
from tests.support.homes import free_home

if TYPE_CHECKING:
    from pathlib import Path


def test_the_driver_never_forgets_the_only_server(tmp_path: Path) -> None:
    """If the driver had to find the topology out, the answer of a broken server could make it remove that server."""
    home = free_home(tmp_path)
    home.make()
    store = secantus(home, load_or_make(home.secrets_file), {})
    with connect(store.settings["MONGO_URL"]) as client:
        assert client.topology_description.topology_type_name == "Single"
