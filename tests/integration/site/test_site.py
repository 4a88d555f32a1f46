"""The site's server with real blob storage: browsers get exactly the blobs in the container, and nothing else."""

from __future__ import annotations

import http.client
import socket
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests
import uvicorn
from azure.storage.blob import ContainerClient, ContentSettings

from infra.local.site import LARGEST_CACHED, create_site
from web.publish import ASSET_CACHING, PAGE_CACHING, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

PAGE = b"""<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src &#39;self&#39;"><p>Home"""


@pytest.fixture
def container(stack: Stack) -> Iterator[ContainerClient]:
    """Create a separate container with a site in it."""
    with ContainerClient.from_connection_string(stack.settings.storage, f"site-{uuid.uuid4().hex[:12]}") as made:
        made.create_container()
        yield made
        made.delete_container()


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Create a tiny built site."""
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "404.html").write_bytes(b"<p>Nothing here")
    (tmp_path / "js" / "home.js").write_text("export {};\n")
    return tmp_path


class Browser:
    """Sends requests to a site on loopback without normalizing their paths."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        """Return the response to a GET request."""
        return requests.get(f"http://127.0.0.1:{self._port}{path}", headers=headers, timeout=30)

    def head(self, path: str) -> requests.Response:
        """Return the response to a HEAD request."""
        return requests.head(f"http://127.0.0.1:{self._port}{path}", timeout=30)

    def post(self, path: str) -> requests.Response:
        """Return the response to a POST request."""
        return requests.post(f"http://127.0.0.1:{self._port}{path}", timeout=30)

    def status_of(self, path: str) -> tuple[int, bytes]:
        """Return the status and body for a path that other clients would normalize before sending it."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body


@contextmanager
def served(container: ContainerClient) -> Iterator[Browser]:
    """Serve a container on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_site(container), log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        listening.listen()  # from now on, connections wait for the server instead of being refused
        thread.start()
        try:
            yield Browser(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def browser(container: ContainerClient, built: Path) -> Iterator[Browser]:
    """Serve the published site."""
    publish(built, container)
    with served(container) as asking:
        yield asking


def test_the_root_is_the_home_page_with_its_policy_as_a_header(browser: Browser) -> None:
    answer = browser.get("/")
    assert answer.content == PAGE
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == PAGE_CACHING
    assert answer.headers["content-security-policy"] == "default-src 'self'; frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_asset_may_be_kept_for_ever(browser: Browser) -> None:
    answer = browser.get("/js/home.js?v=123")
    assert (answer.text, answer.headers["cache-control"]) == ("export {};\n", ASSET_CACHING)


def test_what_is_not_there_is_answered_with_the_page_for_that(browser: Browser) -> None:
    for path in ("/nothing", "/js/../index.html", "/js/%2e%2e/index.html", "/a//b", "/a%5cb"):
        assert browser.status_of(path) == (404, b"<p>Nothing here"), path


def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is_seen_at_once(
    browser: Browser, container: ContainerClient
) -> None:
    first = browser.get("/index.html")
    again = browser.get("/index.html", headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    container.upload_blob("index.html", b"<p>New", overwrite=True)
    changed = browser.get("/index.html", headers={"if-none-match": first.headers["etag"]})
    assert (changed.status_code, changed.text) == (200, "<p>New")


def test_head_answers_the_same_headers_without_the_body(browser: Browser) -> None:
    head, get = browser.head("/"), browser.get("/")
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(PAGE))
    assert head.headers["etag"] == get.headers["etag"]


def test_a_large_file_is_streamed_whole(browser: Browser, container: ContainerClient) -> None:
    content = bytes(range(256)) * (LARGEST_CACHED // 64)
    settings = ContentSettings(content_type="image/jpeg")
    container.upload_blob("art/big.jpg", content, content_settings=settings)
    answer = browser.get("/art/big.jpg")
    assert answer.content == content
    assert answer.headers["content-length"] == str(len(content))


def test_other_methods_are_refused(browser: Browser) -> None:
    assert browser.post("/").status_code == 405


def test_a_store_that_is_away_is_told_in_a_sentence(stack: Stack, refused_port: int) -> None:
    away = stack.settings.storage.replace(stack.endpoints["blob"].split("/")[2], f"127.0.0.1:{refused_port}")
    container = ContainerClient.from_connection_string(away, "site", retry_total=0)
    with container, served(container) as asking:
        answer = asking.get("/")
    assert answer.status_code == 503
    assert "./notflix status" in answer.text


def test_publishing_again_sends_only_what_changed_and_leaves_the_catalogue_alone(
    container: ContainerClient, built: Path
) -> None:
    assert publish(built, container) == 3
    container.upload_blob("catalogue/home.json", b"{}")
    assert publish(built, container) == 0
    (built / "index.html").write_bytes(PAGE + b"!")
    assert publish(built, container) == 1
    assert container.download_blob("catalogue/home.json").readall() == b"{}"
