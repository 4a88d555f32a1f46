"""With the settings of .env.example, each store of infra/compose.yaml replaces the corresponding local store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.platform.azure_clients import blob_service
from functions.platform.mysql_connections import Address
from infra.local.cli.product import Options, product_of
from infra.local.home import REPOSITORY, Home
from infra.local.stores.credentials import load_or_make
from infra.local.stores.services import settings_of, stores_of

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = (REPOSITORY / "infra" / "compose.yaml").read_text(encoding="utf-8")


def example() -> dict[str, str]:
    lines = (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_no_stand_in_is_started_beside_them(tmp_path: Path) -> None:
    home = Home.of({"NOTFLIX_HOME": str(tmp_path)})
    credentials = load_or_make(tmp_path / "secrets.json")
    stores = stores_of(home, credentials, example())
    assert len(stores) == 5
    assert not [store.service.name for store in stores if store.service.argv]
    settings = settings_of(home, credentials, stores)
    given = example()
    for name in ("REDIS_URL", "MONGO_URL", "NEO4J_URI", "NEO4J_USER", "NEO4J_PASSWORD", "AzureWebJobsStorage"):
        assert settings[name] == given[name]
    assert Address.of(settings["LOGINS_DB_URL"]).port == 3306
    assert (
        product_of(home, credentials, given, Options()).endpoints["blob"] == "http://127.0.0.1:10000/devstoreaccount1"
    )


def test_the_short_name_of_the_emulator_is_a_connection() -> None:
    with blob_service(example()["AzureWebJobsStorage"]) as service:
        assert service.url == "http://127.0.0.1:10000/devstoreaccount1/"
        assert service.account_name == "devstoreaccount1"


def test_each_address_leads_to_a_port_that_is_published_here_only() -> None:
    published = set(re.findall(r'"127\.0\.0\.1:(\d+):', COMPOSE))
    assert set(re.findall(r'"[\d.]*:?(\d+):\d+"', COMPOSE)) == published
    addresses = [value for name, value in example().items() if name.endswith(("_URL", "_URI"))]
    assert len(addresses) == 4
    for address in addresses:
        port = re.findall(r":(\d+)(?:/|$)", address)
        assert set(port) <= published and port, address


def test_each_secret_that_the_file_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)[:}]", COMPOSE))
    assert asked and asked <= set(example())
