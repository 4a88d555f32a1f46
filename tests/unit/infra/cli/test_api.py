"""The command line calls the product on this machine, or the deployed product that the environment selects."""

from __future__ import annotations

import json
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.cli.api import Api
from infra.local.cli.jobs import show_jobs
from infra.local.home import CannotRun, Home
from infra.local.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "operator-key-of-thirty-two-letters"


class Deployed(ThreadingHTTPServer):
    """A deployed API app with one job, which checks the operator's key."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    """Answers the requests."""

    def do_GET(self) -> None:
        known = self.headers.get("x-operator-key") == KEY
        body: dict[str, object] = {"jobs": []} if known else {"error": "forbidden", "detail": "That key opens nothing."}
        content = json.dumps(body).encode()
        self.send_response(200 if known else 403)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with Deployed() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def home(path: Path) -> Home:
    return Home(path, Ports(29_100), path)


def test_a_deployed_product_is_asked_with_its_operators_key(deployed: Deployed, tmp_path: Path) -> None:
    api = Api.of(home(tmp_path), {"NOTFLIX_API": f"{deployed.address}/", "NOTFLIX_OPERATOR_KEY": KEY})
    assert api.get("/api/jobs") == {"jobs": []}
    assert api.watch_address("film") == "/watch.html?id=film"


def test_commands_need_nothing_that_runs_here(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    monkeypatch.setenv("NOTFLIX_API", deployed.address)
    monkeypatch.setenv("NOTFLIX_OPERATOR_KEY", KEY)
    show_jobs(as_json=True)
    assert json.loads(capsys.readouterr().out) == {"jobs": []}


def test_a_key_that_opens_nothing_is_told_in_the_apis_words(deployed: Deployed, tmp_path: Path) -> None:
    api = Api.of(home(tmp_path), {"NOTFLIX_API": deployed.address, "NOTFLIX_OPERATOR_KEY": "another"})
    with pytest.raises(CannotRun, match="That key opens nothing"):
        api.get("/api/jobs")


def test_the_missing_key_is_named_with_where_to_find_it(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"NOTFLIX_OPERATOR_KEY.*operator-key"):
        Api.of(home(tmp_path), {"NOTFLIX_API": "https://func-x.azurewebsites.net"})


def test_the_key_is_sent_over_nothing_but_https(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="https"):
        Api.of(home(tmp_path), {"NOTFLIX_API": "http://func-x.azurewebsites.net", "NOTFLIX_OPERATOR_KEY": KEY})


def test_a_deployed_product_that_is_away_is_not_looked_for_in_local_logs(tmp_path: Path, refused_port: int) -> None:
    api = Api.of(home(tmp_path), {"NOTFLIX_API": f"http://127.0.0.1:{refused_port}", "NOTFLIX_OPERATOR_KEY": KEY})
    with pytest.raises(CannotRun, match="Application Insights"):
        api.get("/api/jobs")


def test_where_nothing_is_named_the_product_of_this_machine_is_asked(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="not running"):
        Api.of(home(tmp_path), {})
