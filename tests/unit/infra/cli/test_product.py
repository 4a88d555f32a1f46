"""The processes of the local product: their endpoints, secrets, ports and environments."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from infra.local.cli.product import POLLING, TOLD, UNTOLD, Options, product_of
from infra.local.home import CannotRun, Home
from infra.local.stores.credentials import load_or_make

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.cli.product import Product

REAL_STORES = {
    "REDIS_URL": "rediss://redis.example:6380/0",
    "MONGO_URL": "mongodb://mongo.example:27017",
    "NEO4J_URI": "neo4j+s://graph.example",
    "NEO4J_PASSWORD": "open sesame",
    "AzureWebJobsStorage": "AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net",
}


def make_product(folder: Path, environment: dict[str, str] | None = None, **options: object) -> Product:
    home = Home.of({"NOTFLIX_HOME": str(folder)})
    return product_of(home, load_or_make(folder / "secrets.json"), environment or {}, Options(**options))  # type: ignore[arg-type]


def test_endpoints_have_every_agreed_name(tmp_path: Path) -> None:
    assert make_product(tmp_path).endpoints.keys() == {
        *(
            "site",
            "api",
            "blob",
            "storage_connection",
            "omdb",
            "paypal",
            "smtp",
            "mongo",
            "mysql",
            "redis",
            "bolt",
            "api_key",
        ),
    }


def test_no_secret_stands_in_the_list_of_processes(tmp_path: Path) -> None:
    product = make_product(tmp_path)
    secrets = set(vars_of(tmp_path))
    words = [word for service in product.services for word in service.argv]
    assert not [word for word in words if any(secret in word for secret in secrets)]


def vars_of(folder: Path) -> list[str]:
    credentials = load_or_make(folder / "secrets.json")
    return [getattr(credentials, name) for name in credentials.__slots__ if name != "storage_account"]


def test_everything_listens_on_loopback_and_on_a_port_of_its_own(tmp_path: Path) -> None:
    product = make_product(tmp_path, encoders=8)
    ports = [port for service in product.services for port in service.ports]
    assert len(set(ports)) == len(ports)
    assert all(("127.0.0.1" in each.address) is (each.name != "site") for each in product.services)


def test_each_encoder_takes_one_message_at_a_time_and_works_in_a_folder_of_its_own(tmp_path: Path) -> None:
    encoders = [service for service in make_product(tmp_path, encoders=2).services if "encoder_app" in service.argv]
    assert [service.name for service in encoders] == ["encoder-1", "encoder-2"]
    assert {service.environment["AzureFunctionsJobHost__extensions__queues__batchSize"] for service in encoders} == {
        "1"
    }
    assert len({service.environment["WORK_DIR"] for service in encoders}) == 2


def test_messages_of_a_killed_host_stay_hidden_for_the_given_time(tmp_path: Path) -> None:
    services = make_product(tmp_path, lease_s=600).services
    hosts = [service.argv for service in services if "infra.local.host" in service.argv]
    assert len(hosts) == 2
    assert all(argv[argv.index("--lease") + 1] == "600" for argv in hosts)


def test_api_host_keeps_the_concurrency_of_host_json(tmp_path: Path) -> None:
    api = next(service for service in make_product(tmp_path).services if service.name == "api")
    assert [name for name in api.environment if name.startswith("AzureFunctionsJobHost__")] == [POLLING]


@pytest.mark.parametrize(
    ("environment", "host", "polling"),
    [
        ({}, "notflix", TOLD),
        ({"AzureWebJobsStorage": REAL_STORES["AzureWebJobsStorage"]}, "notflix", UNTOLD),
        ({}, "func", UNTOLD),
    ],
)
def test_hosts_poll_seldom_only_if_the_storage_emulator_tells_them_of_messages(
    tmp_path: Path, environment: dict[str, str], host: str, polling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "func").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    product = make_product(tmp_path, environment, host=host)
    hosts = [service for service in product.services if service.name in ("api", "encoder")]
    assert [service.environment[POLLING] for service in hosts] == [polling] * 2


def test_simulator_of_omdb_gives_way_to_a_real_key(tmp_path: Path) -> None:
    product = make_product(tmp_path, {"OMDB_API_KEY": "real"})
    assert "omdb" not in product.endpoints
    assert "omdb" not in [service.name for service in product.services]
    assert "OMDB_API_KEY" not in next(service for service in product.services if service.name == "api").environment


def test_simulator_of_paypal_knows_what_the_functions_know_and_gives_way_to_real_credentials(tmp_path: Path) -> None:
    services = {service.name: service.environment for service in make_product(tmp_path).services}
    identity = {name: text for name, text in services["paypal"].items() if name.startswith("PAYPAL_")}
    assert len(identity) == 3
    assert identity.items() <= services["api"].items()
    product = make_product(tmp_path, {"PAYPAL_CLIENT_ID": "real"})
    assert "paypal" not in product.endpoints
    assert "paypal" not in [service.name for service in product.services]
    assert "PAYPAL_URL" not in next(service for service in product.services if service.name == "api").environment


def test_local_mail_server_gives_way_to_a_real_one(tmp_path: Path) -> None:
    local = next(service for service in make_product(tmp_path).services if service.name == "api").environment
    assert local["SMTP_URL"].startswith("smtp://127.0.0.1:") and local["MAIL_FROM"]
    product = make_product(tmp_path, {"SMTP_URL": "smtps://user:secret@mail.example"})
    assert "smtp" not in product.endpoints
    assert "mail" not in [service.name for service in product.services]
    assert "SMTP_URL" not in next(service for service in product.services if service.name == "api").environment


def test_stores_named_by_settings_are_not_started_and_the_functions_are_told_of_them(tmp_path: Path) -> None:
    administrator = {"MYSQL_ADMIN_URL": "mysql://me:secret@mysql.example:3306", "MYSQL_CA": "system"}
    product = make_product(tmp_path, REAL_STORES | administrator)
    started = {service.name for service in product.services if service.argv}
    assert started == {"omdb", "paypal", "mail", "api", "encoder", "site"}
    api = next(service for service in product.services if service.name == "api")
    assert REAL_STORES.items() <= api.environment.items()
    assert api.environment["LOGINS_DB_URL"].startswith("mysql://logins:")
    assert api.environment["LOGINS_DB_URL"].endswith("@mysql.example:3306/logins_db")
    assert api.environment["MYSQL_CA"] == "system"
    assert not [value for value in api.environment.values() if "secret@mysql" in value]
    assert product.endpoints["blob"] == "https://a.blob.core.windows.net"


@pytest.mark.parametrize("encoders", [0, 9])
def test_senseless_number_of_encoders_is_refused(tmp_path: Path, encoders: int) -> None:
    with pytest.raises(CannotRun, match="from 1 to 8"):
        make_product(tmp_path, encoders=encoders)


def test_core_tools_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match="Core Tools"):
        make_product(tmp_path, host="func")


def test_core_tools_run_both_apps_where_they_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "func").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    product = make_product(tmp_path, host="func")
    hosts = [service for service in product.services if "start" in service.argv]
    assert [service.environment["PYTHON_SCRIPT_FILE_NAME"] for service in hosts] == [
        "function_app.py",
        "encoder_app.py",
    ]
