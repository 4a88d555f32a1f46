"""The commands of `./notflix`, run against a running product."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.local.processes.state import read_state
from tests.support.homes import free_home
from tests.support.product import Product
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path


def test_status_tells_scripts_that_every_part_is_ready(product: Product) -> None:
    told = json.loads(product.run("status", "--json").stdout)
    assert (told["running"], told["state"], told["site"]) == (True, "ready", product.endpoints["site"])
    states = {service["name"]: service["state"] for service in told["services"]}
    assert states.keys() >= {"azurite", "secantus", "mariadb", "redis", "arcadedb", "api", "encoder", "site"}
    assert set(states.values()) == {"ready"}


def test_site_and_api_answer_where_the_endpoints_say(product: Product) -> None:
    with urllib.request.urlopen(product.endpoints["site"]) as page:
        assert page.status == 200
        assert "text/html" in page.headers["Content-Type"]
    stores = health_of(product)
    # the first request loads every client library, and can therefore time out on a busy machine
    for _ in range(10):
        if all(store["up"] for store in stores.values()):
            break
        stores = health_of(product)
    assert {name: store["up"] for name, store in stores.items()} == dict.fromkeys(stores, True)


def health_of(product: Product) -> dict[str, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"{product.endpoints['api']}/api/health") as answer:
            told: dict[str, dict[str, dict[str, object]]] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            told = json.load(error)
    return told["stores"]


def test_second_up_says_that_it_runs_and_changes_nothing(product: Product) -> None:
    before = read_state(product.home)
    again = product.run("up", "--detach", "--empty")
    assert (again.returncode, again.stdout) == (0, f"Notflix is already running: {product.endpoints['site']}\n")
    assert read_state(product.home) == before


def test_another_copy_on_the_same_ports_is_refused_in_one_sentence(product: Product, tmp_path: Path) -> None:
    other = Product(replace(product.home, path=tmp_path))
    refused = other.run("up", "--detach", "--empty")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Port ")
    assert " is in use by " in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_missing_film_is_reported_in_one_sentence(product: Product, tmp_path: Path) -> None:
    refused = product.run("ingest", str(tmp_path / "none.mkv"), "--json")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"There is no file {tmp_path / 'none.mkv'}.\n"


@pytest.mark.extended
def test_up_recovers_everything_after_the_supervisor_was_killed(tmp_path: Path) -> None:
    copy = Product(free_home(tmp_path))
    assert copy.run("up", "--detach", "--empty").returncode == 0
    try:
        state = read_state(copy.home)
        assert state is not None
        os.kill(state.pid, 9)
        assert json.loads(copy.run("status", "--json").stdout)["state"] == "killed"
        again = copy.run("up", "--detach", "--empty")
        assert again.returncode == 0, again.stderr
    finally:
        down = copy.run("down")
    assert (down.returncode, down.stdout) == (0, "Notflix has stopped.\n")
    assert eventually(lambda: not copy.home.endpoints_file.exists())
