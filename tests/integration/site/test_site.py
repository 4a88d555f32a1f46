"""The site's server with real blob storage: browsers get exactly the blobs in the container, and nothing else."""

from __future__ import annotations

import gzip
import http.client
import uuid
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests
from azure.storage.blob import ContainerClient, ContentSettings

from infra.local.site import LARGEST_CACHED, create_site
from infra.site_headers import SITE_HEADERS
from tests.support.asgi_server import bound_socket, serving_app
from tests.support.clock import NOON
from web.offline import SERVICE_WORKER
from web.publish import ASSET_CACHING, PAGE_CACHING, SOURCE_DIGEST, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

SCRIPT_NAME = "js/home.0123456789ab.js"
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
    (tmp_path / SCRIPT_NAME).write_text("export {};\n")
    return tmp_path


class Browser:
    """Sends requests to a site on loopback without normalizing their paths."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        """Return the response to a GET request."""
        return requests.get(f"{self._url}{path}", headers=headers, timeout=30)

    def raw(self, path: str, accept_encoding: str) -> requests.Response:
        """Return the response to a GET request with its body as it was sent."""
        url, headers = f"{self._url}{path}", {"accept-encoding": accept_encoding}
        with requests.get(url, headers=headers, timeout=30, stream=True) as answer:
            answer._content = answer.raw.read(decode_content=False)
            return answer

    def head(self, path: str) -> requests.Response:
        """Return the response to a HEAD request."""
        return requests.head(f"{self._url}{path}", timeout=30)

    def post(self, path: str) -> requests.Response:
        """Return the response to a POST request."""
        return requests.post(f"{self._url}{path}", timeout=30)

    def status_of(self, path: str) -> tuple[int, bytes]:
        """Return the status and body for a path that other clients would normalize before sending it."""
        connection = http.client.HTTPConnection(self._url.removeprefix("http://"), timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body


@contextmanager
def served(container: ContainerClient) -> Iterator[Browser]:
    """Serve a container on a free port."""
    with bound_socket() as (bound, url), serving_app(create_site(container), bound):
        yield Browser(url)


@pytest.fixture
def browser(container: ContainerClient, built: Path) -> Iterator[Browser]:
    """Serve the published site."""
    publish(built, container, now=NOON)
    with served(container) as asking:
        yield asking


def test_the_root_is_the_home_page_with_the_security_headers(browser: Browser) -> None:
    answer = browser.get("/")
    assert answer.content == PAGE
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == PAGE_CACHING
    assert {name: answer.headers[name] for name in SITE_HEADERS} == SITE_HEADERS
    missing = browser.get("/nothing")
    assert {name: missing.headers[name] for name in SITE_HEADERS} == SITE_HEADERS


def test_an_asset_may_be_kept_for_ever(browser: Browser) -> None:
    answer = browser.get(f"/{SCRIPT_NAME}")
    assert (answer.text, answer.headers["cache-control"]) == ("export {};\n", ASSET_CACHING)


def test_the_service_worker_is_a_script_that_is_always_asked_for_again(
    browser: Browser, container: ContainerClient, built: Path
) -> None:
    (built / SERVICE_WORKER).write_text("self.addEventListener('fetch', () => {});\n")
    publish(built, container, now=NOON)
    answer = browser.get("/sw.js")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        "text/javascript; charset=utf-8",
        PAGE_CACHING,
    )
    assert {name: answer.headers[name] for name in SITE_HEADERS} == SITE_HEADERS


def test_the_service_worker_is_published_after_the_pages_that_it_stores(
    container: ContainerClient, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    upload = ContainerClient.upload_blob

    def noted(self: ContainerClient, name: str, *arguments: object, **options: object) -> object:
        names.append(name)
        return upload(self, name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ContainerClient, "upload_blob", noted)
    (built / SERVICE_WORKER).write_text("self.addEventListener('fetch', () => {});\n")
    publish(built, container, now=NOON)
    assert names == [SCRIPT_NAME, "404.html", "index.html", SERVICE_WORKER]


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


SCRIPT = b"export const number = 1;\n" * 200


@pytest.fixture
def with_script(container: ContainerClient, built: Path) -> Iterator[Browser]:
    """Serve a site with a script that is also stored compressed."""
    (built / "js" / "long.js").write_bytes(SCRIPT)
    (built / "js" / "long.js.gz").write_bytes(gzip.compress(SCRIPT))
    (built / "js" / "long.js.br").write_bytes(b"as stored")
    publish(built, container, now=NOON)
    with served(container) as asking:
        yield asking


def test_a_browser_gets_the_best_stored_form_that_it_accepts(with_script: Browser) -> None:
    best = with_script.raw("/js/long.js", "gzip, deflate, br")
    assert (best.headers["content-encoding"], best.content) == ("br", b"as stored")
    second = with_script.raw("/js/long.js", "br;q=0, gzip")
    assert (second.headers["content-encoding"], gzip.decompress(second.content)) == ("gzip", SCRIPT)
    plain = with_script.raw("/js/long.js", "identity")
    assert "content-encoding" not in plain.headers and plain.content == SCRIPT
    forms = (best, second, plain)
    assert {form.headers["vary"] for form in forms} == {"Accept-Encoding"}
    assert len({form.headers["etag"] for form in forms}) == 3
    assert {form.headers["content-type"] for form in forms} == {"text/javascript; charset=utf-8"}
    again = with_script.get("/js/long.js", {"accept-encoding": "br", "if-none-match": best.headers["etag"]})
    assert again.status_code == 304


def test_a_compressed_form_of_an_older_version_is_not_sent(with_script: Browser, container: ContainerClient) -> None:
    newer = SCRIPT.replace(b"1", b"2")
    container.upload_blob("js/long.js", newer, overwrite=True, content_settings=ContentSettings("text/javascript"))
    answer = with_script.raw("/js/long.js", "gzip, br")
    assert (answer.headers["content-encoding"], gzip.decompress(answer.content)) == ("gzip", newer)


def test_what_the_functions_write_is_compressed_too_but_not_pictures(
    with_script: Browser, container: ContainerClient
) -> None:
    page = b'{"titles":[' + b'"film",' * 500 + b'""]}'
    container.upload_blob("catalogue/home.json", page, content_settings=ContentSettings("application/json"))
    container.upload_blob("art/a.jpg", page, content_settings=ContentSettings("image/jpeg"))
    assert with_script.raw("/catalogue/home.json", "br").content == page, (
        "no brotli is stored, and gzip is not accepted"
    )
    for accepted in ("gzip", "gzip, br"):
        answer = with_script.raw("/catalogue/home.json", accepted)
        assert (answer.headers["content-encoding"], gzip.decompress(answer.content)) == ("gzip", page)
    assert "content-encoding" not in with_script.raw("/art/a.jpg", "gzip").headers


def test_the_home_page_is_left_to_the_functions_once_there_is_one(container: ContainerClient, built: Path) -> None:
    publish(built, container, now=NOON)
    container.upload_blob("index.html", b"<p>Published", overwrite=True)
    (built / "index.html").write_bytes(PAGE + b"!")
    assert publish(built, container, now=NOON) == 0
    assert container.download_blob("index.html").readall() == b"<p>Published"


def test_publishing_again_sends_only_what_changed_and_leaves_the_catalogue_alone(
    container: ContainerClient, built: Path
) -> None:
    assert publish(built, container, now=NOON) == 3
    container.upload_blob("catalogue/home.json", b"{}")
    assert publish(built, container, now=NOON) == 0
    (built / "404.html").write_bytes(PAGE + b"!")
    assert publish(built, container, now=NOON) == 1
    assert container.download_blob("catalogue/home.json").readall() == b"{}"


def test_an_address_with_a_hash_is_looked_up_once_and_another_hash_again(
    browser: Browser, container: ContainerClient
) -> None:
    container.upload_blob("art/a/card.jpg", b"first")
    assert browser.get("/art/a/card.jpg?v=1").text == "first"
    container.upload_blob("art/a/card.jpg", b"second", overwrite=True)
    assert browser.get("/art/a/card.jpg?v=1").text == "first"
    assert browser.get("/art/a/card.jpg?v=2").text == "second"
    assert browser.get("/art/a/card.jpg").text == "second"


def test_an_asset_is_looked_up_once(browser: Browser, container: ContainerClient) -> None:
    first = browser.get(f"/{SCRIPT_NAME}").text
    container.delete_blob(SCRIPT_NAME)
    assert browser.get(f"/{SCRIPT_NAME}").text == first


def test_the_scripts_of_earlier_releases_are_kept_for_a_month(container: ContainerClient, built: Path) -> None:
    old = "js/home.js"
    (built / "js" / "home.js").write_text("export const former = true;\n")
    (built / "js" / "home.js.gz").write_bytes(gzip.compress(b"export const former = true;\n"))
    publish(built, container, now=NOON)
    for path in (built / "js").glob("home.js*"):
        path.unlink()
    for day in (1, 30):
        assert publish(built, container, now=NOON + timedelta(days=day)) == 0
        kept = {blob.name: blob.metadata for blob in container.list_blobs(include=["metadata"])}
        assert kept.keys() >= {old, f"{old}.gz", SCRIPT_NAME}
        assert SOURCE_DIGEST in kept[f"{old}.gz"], "the compressed form is still recognised"
    (built / "js" / "home.js").write_text("export const former = true;\n")
    assert publish(built, container, now=NOON + timedelta(days=30)) == 0
    (built / "js" / "home.js").unlink()
    publish(built, container, now=NOON + timedelta(days=31))
    assert [blob.name for blob in container.list_blobs("js/")] == [SCRIPT_NAME, old]
    publish(built, container, now=NOON + timedelta(days=61))
    assert [blob.name for blob in container.list_blobs("js/")] == [SCRIPT_NAME]


def test_text_can_be_stored_compressed_for_a_server_that_does_not_compress(
    container: ContainerClient, built: Path
) -> None:
    page = PAGE * 200
    (built / "index.html").write_bytes(page)
    (built / "picture.png").write_bytes(b"\x89PNG" * 400)
    assert publish(built, container, now=NOON, compressed=True) == 4
    stored = container.get_blob_client("index.html").get_blob_properties()
    assert (stored.content_settings.content_encoding, stored.content_settings.cache_control) == ("gzip", PAGE_CACHING)
    assert stored.size < len(page) / 10
    picture = container.get_blob_client("picture.png").get_blob_properties()
    assert (picture.content_settings.content_encoding, picture.size) == (None, 1600)
    small = container.get_blob_client(SCRIPT_NAME).get_blob_properties()
    assert small.content_settings.content_encoding is None, "gzip would make it larger"
    assert gzip.decompress(container.download_blob("index.html", decompress=False).readall()) == page
    assert publish(built, container, now=NOON, compressed=True) == 0
    (built / "404.html").write_bytes(page)
    assert publish(built, container, now=NOON, compressed=True) == 1
    assert publish(built, container, now=NOON) == 1, "a site behind a server that compresses is stored as it is"
