"""`./notflix azure verify` against a server that behaves as a deployment should, and against one with each defect."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from functions.platform.security_headers import API_HEADERS
from infra.azure.verify import Verdict, verify
from infra.local.cli.azure_commands import azure
from infra.local.home import CannotRun
from infra.site_headers import SITE_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = """<!doctype html><html lang="en" data-api="{api}" data-blob="{blob}"><head>{policy}
<link rel="icon" href="/img/favicon.svg"><link rel="stylesheet" href="/css/site.0123456789ab.css"></head>
<body><script type="module" src="/js/home.0123456789ab.js"></script></body></html>"""
POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'">"""
SITE = "the site itself"
HOME = {"rows": [{"titles": [{"id": "soon", "status": "announced"}, {"id": "film", "status": "ready"}]}]}


@dataclass(frozen=True)
class Deployment:
    """What a deployment sends; each field can be made wrong. `api` may have another origin than the site."""

    site_headers: Mapping[str, str] = field(default_factory=lambda: SITE_HEADERS)
    missing_headers: Mapping[str, str] = field(default_factory=lambda: SITE_HEADERS)
    missing_status: int = 404
    api_headers: Mapping[str, str] = field(default_factory=lambda: API_HEADERS)
    policy: str = POLICY
    page_caching: str = "no-cache"
    worker_caching: str = "no-cache"
    asset_caching: str = "public, max-age=31536000, immutable"
    encoding: str = "gzip"
    allowed_origins: tuple[str, ...] = (SITE,)
    storage_status: int = 409
    home: Mapping[str, object] = field(default_factory=lambda: HOME)
    api_host: str = "localhost"
    blob_host: str = "localhost"
    names_api: bool = True
    me_status: int = 401


GOOD = Deployment()


@contextmanager
def deployed(deployment: Deployment) -> Iterator[str]:
    """Serve site, API and storage of a deployment; yield the origin of the site."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

        def send(self, status: int, headers: Mapping[str, str], text: str = "") -> None:
            body = text.encode()
            if headers.get("Content-Encoding") == "gzip":
                body = gzip.compress(body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_OPTIONS(self) -> None:
            origin = self.headers.get("Origin", "")
            allowed = [site if each == SITE else each for each in deployment.allowed_origins]
            permission = "*" if "*" in allowed else origin if origin in allowed else ""
            self.send(204, {"Access-Control-Allow-Origin": permission} if permission else {})

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/":
                addresses = {
                    "api": f"http://{deployment.api_host}:{port}" if deployment.names_api else "",
                    "blob": f"http://{deployment.blob_host}:{port}",
                }
                if "comp=list" in self.path:
                    self.send(deployment.storage_status, {})
                    return
                page = PAGE.format(**addresses, policy=deployment.policy)
                headers = {**deployment.site_headers, "Cache-Control": deployment.page_caching, "ETag": "1"}
                self.send(200, headers, page)
            elif path in ("/css/site.0123456789ab.css", "/js/home.0123456789ab.js"):
                encoding = {"Content-Encoding": deployment.encoding} if deployment.encoding else {}
                self.send(200, {"Cache-Control": deployment.asset_caching, **encoding}, "x")
            elif path == "/sw.js":
                self.send(200, {"Cache-Control": deployment.worker_caching}, "x")
            elif path == "/catalogue/home.json":
                self.send(200, {}, json.dumps(deployment.home))
            elif path == "/api/titles":
                self.send(200, deployment.api_headers, "{}")
            elif path == "/api/me":
                self.send(deployment.me_status, deployment.api_headers, "{}")
            elif path.startswith(("/uploads", "/title-")):
                self.send(deployment.storage_status, {})
            else:
                self.send(deployment.missing_status, deployment.missing_headers)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port = server.server_address[1]
        site = f"http://127.0.0.1:{port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def wrong(deployment: Deployment) -> list[str]:
    """Return what is reported as wrong."""
    with deployed(deployment) as site:
        return [result.text for result in verify(site) if result.verdict is Verdict.BAD]


def test_nothing_is_wrong_with_a_deployment_as_it_should_be() -> None:
    assert wrong(GOOD) == []


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in headers.items() if each != name}


@pytest.mark.parametrize("name", SITE_HEADERS)
def test_each_header_that_the_site_lacks_is_reported(name: str) -> None:
    (lack,) = wrong(replace(GOOD, site_headers=without(SITE_HEADERS, name)))
    assert lack == f"The home page lacks the header {name}: {SITE_HEADERS[name]}"
    (other,) = wrong(replace(GOOD, site_headers={**SITE_HEADERS, name: "something else"}))
    assert f"{name}: something else" in other
    (missing,) = wrong(replace(GOOD, missing_headers=without(SITE_HEADERS, name)))
    assert name in missing and "missing pages" in missing


@pytest.mark.parametrize("name", API_HEADERS)
def test_each_header_that_the_api_lacks_is_reported_for_answers_and_refusals(name: str) -> None:
    answer, refusal = wrong(replace(GOOD, api_headers=without(API_HEADERS, name)))
    assert answer.startswith(f"An answer of the API lacks the header {name}")
    assert refusal.startswith(f"A refusal of the API lacks the header {name}")


@pytest.mark.parametrize(
    ("deployment", "said"),
    [
        (replace(GOOD, missing_status=200), "is answered with 200, not 404"),
        (replace(GOOD, policy=""), "no policy"),
        (replace(GOOD, page_caching="max-age=3600"), "stale"),
        (replace(GOOD, worker_caching="max-age=31536000"), "/sw.js is missing or lacks"),
        (replace(GOOD, allowed_origins=("*",)), "every origin"),
        (replace(GOOD, allowed_origins=(SITE, "https://attacker.example")), "every origin"),
        (replace(GOOD, allowed_origins=()), "nobody can log in"),
        (replace(GOOD, names_api=False), "does not name the API"),
        (replace(GOOD, me_status=200), "has the status 200, not 401"),
    ],
)
def test_each_other_defect_is_reported(deployment: Deployment, said: str) -> None:
    assert any(said in text for text in wrong(deployment))


def test_storage_that_answers_strangers_is_reported_for_lists_and_segments() -> None:
    found = wrong(replace(GOOD, storage_status=200))
    for what in ("blobs in uploads", "blobs in title-film", "list of containers", "manifest.mpd of film", "s00000.m4s"):
        assert any(what in text for text in found), what


def test_what_only_costs_time_is_no_defect() -> None:
    with deployed(replace(GOOD, encoding="", asset_caching="max-age=60", home={"rows": []})) as site:
        results = verify(site)
    slow = [result.text for result in results if result.verdict is Verdict.SLOW]
    assert [result for result in results if result.verdict is Verdict.BAD] == []
    assert len(slow) == 4 and any("/css/site.0123456789ab.css is not compressed" in text for text in slow)
    assert any("no film is published" in result.text for result in results if result.verdict is Verdict.SKIPPED)


def test_the_emulators_storage_and_a_shared_origin_are_skipped() -> None:
    with deployed(replace(GOOD, api_host="127.0.0.1", blob_host="127.0.0.1", allowed_origins=())) as site:
        skipped = [result.text for result in verify(site) if result.verdict is Verdict.SKIPPED]
    assert len(skipped) == 3 and any("emulator" in text for text in skipped)


def test_the_command_prints_one_line_per_finding_and_fails_if_one_is_bad() -> None:
    with deployed(GOOD) as site:
        done = CliRunner().invoke(azure, ["verify", site])
        assert done.exit_code == 0, done.output
        assert len(done.output.splitlines()) == len(verify(site))
    with deployed(replace(GOOD, policy="")) as site:
        done = CliRunner().invoke(azure, ["verify", site])
        assert done.exit_code == 1 and "✗ The home page contains no policy" in done.output


@pytest.mark.parametrize("origin", ["ftp://films.example.org", "http://127.0.0.1:9", "https://"])
def test_an_address_without_a_site_is_told(origin: str) -> None:
    with pytest.raises(CannotRun):
        verify(origin)
