"""What the setup page tests, on running services: simulators of PayPal and OMDb, a mail server, the graph, a site."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions import bootstrap
from functions.platform.viewer import Recipient
from functions.recommendations import bolt as bolts
from functions.setup.site_probe import probe_site
from functions.setup.triggers import try_service
from infra.local.simulators.omdb.app import KEY
from tests.support.api import call
from tests.support.mail import MailHandler, MailServer
from tests.support.omdb import running_omdb
from tests.support.owners import OPERATOR_KEY
from tests.support.paypal import running_simulator
from tests.support.waiting import PATIENCE_S
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

type Wire = Callable[..., None]
EVENTS = "https://films.example/api/paypal/webhooks"


@pytest.fixture
def wire(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Return a function that lets `bootstrap` assemble everything again with the real stores and other settings."""

    def configure(**settings: str) -> None:
        base = {"MONGO_DATABASE": f"test_{uuid.uuid4().hex[:12]}", "OPERATOR_KEY": OPERATOR_KEY}
        for name, value in {**stack.environment, **base, **settings}.items():
            monkeypatch.setenv(name, value)
        forget_all()
        redis = bootstrap.resources.redis()
        for key in redis.keys("setup:test:*"):
            redis.delete(key)

    yield configure
    forget_all()


def run(part: str) -> tuple[bool, str]:
    """Run the test of a part as the operator; return whether it works, and the sentence."""
    status, answer = call(
        try_service, f"setup/{part}/test", route={"id": part}, headers={"x-operator-key": OPERATOR_KEY}
    )
    assert status == 200, answer
    return answer["works"], answer["sentence"]


def test_paypal_is_asked_for_a_token_and_for_the_webhook(wire: Wire, tmp_path: Path) -> None:
    with running_simulator(tmp_path, webhook_url=EVENTS) as paypal:
        given = {
            "PAYPAL_URL": paypal.url,
            "PAYPAL_CLIENT_ID": paypal.client_id,
            "PAYPAL_CLIENT_SECRET": paypal.client_secret,
            "PAYPAL_WEBHOOK_ID": paypal.webhook_id,
        }
        wire(**given)
        assert run("paypal") == (
            True,
            f"PayPal accepts the client id and the secret, and sends its messages to {EVENTS}.",
        )
        wire(**given | {"PAYPAL_WEBHOOK_ID": "WH-ANOTHER"})
        works, sentence = run("paypal")
        assert not works and "PAYPAL_WEBHOOK_ID" in sentence
        wire(**given | {"PAYPAL_CLIENT_SECRET": "another-secret"})
        works, sentence = run("paypal")
        assert not works and "PAYPAL_CLIENT_SECRET" in sentence and "another-secret" not in sentence
    wire(**given)
    works, sentence = run("paypal")
    assert not works and "does not answer" in sentence


def test_omdb_is_asked_for_a_film(wire: Wire) -> None:
    with running_omdb() as url:
        wire(OMDB_URL=url, OMDB_API_KEY=KEY)
        assert run("omdb") == (True, "OMDb accepts the key and describes Sintel (2010).")
        wire(OMDB_URL=url, OMDB_API_KEY="mistyped")
        assert run("omdb") == (False, "OMDb refuses the key in OMDB_API_KEY.")
        assert requests.post(f"{url}simulate?fault=quota", timeout=30).ok
        wire(OMDB_URL=url, OMDB_API_KEY=KEY)
        works, sentence = run("omdb")
        assert not works and "daily limit" in sentence


def test_the_graph_is_asked_for_its_titles(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bolts, "READ_S", PATIENCE_S)
    wire()
    works, sentence = run("neo4j")
    assert works and sentence.startswith("Neo4j answers. The graph has ")
    wire(NEO4J_PASSWORD="mistyped")
    works, sentence = run("neo4j")
    assert not works and "NEO4J_PASSWORD" in sentence and "mistyped" not in sentence
    wire(NEO4J_URI="bolt://127.0.0.1:9")
    assert not run("neo4j")[0]


def test_an_email_is_sent_to_an_address(wire: Wire) -> None:
    from functions.mail.assembly import assemble

    with MailServer(MailHandler()) as server:
        wire(SMTP_URL=f"smtp://127.0.0.1:{server.port}", MAIL_FROM="Films <films@example.org>")
        found = assemble(bootstrap.resources, bootstrap.accounts().renew_link, timeout_s=30).send_test(
            Recipient("owner@example.org", "de")
        )
        assert found.works and "owner@example.org" in found.sentence
        assert server.handler.recipients == ["owner@example.org"]
        assert server.handler.emails[0]["Subject"] == "Notflix kann E-Mails senden"
        works, sentence = run("mail")
        assert not works and "Scripts have no email address" in sentence
        assert len(server.handler.emails) == 1


def test_the_keys_are_tried(wire: Wire) -> None:
    wire()
    assert run("keys")[0]
    wire(SECOND_FACTOR_KEYS="short")
    works, sentence = run("keys")
    assert not works and "SECOND_FACTOR_KEYS" in sentence


def test_a_second_test_within_the_pause_is_refused_by_redis(wire: Wire) -> None:
    wire()
    assert run("keys")[0]
    status, answer = call(
        try_service, "setup/keys/test", route={"id": "keys"}, headers={"x-operator-key": OPERATOR_KEY}
    )
    assert (status, answer["error"]) == (429, "too_many_attempts")


@contextmanager
def running_site(status: int, body: str, **headers: str) -> Iterator[str]:
    """Serve one answer for all requests, and yield the origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # name required by http.server
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *given: Any) -> None:
            del given

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "headers", "works", "words"),
    [
        (200, '<html data-api="http://api"><h1>Films</h1></html>', {}, True, "opens at"),
        (200, "<h1>Under construction</h1>", {}, False, "not this site"),
        (404, '<html data-api="http://api">', {}, False, "HTTP 404"),
        (301, "", {"Location": "https://www.films.example/"}, False, "another address"),
    ],
)
def test_the_home_page_is_fetched(status: int, body: str, headers: dict[str, str], works: bool, words: str) -> None:
    with running_site(status, body, **headers) as origin:
        found = probe_site(origin)
    assert found.works is works and words in found.sentence and origin in found.sentence


def test_an_address_where_nothing_answers_is_said_so() -> None:
    found = probe_site("http://127.0.0.1:9")
    assert not found.works and "cannot be reached" in found.sentence
